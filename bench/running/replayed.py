"""``bench score``: completions made elsewhere → the same log as a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval_async
from inspect_ai.log import EvalLog
from inspect_ai.model import StopReason

from bench.building.scoring import batched_scorers, with_encoder, with_judge
from bench.building.task import build_task
from bench.declarations.catalog import find_task
from bench.declarations.dataset_spec import DatasetSpec
from bench.declarations.task_spec import TaskSpec
from bench.errors import IncompleteRunError, RequestError
from bench.running.journals import ScoreJournal
from bench.running.lifetime import quiet_collector
from bench.running.request import Show
from bench.running.run import QUIET
from bench.running.run_context import run_context
from bench.running.runner import WAITING_FOR_SCORES
from bench.serving.model import library_versions
from results.logs.logged_run import Run, read_run
from scorers.batches import once_a_sample
from scorers.judges.correctness import end_judges
from solvers.replay import replay

_TRUNCATED = ("length", "max_tokens")


def score_completions(
    task: str,
    completions_file: Path,
    samples_file: Path | None,
    log_dir: Path,
    dataset_args: Mapping[str, Any],
    show: Show,
    model: str | None = None,
) -> Run:
    """Score a JSONL file of ``{"id": …, "completion": …}`` rows (optional ``finish_reason``).

    samples_file replaces the task's records by rows with at least ``id``, ``target`` and the fields the
    task reports by. Samples without a completion are unscored; completions without a sample, and ids given
    twice, are a RequestError. model: whose completions they are, as tables show it; what tells them from
    others is the file's digest.
    """
    completions = read_completions(completions_file)
    spec, dataset_args = with_encoder(find_task(task), dataset_args)
    spec, dataset_args = with_judge(spec, dataset_args)
    if samples_file is not None:
        if dataset_args:
            raise RequestError(
                "-T goes to the task's own records; --samples replaces them: give one of the two"
            )
        spec = _over_samples(spec, samples_file, show)
    built = build_task(spec, dataset_args)
    _check_ids(spec, built, completions, completions_file)
    scorers = batched_scorers(built)
    journal = ScoreJournal(log_dir / ".journal" / f"scores-{_key(built, spec, completions_file)}.jsonl")
    if scorers and len(journal):
        show.say(f"{len(journal)} scores of an interrupted `bench score` of this file are there already")
    finished = False
    try:
        name = model or f"completions:{completions_file.name}"
        log = asyncio.run(
            _scored(built, name, completions, completions_file, log_dir, journal, scorers, show)
        )
        finished = log.status == "success"
    finally:
        journal.close(delete=finished or not len(journal))
    if not finished:
        raise IncompleteRunError(f"scoring stopped: {log.error.message if log.error else log.status}")
    return read_run(log.location)


def _key(built: Task, spec: TaskSpec, file: Path) -> str:
    """What must agree for one scoring to continue another; the scores themselves are found by their texts."""
    identity = dict((built.metadata or {}).get("identity", {}))
    said = [identity.get("task"), [list(part) for part in spec.scorer], str(file.absolute())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def read_completions(file: Path) -> dict[str, tuple[str, StopReason]]:
    """Sample id → (completion, why it ended). Every unreadable line is named in one RequestError."""
    if not file.is_file():
        raise RequestError(f"{file}: no such file; give JSONL rows " + '{"id": …, "completion": …}')
    completions: dict[str, tuple[str, StopReason]] = {}
    mistakes: list[str] = []
    # Split at line feeds alone: a completion may hold any of the other characters that end a line.
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            mistakes.append(f"{file}:{number}: not JSON: {error}")
            continue
        if not isinstance(row, dict) or not {"id", "completion"} <= row.keys():
            has = f"the fields {', '.join(map(str, row))}" if isinstance(row, dict) else type(row).__name__
            mistakes.append(f"{file}:{number}: a row has id and completion; this one has {has}")
            continue
        sample_id, text = str(row["id"]), row["completion"]
        if not isinstance(text, str):
            mistakes.append(f"{file}:{number}: completion is {type(text).__name__}, not text")
        elif sample_id in completions:
            mistakes.append(f"{file}:{number}: id {sample_id!r} is there already; one completion per sample")
        else:
            completions[sample_id] = (text, _stop_reason(row.get("finish_reason")))
    if mistakes:
        more = f"\n… and {len(mistakes) - 20} more" if len(mistakes) > 20 else ""
        raise RequestError("\n".join(mistakes[:20]) + more)
    if not completions:
        raise RequestError(f"{file}: no rows; give JSONL rows " + '{"id": …, "completion": …}')
    return completions


def _stop_reason(finish_reason: object) -> StopReason:
    """inspect's word for an OpenAI-style finish reason; unknown where the file does not say."""
    if finish_reason is None:
        return "unknown"
    return "max_tokens" if finish_reason in _TRUNCATED else "stop"


def _over_samples(spec: TaskSpec, samples_file: Path, show: Show) -> TaskSpec:
    if not samples_file.is_file():
        raise RequestError(f"--samples {samples_file}: no such file")
    dataset = DatasetSpec(
        jsonl=samples_file.absolute(), image=(), id=spec.dataset.id, target=spec.dataset.target
    )
    # Pictures need not be there to be told apart: their names do. Rows without them are independent.
    report, cluster = spec.report, spec.report.cluster
    if cluster in spec.dataset.image and cluster not in _fields(samples_file):
        show.say(f"{samples_file} has no field {cluster!r}: each sample counts as independent of the others")
        report = report.model_copy(update={"cluster": None})
    return spec.model_copy(
        update={
            "dataset": dataset,
            # The completions were made from a prompt we do not know.
            "prompt": "(the completion was made elsewhere)",
            "report": report,
        }
    )


def _fields(samples_file: Path) -> frozenset[str]:
    """The fields of a file's first row; what is wrong with the file is said when it is read as data."""
    with samples_file.open(encoding="utf-8-sig", errors="replace") as lines:
        try:
            row = json.loads(next((line for line in lines if line.strip()), "{}"))
        except ValueError:
            return frozenset()
    return frozenset(row) if isinstance(row, dict) else frozenset()


def _check_ids(spec: TaskSpec, task: Task, completions: Mapping[str, object], file: Path) -> None:
    known = {str(sample.id) for sample in task.dataset}
    strangers = [sample_id for sample_id in completions if sample_id not in known]
    if strangers:
        raise RequestError(
            f"{file}: {len(strangers)} of {len(completions)} ids are not samples of {spec.name!r}, such as "
            f"{', '.join(strangers[:3])}; its ids look like {', '.join(sorted(known)[:3])}. "
            "Give the dataset arguments they were made with (-T), or their own records (--samples)"
        )


async def _scored(*arguments: Any) -> EvalLog:
    try:
        return await _score(*arguments)
    finally:
        await end_judges()


async def _score(
    task: Task,
    name: str,
    completions: Mapping[str, tuple[str, StopReason]],
    file: Path,
    log_dir: Path,
    journal: ScoreJournal,
    scorers: tuple[str, ...],
    show: Show,
) -> EvalLog:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    label, total = f"{task.name} × {name}", len(completions) if scorers else len(task.dataset)
    with (
        show.samples(label, total) as advance,
        quiet_collector(),
        # Where scores are made in batches, they are what takes the time, and a sample's last one ends it.
        run_context(
            scores=journal,
            completed=None if scorers else advance,
            scored=once_a_sample(advance, scorers) if scorers else None,
        ),
    ):
        (log,) = await eval_async(
            task,
            model=None,
            solver=replay(completions, name),
            metadata={
                "model": {
                    "model": name,
                    "weights_digest": None,
                    "completions_hash": digest,
                    "engine": None,
                    "libraries": library_versions(),
                }
            },
            log_dir=str(log_dir),
            fail_on_error=False,
            # Many wait together for a batch.
            max_samples=WAITING_FOR_SCORES if scorers else 64,
            log_images=True,
            **QUIET,
        )
    return log
