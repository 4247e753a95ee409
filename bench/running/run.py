"""tasks × models → logs, resumable."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import json
import math
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from inspect_ai import Task, eval_async, eval_retry_async
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log
from inspect_ai.model import ChatMessageUser, ContentImage

from bench.building.scoring import batched_scorers
from bench.declarations.catalog import is_inspect_task
from bench.errors import IncompleteRunError, RequestError, did_you_mean
from bench.registry import TASKS, task_file
from bench.running.run_lock import run_lock
from bench.running.single_turn import SingleTurn
from bench.serving.model import ModelRequest, ServedModel, check_endpoint, resolve_model
from results.logs.logged_run import Run, read_run
from scorers.batches import ScoreJournal, current_scores, once_a_sample, score_progress
from scorers.judges.correctness import end_judges
from solvers.completion import is_completion
from solvers.journal import Journal, current_journal, current_progress

# Rough upper bound of what one picture takes of the context (a 1024 px image of a tiling model).
_TOKENS_PER_IMAGE = 2500
# What inspect does beside each evaluation and nothing here uses. Realtime logging and raw requests cost half
# as much again per sample; the journal covers a kill.
QUIET: dict[str, Any] = {
    "log_realtime": False,
    "log_model_api": False,
    "score_display": False,
    "ctl_server": False,
}
_JOURNALS = ".journal"
_CONNECTIONS = 64
_WAITING_FOR_SCORES = 512
_SECONDS_FOR_CTRL_C = 2.0
_SECONDS_BETWEEN_PROBES = 10.0
_FAILED_PROBES = 3
# Engine arguments that change what a model answers; a resumed run may differ in all others.
_SHAPE_ANSWERS = ("dtype", "quantization", "kv_cache_dtype", "max_model_len", "revision")


Ready = Callable[[ServedModel], Awaitable[None]]


class Show(Protocol):
    """Where a run says what it is doing."""

    def say(self, line: str) -> None:
        """One line for the person who waits."""

    def samples(self, label: str, total: int) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """A progress bar over ``total`` samples; call what it yields once a sample."""


@dataclass(frozen=True)
class RunRequest:
    """One ``bench run``: names as the user gave them, and what overrides the declarations."""

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    log_dir: Path = Path("logs")
    limit: int | None = None
    sample_ids: tuple[str, ...] = ()
    epochs: int | None = None
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    resume: bool = False
    fail_on_error: bool = False
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    trust_remote_code: bool = False
    log_images: bool = True

    def generation(self) -> dict[str, Any]:
        """The generation settings given on the command line."""
        given = {"seed": self.seed, "temperature": self.temperature, "max_tokens": self.max_tokens}
        return {name: value for name, value in given.items() if value is not None}


def named_task(name: str, dataset_args: Mapping[str, Any]) -> Task | str:
    """Our task of a name or task.yaml; any other ``pkg/task`` or ``file.py@task`` is inspect's to find."""
    if name in TASKS:
        return TASKS[name](**dataset_args)
    return name if is_inspect_task(name) else task_file(task_yaml=name, **dataset_args)


def run(
    request: RunRequest, show: Show, tasks: Sequence[Task | str] | None = None, ready: Ready | None = None
) -> list[Run]:
    """Score every task with every model; the runs in that order, read back from their logs.

    tasks: in place of those that the request names. ready: awaited once a model has started and before its
    first sample. Raises RequestError before anything runs, IncompleteRunError when something ends it early.
    What was finished is on disk in both cases.
    """
    return asyncio.run(_run(request, show, tasks, ready))


def resolve(
    request: RunRequest, built: Sequence[Task | str] | None = None
) -> tuple[list[Task | str], list[ServedModel]]:
    """The request's tasks with their records, and its models; nothing is started yet."""
    named = (named_task(name, request.dataset_args) for name in request.tasks)
    tasks: list[Task | str] = [*(named if built is None else built)]
    for task in tasks:
        _check_sample_ids(task, request.sample_ids)
    length = needed_length(tasks, request.max_tokens)
    engine_logs = request.log_dir.absolute() / "engine"
    served = [
        resolve_model(
            ModelRequest(
                name,
                base_url=request.base_url,
                trust_remote_code=request.trust_remote_code,
                arguments=request.model_args,
                log_file=engine_logs / f"{_slug(name)}-{uuid.uuid4().hex[:8]}.log",
                needed_length=length,
            )
        )
        for name in request.models
    ]
    return tasks, served


async def _run(
    request: RunRequest, show: Show, built: Sequence[Task | str] | None, ready: Ready | None
) -> list[Run]:
    if request.base_url:
        check_endpoint(request.base_url)
    tasks, served = resolve(request, built)
    runs: list[Run] = []
    try:
        for model in served:
            try:
                for task in tasks:
                    runs.append(await run_one(request, task, model, show, ready))
            finally:
                with contextlib.suppress(Exception):
                    await model.model.api.aclose()
    finally:
        with contextlib.suppress(Exception):
            await end_judges()
    return runs


async def run_one(
    request: RunRequest, task: Task | str, served: ServedModel, show: Show, ready: Ready | None = None
) -> Run:
    """Score one task with one model, whose engine is started when it is not running and left running.

    RequestError where the same request is being resumed, or is to be resumed and still runs.
    """
    key = run_key(request, task, served)
    label = f"{task if isinstance(task, str) else task.name} × {served.name}"
    with run_lock(request.log_dir / _JOURNALS, key, label, alone=request.resume):
        return await _run_one(request, task, served, show, ready, key, label)


async def _run_one(
    request: RunRequest,
    task: Task | str,
    served: ServedModel,
    show: Show,
    ready: Ready | None,
    key: str,
    label: str,
) -> Run:
    # inspect's blocking readers, called inside a loop, patch it with a slower one: they get a thread.
    earlier = await asyncio.to_thread(_earlier_log, request.log_dir, key) if request.resume else None
    if earlier is not None and earlier.status == "success":
        before = await asyncio.to_thread(read_run, earlier.location)
        if not before.unscored:
            show.say(f"{label}: complete already, {before.location}")
            return before
        show.say(f"{label}: complete but for {before.unscored.total()} unscored, which are tried again")
        earlier = await asyncio.to_thread(read_eval_log, earlier.location)
    elif request.resume:
        show.say(f"{label}: " + (f"going on from {earlier.location}" if earlier else "nothing to resume"))
    await served.start(show.say)
    if ready is not None:
        await ready(served)
    journal = Journal(request.log_dir / _JOURNALS / _journal_name(earlier))
    scorers = _batch_scorers(task)
    scores = ScoreJournal(journal.path.with_name(f"scores-{journal.path.name}")) if scorers else None
    total = _sample_count(task, request) * (2 if scorers else 1)
    with show.samples(label, total) as advance, quiet_collector():
        current_journal.set(journal)
        current_progress.set(advance)
        current_scores.set(scores)
        score_progress.set(once_a_sample(advance, scorers) if scorers else None)
        try:
            evaluation = _evaluation(request, task, served, key, journal, earlier, advance)
            log = await _until_death(served, evaluation, request.base_url)
        except BaseException:
            journal.close(delete=False)
            if scores is not None:
                scores.close(delete=False)
            raise
        finally:
            current_journal.set(None)
            current_progress.set(None)
            current_scores.set(None)
            score_progress.set(None)
    run = await asyncio.to_thread(read_run, log.location)
    journal.close(delete=log.status == "success")
    if scores is not None:
        scores.close(delete=log.status == "success")
    if earlier is not None and log.status == "success":
        # Their samples are all in the new log; two logs of one run would be counted twice.
        await asyncio.to_thread(_remove_parts, request.log_dir, journal.path.name, log.location)
    _check_finished(log, run, request)
    return run


async def _evaluation(
    request: RunRequest,
    task: Task | str,
    served: ServedModel,
    key: str,
    journal: Journal,
    earlier: EvalLog | None,
    advance: Callable[[], None],
) -> EvalLog:
    """The evaluation's log: by the short road where the task and the model allow it, else by inspect's."""
    connections = served.connections
    direct = connections is not None and not isinstance(task, str) and is_completion(task.solver)
    if earlier is not None and not direct:
        # inspect looks the model up by its arguments. With those of the earlier run, such as where its log
        # went, it would not find the one that is running and start another.
        earlier.eval.model_args = dict(served.model.model_args)
        return (await eval_retry_async(earlier, log_dir=str(request.log_dir), **QUIET))[0]
    (log,) = await eval_async(
        tasks=task,
        model=served.model,
        task_args=dict(request.dataset_args) if isinstance(task, str) else {},
        metadata={
            "model": served.identity(),
            "run_key": key,
            "journal": journal.path.name,
            "generation": request.generation(),
        },
        log_dir=str(request.log_dir),
        limit=request.limit,
        sample_id=list(request.sample_ids) or None,
        epochs=request.epochs,
        fail_on_error=request.fail_on_error,
        max_samples=_max_samples(task, connections),
        max_connections=connections,
        log_images=request.log_images,
        run_samples=not direct,
        **QUIET,
        **request.generation(),
    )
    if not direct or log.status != "started":
        return log
    assert isinstance(task, Task) and connections is not None
    for sample in (earlier.samples if earlier else None) or ():
        if sample.error is None and journal.get(str(sample.id), sample.epoch) is None:
            journal.put(str(sample.id), sample.epoch, sample.output)
    return await SingleTurn(
        task, served.model, log, journal, connections, advance, score_after=bool(_batch_scorers(task))
    ).run()


def _batch_scorers(task: Task | str) -> tuple[str, ...]:
    """The task's scorers whose scores are made in batches."""
    return () if isinstance(task, str) else batched_scorers(task)


def _max_samples(task: Task | str, connections: int | None) -> int | None:
    """Samples in flight: those that wait for a batch of scores take no connection from others."""
    if not _batch_scorers(task):
        return connections
    return (connections or _CONNECTIONS) + _WAITING_FOR_SCORES


async def _until_death(
    served: ServedModel, evaluation: Awaitable[EvalLog], base_url: str | None = None
) -> EvalLog:
    """The evaluation's log; stopped at once, its finished samples logged, when what answers is gone."""
    running = asyncio.ensure_future(evaluation)
    gone = asyncio.ensure_future(_gone(served, base_url))
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            # Ctrl-C ends the engine as well, perhaps first: the run that was interrupted says so, and here.
            await asyncio.sleep(_SECONDS_FOR_CTRL_C)
            raise gone.result()
        return running.result()
    finally:
        gone.cancel()
        if not running.done():
            running.cancel()
            with contextlib.suppress(BaseException):
                await running


async def _gone(served: ServedModel, base_url: str | None) -> IncompleteRunError:
    """Returns, with the reason, once the engine has died or nothing answers at the base URL any more.

    inspect would go on asking a dead server for hours.
    """
    engine = served.engine_api.engine if served.engine_api else None
    if engine is not None:
        await engine.died.wait()
        return engine.death()
    if base_url is None:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets that event")
    failures = 0
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_PROBES)
        try:
            await asyncio.to_thread(check_endpoint, base_url)
            failures = 0
        except IncompleteRunError as error:
            # A busy server may miss one probe.
            failures += 1
            if failures == _FAILED_PROBES:
                return error


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    """Collect garbage rarely while samples run.

    Loaded libraries are a million objects that never die; walking them again and again took a quarter of
    inspect's time per sample.
    """
    before = gc.get_threshold()
    # Not collected first: that alone takes half a second where much is loaded, and little of it is garbage.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def run_key(request: RunRequest, task: Task | str, served: ServedModel) -> str:
    """What must agree for one run to continue another: task, data, prompt, weights, settings, samples."""
    identity = {"task": task} if isinstance(task, str) else dict((task.metadata or {}).get("identity", {}))
    model = served.identity()
    generation = {} if isinstance(task, str) else task.config.model_dump(exclude_none=True)
    said = {
        "identity": identity,
        "model": {name: model[name] for name in ("model", "weights_digest", "engine")},
        "base_url": request.base_url or model["base_url"],
        "engine_arguments": {name: request.model_args.get(name) for name in _SHAPE_ANSWERS},
        "generation": {**generation, **request.generation()},
        "limit": request.limit,
        "sample_ids": request.sample_ids,
        "epochs": request.epochs,
        "dataset_args": {name: str(value) for name, value in sorted(request.dataset_args.items())},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def needed_length(tasks: Sequence[Task | str], max_tokens: int | None) -> int | None:
    """Context, in tokens, that the longest prompt can need; None when a task's prompts are not known.

    One character never takes more than one token in practice, so characters bound the text.
    """
    longest = 0
    for task in tasks:
        if isinstance(task, str):
            return None
        limit = max_tokens or task.config.max_tokens or 512
        for sample in task.dataset:
            messages = (
                [ChatMessageUser(content=sample.input)] if isinstance(sample.input, str) else sample.input
            )
            text = sum(len(message.text) for message in messages)
            images = sum(
                isinstance(part, ContentImage)
                for message in messages
                if not isinstance(message.content, str)
                for part in message.content
            )
            longest = max(longest, text + images * _TOKENS_PER_IMAGE + limit + 256)
    return math.ceil(longest / 1024) * 1024


def _check_sample_ids(task: Task | str, sample_ids: Sequence[str]) -> None:
    if isinstance(task, str) or not sample_ids:
        return
    known = [str(sample.id) for sample in task.dataset]
    for sample_id in sample_ids:
        if sample_id not in known:
            raise RequestError(
                f"--sample-id {sample_id}: task {task.name!r} has no such sample among its {len(known)}, "
                f"such as {', '.join(known[:3])}{did_you_mean(sample_id, known)}"
            )


def _sample_count(task: Task | str, request: RunRequest) -> int:
    if isinstance(task, str):
        return request.limit or 0
    count = len(request.sample_ids) or len(task.dataset)
    return min(count, request.limit or count) * (request.epochs or 1)


def _earlier_log(log_dir: Path, key: str) -> EvalLog | None:
    """The newest log of this same run, finished or not."""
    for log in _headers(log_dir):
        if (log.eval.metadata or {}).get("run_key") == key:
            return log if log.status == "success" else read_eval_log(log.location)
    return None


def _remove_parts(log_dir: Path, journal: str, whole: str) -> None:
    """Remove the logs of a run's interrupted beginnings; they share its journal, and no other run does."""
    for log in _headers(log_dir):
        file = Path(log.location.removeprefix("file://"))
        if (log.eval.metadata or {}).get("journal") == journal and file.name != Path(whole).name:
            file.unlink(missing_ok=True)


def _headers(log_dir: Path) -> Iterator[EvalLog]:
    """The readable logs of a folder, newest first, without their samples."""
    if not log_dir.is_dir():
        return
    for info in list_eval_logs(str(log_dir), recursive=False, descending=True):
        try:
            log = read_eval_log(info, header_only=True)
        except Exception:  # a log cut off in its first bytes raises whatever its parser meets
            continue
        yield log


def _journal_name(earlier: EvalLog | None) -> str:
    name = ((earlier.eval.metadata or {}) if earlier else {}).get("journal")
    return name if isinstance(name, str) else f"{uuid.uuid4().hex}.jsonl"


def _check_finished(log: EvalLog, run: Run, request: RunRequest) -> None:
    if log.status != "success":
        reason = log.error.message if log.error else f"the log's status is {log.status!r}"
        raise IncompleteRunError(
            f"{run.task} was not completed: {reason}\nlog: {log.location}\n"
            "what was finished is in it; go on with --resume"
        )
    if request.base_url and run.unscored:
        check_endpoint(request.base_url)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.rstrip("/").rsplit("/", 1)[-1]) or "model"
