"""One prompt, one completion, one score: an evaluation without inspect's sample runner.

inspect's runner gives every sample a transcript, limits, sandboxes and hooks; a chart question needs none,
and they cost more than a small model's answer (docs/decisions/0003-throughput.md). Here completions come
straight from our provider. The log is inspect's all the same: inspect makes its header, writes its samples
and computes its metrics. It lacks the transcript of events, which would repeat the messages.
"""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalError, EvalLog, EvalSample, condense_sample, recompute_metrics
from inspect_ai.log._recorders.eval import EvalRecorder
from inspect_ai.model import ChatMessage, ContentImage, Model, ModelName, ModelOutput, ModelUsage
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState

from solvers.completion import UnreadableRecordError
from solvers.journal import Journal

# A flush copies the log so far; until then the journal holds what a kill would lose.
_SECONDS_BETWEEN_FLUSHES = 20.0
# Samples that wait for their scores together, where scores are made in batches.
_WAITING = 512

_Key = tuple[str, int]


class _SampleFailed(Exception):
    """A sample could not be scored, and the run was asked to stop at the first such."""


class SingleTurn:
    """One evaluation: a task's samples through a model of ours, into a log that inspect has begun.

    started: what ``eval_async(…, run_samples=False)`` returned: which samples, with which settings. journal:
    completions by sample and epoch; those it holds are not made again. connections: requests in flight.
    advance: called once for each sample that has its score or its error. score_after: make all completions
    first, and advance for each of them; then score, many samples waiting together for a batch.
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
        self._recorder = EvalRecorder(str(Path(started.location).parent))
        self._recorded: list[EvalSample] = []
        self._flushed = time.monotonic()

    async def run(self) -> EvalLog:
        """Complete, score and log every sample; the finished log without its samples.

        However it ends, what was finished is in the log: its status is ``cancelled`` when this coroutine
        was, ``error`` when a sample failed and the evaluation stops on errors.
        """
        log = self._log
        await self._recorder.log_init(log.eval, log.location, clean=True)
        await self._recorder.log_start(log.eval, log.plan)
        log.stats.started_at = _now()
        try:
            await self._all_samples()
        except _SampleFailed as failed:
            log.status, log.error = "error", _eval_error(failed.__cause__ or failed)
        except BaseException:
            log.status = "cancelled"
            await self._finish()
            raise
        else:
            log.status = "success"
        return await self._finish()

    async def _all_samples(self) -> None:
        samples = {sample.id: sample for sample in self._task.dataset}
        ids = self._log.eval.dataset.sample_ids or ()
        epochs = range(1, (self._log.eval.config.epochs or 1) + 1)
        planned = [(samples[sample_id], epoch) for epoch in epochs for sample_id in ids]
        if self._score_after:
            await _shared(planned, self._completed_beforehand, self._connections)
        await _shared(planned, self._one_sample, _WAITING if self._score_after else self._connections)

    async def _completed_beforehand(self, sample: Sample, epoch: int) -> None:
        """Put the sample's completion into the journal; scoring finds it, or the failure, later."""
        key = (str(sample.id), epoch)
        unreadable = (sample.metadata or {}).get("unreadable")
        if not unreadable and self._journal.get(*key) is None:
            start, began = _now(), time.monotonic()
            try:
                self._journal.put(*key, await self._completion(_with_pictures(sample)))
            except Exception as error:
                self._failed[key] = error
            self._timed[key] = (start, _now(), round(time.monotonic() - began, 3))
        self._advance()

    async def _completion(self, prompt: list[ChatMessage]) -> ModelOutput:
        answered = await self._model.api.generate(
            input=prompt, tools=[], tool_choice="none", config=self._log.plan.config
        )
        # Providers may return a record of the call as well; ours do not.
        assert isinstance(answered, ModelOutput)
        return answered

    async def _one_sample(self, sample: Sample, epoch: int) -> None:
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
            started_at=_now(),
            uuid=uuid.uuid4().hex,
        )
        failure: Exception | None = None
        try:
            await self._answer(sample, record)
        except Exception as error:
            failure = error
            record.error = _eval_error(error)
        record.completed_at = _now()
        record.total_time = record.working_time = round(time.monotonic() - began, 3)
        if (timed := self._timed.get((str(record.id), epoch))) is not None:
            # The time that counts is the completion's; the scores came together with others'.
            record.started_at, record.completed_at, took = timed
            record.total_time = record.working_time = took
        await self._keep(record)
        if not self._score_after:
            self._advance()
        if failure is not None and self._log.eval.config.fail_on_error:
            raise _SampleFailed from failure

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

    async def _keep(self, record: EvalSample) -> None:
        log_images = self._log.eval.config.log_images is not False
        await self._recorder.log_sample(self._log.eval, condense_sample(record, log_images))
        # What the metrics need; the pictures are the recorder's, which lets go of them at a flush.
        self._recorded.append(record.model_copy(update={"input": "", "messages": []}))
        if time.monotonic() - self._flushed > _SECONDS_BETWEEN_FLUSHES:
            self._flushed = time.monotonic()
            await self._recorder.flush(self._log.eval)

    async def _finish(self) -> EvalLog:
        log = self._log
        log.samples = self._recorded
        if log.status == "success":
            recompute_metrics(log)
        log.stats.completed_at = _now()
        log.stats.model_usage = _summed(self._recorded)
        finished = await self._recorder.log_finish(
            log.eval, log.status, log.stats, log.results, log.reductions, log.error, header_only=True
        )
        finished.location = log.location
        return finished


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


def _summed(records: Iterable[EvalSample]) -> dict[str, ModelUsage]:
    total: dict[str, ModelUsage] = {}
    for record in records:
        for model, usage in record.model_usage.items():
            total[model] = total[model] + usage if model in total else usage
    return total


def _eval_error(error: BaseException) -> EvalError:
    lines = "".join(traceback.format_exception(error))
    return EvalError(message=str(error) or type(error).__name__, traceback=lines, traceback_ansi=lines)


def _now() -> str:
    return datetime.now(UTC).isoformat()
