"""Folders of inspect logs → the runs that count, and why the others do not."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from results.logs.log_file import Summary, local_path, read_log
from results.logs.logged_run import Run
from results.logs.run_cache import cached_log, fill_cache
from results.verdicts.judged_runs import judged_runs
from results.verdicts.judging import Judging, is_judging, judging_of

# inspect names its logs by their time; other JSON files (baselines, results) lie in such folders too.
_JSON_LOG = re.compile(r"\d{4}-\d{2}-\d{2}T.*\.json")


@dataclass(frozen=True)
class RunsFound:
    """Runs, oldest first, and one line for each log that is left out."""

    runs: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_runs(
    paths: Sequence[Path],
    *,
    all_runs: bool = False,
    cache: Path | None = None,
    versions: Mapping[str, str] | None = None,
) -> RunsFound:
    """The runs in logs and folders of logs: the newest complete one of each identity.

    A judge's log stands for the win rates of those whose texts it judged (`results.verdicts.judged_runs`).
    all_runs keeps every complete one. cache: a folder for what was read (`results.logs.run_cache`). versions:
    each task's current version; without it the newest among the logs is taken. A log that cannot be read,
    is not finished or is of an older version of its task is a problem, and the rest is there.
    """
    found: list[Run] = []
    problems: list[str] = []
    logs = list(_logs(paths))
    if cache is not None:
        fill_cache(logs, cache)
    for path in logs:
        try:
            run, summaries = cached_log(path, cache)
            judged = judged_runs(_judging(path, run, summaries)) if is_judging(run) else [run]
        except Exception as error:  # a log cut off anywhere raises whatever its parser meets
            problems.append(f"{path}: not read, {_unreadable(error)}")
            continue
        problem = _unfinished(run)
        if problem is None and not judged:
            problem = "a judging of anchors, or without a common reference, gets no column"
        if problem is not None:
            problems.append(f"{path}: {problem}")
        else:
            found += judged
    found.sort(key=lambda run: (run.created, run.location))
    current, older = _current(found, versions or {})
    return RunsFound(current if all_runs else _newest(current), problems + older)


def _judging(path: Path, run: Run, summaries: list[Summary] | None) -> Judging:
    """Whose texts the judge preferred is in no cached run: such a log is read, once."""
    return judging_of(run, read_log(path)[1] if summaries is None else summaries)


def run_identity(run: Run) -> Hashable:
    """What two runs share when one repeats the other: task, data, prompt, weights, settings, samples."""
    known = run.identity
    return (
        run.task,
        comparable_version(known.get("task_version")),
        known.get("data_hash"),
        known.get("prompt_hash"),
        weights(run),
        json.dumps(known.get("generation"), sort_keys=True, default=str),
        # Verdicts on one text differ by what the judge was shown and asked, BERTScores by their encoder.
        json.dumps([known.get("metric"), known.get("metrics")], sort_keys=True, default=str),
        run.epochs,
        frozenset(run.outcomes.ids),
    )


def weights(run: Run) -> str:
    """What tells one model from another: the digest of its weights, or of its completions, or its name."""
    known = run.identity
    return str(known.get("weights_digest") or known.get("completions_hash") or run.model)


def comparable_version(version: object) -> str:
    """The part of a task's version within which scores are comparable: ``1`` of ``1-A``."""
    return str(version or "0").partition("-")[0]


def _logs(paths: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for given in paths:
        path = local_path(given)
        inside = sorted(_inside(path)) if path.is_dir() else [path]
        for log in inside:
            if (real := log.absolute()) not in seen:
                seen.add(real)
                yield log


def _inside(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and (path.suffix == ".eval" or _JSON_LOG.fullmatch(path.name)):
            yield path


def _unreadable(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return f"truncated or no inspect log ({lines[0][:120] if lines else type(error).__name__})"


def _unfinished(run: Run) -> str | None:
    missing = run.unscored["not run"]
    if run.status == "success" and not missing:
        return None
    state = {"started": "did not finish", "success": "is not complete"}.get(
        run.status, f"ended: {run.status}"
    )
    reason = f", {run.error.strip().splitlines()[0][:120]}" if run.error and run.error.strip() else ""
    return (
        f"the run of {run.task} {state}{reason}; {len(run.outcomes)} of {run.expected} samples are in it, "
        f"more may be in its journal, and {_again(run)} goes on"
    )


def _again(run: Run) -> str:
    """`bench score` needs no option to find what it has scored."""
    return "the same `bench score`" if run.identity.get("completions_hash") else "its command with --resume"


def _current(runs: Sequence[Run], versions: Mapping[str, str]) -> tuple[list[Run], list[str]]:
    """The runs of each task's current version, and a line for each of another."""
    newest: dict[str, str] = {}
    for run in runs:
        version = comparable_version(run.identity.get("task_version"))
        newest[run.task] = max(newest.get(run.task, version), version, key=_ordered)
    current = newest | {task: comparable_version(version) for task, version in versions.items()}
    kept, problems = [], []
    for run in runs:
        version = comparable_version(run.identity.get("task_version"))
        if version == current[run.task]:
            kept.append(run)
        else:
            problems.append(
                f"{run.location}: {run.task} version {run.identity.get('task_version')} is not comparable "
                f"with version {current[run.task]}, which counts; run it again"
            )
    return kept, problems


def _ordered(version: str) -> tuple[int, str]:
    return (int(version), "") if version.isdigit() else (-1, version)


def _newest(runs: Sequence[Run]) -> list[Run]:
    by_identity: dict[Hashable, Run] = {}
    for run in runs:  # oldest first, so the newest stays; it takes the place of the one it replaces
        by_identity.pop(identity := run_identity(run), None)
        by_identity[identity] = run
    return list(by_identity.values())
