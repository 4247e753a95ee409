"""tasks × models → logs, resumable."""

from __future__ import annotations

import asyncio
import contextlib
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspect_ai import Task, eval_async, eval_retry_async
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ChatMessageUser, ContentImage

from bench.building.scoring import batched_scorers
from bench.declarations.catalog import is_inspect_task
from bench.errors import IncompleteRunError, RequestError, did_you_mean
from bench.registry import TASKS, task_file
from bench.running.journals import CompletionJournal, ScoreJournal
from bench.running.lifetime import quiet_collector, until_death
from bench.running.log_writer import write_rows
from bench.running.request import Ready, RunRequest, Show
from bench.running.resuming import earlier_log, journal_name, remove_parts, run_key
from bench.running.run_context import run_context
from bench.running.run_lock import run_lock
from bench.running.runner import WAITING_FOR_SCORES
from bench.running.single_turn import SingleTurn
from bench.serving.model import ModelRequest, ServedModel, check_endpoint, resolve_model
from results.logs.logged_run import Run, read_run
from scorers.batches import once_a_sample
from scorers.judges.correctness import end_judges
from solvers.completion import is_completion

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
# Samples in flight at a provider elsewhere beside those that wait for scores; inspect limits its requests.
_CONNECTIONS = 64


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
    earlier = await _resumed(request, key, label, show)
    if isinstance(earlier, Run):
        return earlier
    await served.start(show.say)
    if ready is not None:
        await ready(served)
    journal = CompletionJournal(request.log_dir / _JOURNALS / journal_name(earlier))
    scorers = _batch_scorers(task)
    scores = ScoreJournal(journal.path.with_name(f"scores-{journal.path.name}")) if scorers else None
    total = _sample_count(task, request) * (2 if scorers else 1)
    finished = False
    try:
        with (
            show.samples(label, total) as advance,
            quiet_collector(),
            run_context(
                journal=journal,
                scores=scores,
                completed=advance,
                scored=once_a_sample(advance, scorers) if scorers else None,
            ),
        ):
            evaluation = _evaluation(request, task, served, key, journal, earlier, advance)
            log = await until_death(served, evaluation, request.base_url)
        run = await asyncio.to_thread(read_run, log.location)
        finished = log.status == "success"
    finally:
        journal.close(delete=finished)
        if scores is not None:
            scores.close(delete=finished)
    if earlier is not None and finished:
        # Their samples are all in the new log; two logs of one run would be counted twice.
        await asyncio.to_thread(remove_parts, request.log_dir, journal.path.name, log.location)
    _check_finished(log, run, request)
    return run


async def _resumed(request: RunRequest, key: str, label: str, show: Show) -> Run | EvalLog | None:
    """The earlier run where it is complete, else its log to go on from; None where there is none."""
    if not request.resume:
        return None
    # inspect's blocking readers, called inside a loop, patch it with a slower one: they get a thread.
    earlier = await asyncio.to_thread(earlier_log, request.log_dir, key)
    if earlier is None or earlier.status != "success":
        show.say(f"{label}: " + (f"going on from {earlier.location}" if earlier else "nothing to resume"))
        return earlier
    before = await asyncio.to_thread(read_run, earlier.location)
    if not before.unscored:
        show.say(f"{label}: complete already, {before.location}")
        return before
    show.say(f"{label}: complete but for {before.unscored.total()} unscored, which are tried again")
    return await asyncio.to_thread(read_eval_log, earlier.location)


async def _evaluation(
    request: RunRequest,
    task: Task | str,
    served: ServedModel,
    key: str,
    journal: CompletionJournal,
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
    runner = SingleTurn(
        task, served.model, log, journal, connections, advance, score_after=bool(_batch_scorers(task))
    )
    return await write_rows(task, log, runner)


def _batch_scorers(task: Task | str) -> tuple[str, ...]:
    """The task's scorers whose scores are made in batches."""
    return () if isinstance(task, str) else batched_scorers(task)


def _max_samples(task: Task | str, connections: int | None) -> int | None:
    """Samples in flight: those that wait for a batch of scores take no connection from others."""
    if not _batch_scorers(task):
        return connections
    return (connections or _CONNECTIONS) + WAITING_FOR_SCORES


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


def _check_finished(log: EvalLog, run: Run, request: RunRequest) -> None:
    if log.status != "success":
        reason = log.error.message if log.error else f"the log's status is {log.status!r}"
        raise IncompleteRunError(
            f"{run.task} was not completed: {reason}\nlog: {log.location}\n"
            "what was finished is in it; continue with --resume"
        )
    if request.base_url and run.unscored:
        check_endpoint(request.base_url)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.rstrip("/").rsplit("/", 1)[-1]) or "model"
