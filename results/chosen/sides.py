"""What a user calls the base or the candidate: a log, a folder with ``@model``, or a baseline's name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from results.chosen.baseline import baseline_names, read_baseline
from results.chosen.folder import read_runs, weights
from results.logs.log_file import local_path
from results.logs.logged_run import Run, short_name

_SHORTEST_DIGEST = 4


@dataclass(frozen=True)
class Side:
    """One model's runs, one per task, and lines about what was left out in finding them."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...] = ()


def find_side(given: str, *, baselines: Path, cache: Path | None = None) -> Side:
    """The runs that a name on the command line means; a blessed name goes before a path.

    Raises ValueError, saying what there is.
    """
    path, model = split_model(given)
    if path is None or given in baseline_names(baselines):
        return Side(_baseline(given, baselines))
    if path.suffix == ".json" and path.parent.absolute() == baselines.absolute():
        return Side(_baseline(path.stem, baselines))
    found = read_runs([path], cache=cache)
    if not found.runs:
        reasons = "".join(f"\n  {problem}" for problem in found.problems)
        raise ValueError(f"{path}: no finished run to compare{reasons or ', and no log at all'}")
    runs = [run for run in found.runs if model is None or _is(run, model)]
    names = {short_name(run): run for run in found.runs}
    if not runs:
        near = _did_you_mean(str(model), names)
        raise ValueError(f"{path}: no run of a model {model!r}{near}; there are {', '.join(sorted(names))}")
    if len({weights(run) for run in runs}) > 1:
        several = sorted({short_name(run) for run in runs})
        raise ValueError(
            f"{given}: runs of {len(several)} models, {', '.join(several)}; say which: "
            f"{path}@{several[0]} (or the first digits of its digest)"
        )
    newest = {run.task: run for run in runs}  # oldest first
    older = tuple(
        f"{run.location}: an earlier run of {run.task} with other settings or samples; the newest counts"
        for run in runs
        if newest[run.task] is not run
    )
    return Side(tuple(newest.values()), (*found.problems, *older))


def split_model(given: str) -> tuple[Path | None, str | None]:
    """The path and the model after ``@``; a path may hold an @ as well. None when there is no such path."""
    plain = str(local_path(given))
    cuts = [place for place, character in enumerate(plain) if character == "@"]
    for cut in (len(plain), *cuts):
        if cut and Path(plain[:cut]).exists():
            return Path(plain[:cut]), plain[cut + 1 :] or None
    return None, None


def _is(run: Run, model: str) -> bool:
    name = run.model.rstrip("/")
    # Of completions made elsewhere, the hash over them stands for the weights, as in every table.
    digest = run.identity.get("weights_digest") or run.identity.get("completions_hash") or ""
    own, _, start = model.rpartition("@")
    by_digest = len(start) >= _SHORTEST_DIGEST and str(digest).startswith(start)
    names = (run.model, name, name.rsplit("/", 1)[-1])
    return model in (*names, short_name(run)) or (by_digest and (not own or own in names))


def _baseline(given: str, folder: Path) -> tuple[Run, ...]:
    if "/" in given or given.endswith(".eval"):
        raise ValueError(f"{given}: no such log or folder; `bench run` prints where it wrote one")
    names = baseline_names(folder)
    if given not in names:
        known = (
            f"the baselines in {folder}/ are {', '.join(names)}" if names else f"{folder}/ has no baselines"
        )
        raise ValueError(
            f"{given}: neither a log, a folder of logs nor a baseline{_did_you_mean(given, names)}; {known}; "
            "`bench bless LOG --as NAME` makes one"
        )
    return read_baseline(given, folder).runs


def _did_you_mean(given: str, known: Sequence[str] | Mapping[str, object]) -> str:
    near = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
