"""One prompt, one completion, one score: a runner in this process, in place of inspect's.

inspect's runner gives every sample a transcript, limits, sandboxes and hooks; a chart question needs none,
and they cost more than a small model's answer (docs/decisions/0003-throughput.md). Here completions come
straight from our provider. The rows are inspect's all the same, but for the transcript of events, which would
repeat the messages.
"""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import time
import traceback
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalError, EvalLog, EvalSample
from inspect_ai.model import ChatMessage, ContentImage, Model, ModelName, ModelOutput
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState

from bench.running.runner import WAITING_FOR_SCORES, Planned, now
from solvers.completion import UnreadableRecordError
from solvers.journal import Journal

_Key = tuple[str, int]


class SingleTurn:
    """A task's samples through a model of ours; a `bench.running.runner.Runner`.

    started: the log that inspect has begun: its generation settings, the names of its scorers. journal:
    completions by sample and epoch; those it holds are not made again. connections: requests in flight.
    advance: called once for each sample whose row was taken. score_after: make all completions first, and
    advance for each of them; then score, many samples waiting together for a batch.
    """

    def __init__(
        self,
        task: Task,
        model: Model,
        started: EvalLog,
        journal: Journal,
        connections: int,
        advance: Callable[[], None],
        score_after: bool = False,
    ) -> None:
        self._task = task
        self._model = model
        self._log = started
        self._journal = journal
        self._connections = connections
        self._advance = advance
        self._score_after = score_after
        # Of completions made beforehand: when they began and how long they took, or why there is none.
        self._timed: dict[_Key, tuple[str, str, float]] = {}
        self._failed: dict[_Key, Exception] = {}

    async def rows(self, planned: Sequence[Planned]) -> AsyncGenerator[EvalSample, None]:
        """Each of the planned, completed and scored, or with its error; see `Runner`."""
        if self._score_after:
            await _shared(planned, self._completed_beforehand, self._connections)
        # A row with what its worker waits for before it takes the next sample; None at the end.
        made: asyncio.Queue[tuple[EvalSample, asyncio.Future[None]] | None] = asyncio.Queue()

        async def make(sample: Sample, epoch: int) -> None:
            taken = asyncio.get_running_loop().create_future()
            made.put_nowait((await self._row(sample, epoch), taken))
            await taken
            if not self._score_after:
                self._advance()

        making = asyncio.create_task(
            _shared(planned, make, WAITING_FOR_SCORES if self._score_after else self._connections)
        )
        making.add_done_callback(lambda _: made.put_nowait(None))
        try:
            while (one := await made.get()) is not None:
                row, taken = one
                yield row
                if not taken.done():  # its worker was ended, by the failure of another
                    taken.set_result(None)
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _completed_beforehand(self, sample: Sample, epoch: int) -> None:
        """Put the sample's completion into the journal; scoring finds it, or the failure, later."""
        key = (str(sample.id), epoch)
        unreadable = (sample.metadata or {}).get("unreadable")
        if not unreadable and self._journal.get(*key) is None:
            start, began = now(), time.monotonic()
            try:
                self._journal.put(*key, await self._completion(_with_pictures(sample)))
            except Exception as error:
                self._failed[key] = error
            self._timed[key] = (start, now(), round(time.monotonic() - began, 3))
        self._advance()

    async def _completion(self, prompt: list[ChatMessage]) -> ModelOutput:
        answered = await self._model.api.generate(
            input=prompt, tools=[], tool_choice="none", config=self._log.plan.config
        )
        # Providers may return a record of the call as well; ours do not.
        assert isinstance(answered, ModelOutput)
        return answered

    async def _row(self, sample: Sample, epoch: int) -> EvalSample:
        assert sample.id is not None  # build_task gives every sample its record's id
        began = time.monotonic()
        record = EvalSample(
            id=sample.id,
            epoch=epoch,
            input=sample.input,
            target=sample.target,
            choices=sample.choices,
            messages=[],
            output=ModelOutput(),
            metadata=sample.metadata or {},
            started_at=now(),
            uuid=uuid.uuid4().hex,
        )
        try:
            await self._answer(sample, record)
        except Exception as error:
            record.error = _eval_error(error)
        record.completed_at = now()
        record.total_time = record.working_time = round(time.monotonic() - began, 3)
        if (timed := self._timed.get((str(record.id), epoch))) is not None:
            # The time that counts is the completion's; the scores came together with others'.
            record.started_at, record.completed_at, took = timed
            record.total_time = record.working_time = took
        return record

    async def _answer(self, sample: Sample, record: EvalSample) -> None:
        """Complete the record and score it."""
        if reason := record.metadata.get("unreadable"):
            raise UnreadableRecordError(reason)
        prompt = record.input = record.messages = _with_pictures(sample)
        known = self._journal.get(str(record.id), record.epoch)
        if known is None:
            if (failure := self._failed.get((str(record.id), record.epoch))) is not None:
                raise failure
            known = await self._completion(prompt)
            self._journal.put(str(record.id), record.epoch, known)
        record.output = known
        record.messages = [*prompt, known.message]
        if known.usage is not None:
            record.model_usage = {str(self._model): known.usage}
        record.scores = await self._scores(sample, record)

    async def _scores(self, sample: Sample, record: EvalSample) -> dict[str, Score]:
        state = TaskState(
            model=ModelName(self._model),
            sample_id=record.id,
            epoch=record.epoch,
            input=record.input,
            messages=record.messages,
            target=Target(sample.target),
            choices=sample.choices,
            output=record.output,
            metadata=record.metadata,
            completed=True,
            sample_uuid=record.uuid,
        )
        scores: dict[str, Score] = {}
        for declared, scorer in zip(self._log.eval.scorers or (), self._task.scorer or (), strict=True):
            if (score := await scorer(state, state.target)) is not None:
                scores[declared.name] = score
        return scores


async def _shared(
    planned: Sequence[tuple[Sample, int]], do: Callable[[Sample, int], Awaitable[None]], workers: int
) -> None:
    """Do every one of the planned; each worker takes the next when it is free. The first failure ends all."""
    left = iter(planned)

    async def work() -> None:
        for sample, epoch in left:
            await do(sample, epoch)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _with_pictures(sample: Sample) -> list[ChatMessage]:
    """The sample's messages with the bytes of their pictures, which the log keeps, in place of paths."""
    assert not isinstance(sample.input, str)  # build_task writes messages
    return [
        message
        if isinstance(message.content, str)
        else message.model_copy(
            update={
                "content": [
                    ContentImage(image=_data_uri(Path(part.image)), detail=part.detail)
                    if isinstance(part, ContentImage)
                    else part
                    for part in message.content
                ]
            }
        )
        for message in sample.input
    ]


def _data_uri(picture: Path) -> str:
    kind = mimetypes.guess_type(picture.name)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(picture.read_bytes()).decode()}"


def _eval_error(error: BaseException) -> EvalError:
    lines = "".join(traceback.format_exception(error))
    return EvalError(message=str(error) or type(error).__name__, traceback=lines, traceback_ansi=lines)
