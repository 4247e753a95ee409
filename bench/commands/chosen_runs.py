"""The runs and logs that a command line names: by a log, a folder, folder@model, or a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal import names, note
from bench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from results.logs.logged_run import Run

BASELINES = Path("baselines")


def find_runs(given: str, folder: Path = BASELINES) -> list[Run]:
    """The runs that a log, a folder@model or a baseline's name means; RequestError when it is none."""
    from results.chosen.sides import find_side
    from tasks.cache import cache_folder

    try:
        side = find_side(given, baselines=folder, cache=cache_folder("runs"))
    except ValueError as error:
        raise RequestError(str(error)) from error
    note(side.problems)
    return list(side.runs)


def runs_of(runs: Sequence[Run], wanted: Iterable[str], given: str) -> list[Run]:
    """The runs of these tasks, in this order; RequestError when one has none."""
    by_task = {run.task: run for run in runs}
    for name in wanted:
        if name not in by_task:
            raise RequestError(
                f"{given} has no run of task {name!r}{did_you_mean(name, by_task)}; it has "
                f"{', '.join(sorted(by_task))}"
            )
    return [by_task[name] for name in wanted]


def by_metric(runs: list[Run], metric: str | None) -> list[Run]:
    """The runs with these numbers as their scores; RequestError when no run has one of them."""
    from results.numbers.metrics import metric_runs

    if metric is None:
        return runs
    try:
        return metric_runs(runs, names(metric, "--metric"))
    except ValueError as error:
        raise RequestError(f"--metric {metric}: {error}") from error


def newest_log(given: str) -> Path:
    """The log that a path or folder@model means."""
    from results.chosen.sides import split_model

    if split_model(given)[1] is None:
        return log_file(Path(given))
    # A win rate's log is the judge's, and its texts stand in another.
    own = [run for run in find_runs(given) if not run.identity.get("judge")]
    if not own:
        raise RequestError(f"{given}: has win rates only; give a log that `bench run` wrote")
    return log_file(Path(max(own, key=lambda run: run.created).location))


def log_file(given: Path) -> Path:
    """The log that a path means: itself, or a folder's newest."""
    # inspect prints logs as URLs, and people paste them.
    path = Path(str(given).removeprefix("file://").removeprefix("file:"))
    if path.is_dir():
        # A judge's verdicts are no mistakes of anybody's.
        own = (file for file in path.rglob("*.eval") if "judged" not in file.name)
        found = sorted(own, key=lambda file: file.stat().st_mtime)
        if not found:
            raise RequestError(f"{path}: no logs (*.eval) in this folder")
        return found[-1]
    if not path.is_file():
        raise RequestError(f"{path}: no such log; `bench run` prints where it wrote one")
    return path
