"""Logs → the texts of several contestants on the same samples, and the pairs of them to be judged."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from bench.building.pair_set import Contestant, JudgedSample, PairSet, picture_path
from bench.errors import NotComparableError, RequestError
from results.compared.comparable import identity_problems
from results.logs.log_file import local_path
from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Outcome
from results.logs.sample_file import LoggedSample, SampleFile
from results.shown.natural_order import natural_order
from results.verdicts.judging import GOLDEN

Advance = Callable[[], None]


def pair_up(
    runs: Sequence[Run],
    *,
    golden: bool,
    reference: Run | None,
    text_only: bool,
    limit: int | None,
    advance: Advance,
    golden_text: Callable[[str], str],
) -> PairSet:
    """The pairs of these runs of one task, by sample id.

    golden: the target is a contestant, and the one that the others meet. reference: so is this run. Without
    either every two runs meet. limit: only the first samples. golden_text: what is shown of a target.
    RequestError where nothing can be shown, NotComparableError where the runs were not asked the same.
    """
    everyone = [*runs, *([reference] if reference else [])]
    _check_same(everyone)
    keys = _keys(everyone)
    against = GOLDEN if golden else keys[-1] if reference else None
    items: dict[str, JudgedSample] = {}
    left_out: Counter[str] = Counter()
    taught: set[str] = set()
    silent: set[tuple[str, str]] = set()
    for run, key in zip(everyone, keys, strict=True):
        if (further := len(run.outcomes) - len(set(run.outcomes.ids))) > 0:
            left_out[f"of {key}'s further epochs, the first is judged"] += further
        for outcome, sample in _samples(run, advance):
            if not sample.replied:
                left_out[f"{key} has no text (unscored in its log)"] += 1
                silent.add((outcome.id, key))
                continue
            if outcome.id not in items:
                items[outcome.id] = _item(outcome, sample, text_only=text_only)
                if golden and (text := golden_text(sample.target[0]) if sample.target else "").strip():
                    items[outcome.id].texts[GOLDEN] = text
                    taught |= {str(sample.metadata["teacher"])} if sample.metadata.get("teacher") else set()
            items[outcome.id].texts[key] = sample.completion
    own = keys[:-1] if reference else keys
    meetings = [(key, against) for key in own] if against else list(itertools.combinations(own, 2))
    left_out += Counter(_unpaired(items.values(), meetings, silent))
    paired = [
        items[one]
        for one in sorted(items, key=natural_order)
        if any({a, b} <= items[one].texts.keys() for a, b in meetings)
    ][:limit]
    if not paired:
        raise RequestError(
            f"no sample has two texts to compare ({_said(left_out) or 'the logs hold none'}); judge logs "
            "of the same task and samples"
        )
    if all(None in item.pictures for item in paired):
        raise RequestError(
            f"{everyone[0].location}: no sample has its picture, in the log or where the run read it, and a "
            "judge must see what the texts describe; run with --log-images, or judge with --text-only"
        )
    contestants = [
        Contestant(key=key, log=str(local_path(run.location).absolute()), identity=_identity(run))
        for run, key in zip(everyone, keys, strict=True)
    ]
    if golden:
        contestants.append(Contestant(key=GOLDEN, identity={"model": GOLDEN}))
    said = everyone[0].identity
    return PairSet(
        task=everyone[0].task,
        identity={name: said.get(name) for name in ("task_version", "data_hash", "prompt_hash")},
        by=everyone[0].report_by,
        contestants=tuple(contestants),
        meetings=tuple(meetings),
        reference=against,
        text_only=text_only,
        left_out=dict(left_out),
        golden_teachers=tuple({"model": name} for name in sorted(taught)),
        items=tuple(paired),
    )


def _check_same(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs[1:]:
        ours = {name: value for name, value in first.identity.items() if name != "metric"}
        theirs = {name: value for name, value in run.identity.items() if name != "metric"}
        problems = [] if run.task == first.task else [f"tasks {first.task} and {run.task} differ"]
        problems += identity_problems(run.task, ours, theirs)
        if problems:
            raise NotComparableError("\n".join(problems))


def _keys(runs: Sequence[Run]) -> list[str]:
    """Names that tell the runs apart; two runs of one model get numbers."""
    names = [short_name(run).removeprefix("completions:") for run in runs]
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(f"{name} #{seen[name]}" if names.count(name) > 1 else name)
    if GOLDEN in keys:
        raise RequestError(f"a model is called {GOLDEN!r}, which here means the target; rename its folder")
    return keys


def _identity(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.identity.items() if name not in ("metric", "metrics")}


def _samples(run: Run, advance: Advance) -> Iterator[tuple[Outcome, LoggedSample]]:
    """The samples of a run's first epoch."""
    first = min(run.outcomes.epochs.tolist(), default=1)
    with SampleFile(run.location) as file:
        for outcome in run.outcomes:
            if outcome.epoch == first:
                yield outcome, file.read(outcome.id, outcome.epoch)
                advance()


def _unpaired(
    items: Iterable[JudgedSample], meetings: Sequence[tuple[str, str]], silent: Set[tuple[str, str]]
) -> Iterator[str]:
    """Texts without a counterpart, but for those whose counterpart is known to be missing."""
    for item in items:
        for pair in meetings:
            for here, there in (pair, pair[::-1]):
                if here in item.texts and there not in item.texts and (item.id, there) not in silent:
                    yield f"in {here}, not in {there}"


def _item(outcome: Outcome, sample: LoggedSample, *, text_only: bool) -> JudgedSample:
    pictures = () if text_only else tuple(picture_path(one, Path.cwd()) for one in sample.asked_pictures)
    return JudgedSample(
        id=outcome.id,
        asked=sample.asked or sample.question,
        pictures=pictures,
        cluster=outcome.cluster or outcome.id,
        groups=dict(outcome.groups),
        texts={},
        data=sample.metadata.get("chart_data"),
    )


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
