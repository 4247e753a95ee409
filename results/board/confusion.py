"""Which answer was given for which target, where a task's targets are a few fixed ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from results.board.standings import group_names, members
from results.logs.logged_run import Run
from results.logs.outcomes import Outcomes

OTHER, NONE = "another text", "no answer"
# More would be no options; fewer samples than that per target would show nothing.
_MOST_TARGETS = 12
_LEAST_PER_TARGET = 5


@dataclass(frozen=True, eq=False)
class Confusion:
    """title: "all", or field: group. counts: one matrix per run, targets by answers, in samples.

    answers: the targets, then any other text, then none. Unscored samples are not counted.
    """

    title: str
    targets: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[npt.NDArray[np.int64], ...]


def confusions(runs: Sequence[Run]) -> list[Confusion]:
    """Over a whole task when its targets are few, else over each of its groups whose targets are."""
    everything = [run.outcomes for run in runs]
    if (whole := _confusion("all", everything)) is not None:
        return [whole]
    found = []
    for field in dict.fromkeys(field for run in runs for field in run.report_by):
        for group in group_names(runs, field):
            one = _confusion(
                f"{field}: {group}", [members(outcomes, field, group) for outcomes in everything]
            )
            if one is not None:
                found.append(one)
    return found


def _confusion(title: str, runs: Sequence[Outcomes]) -> Confusion | None:
    sizes = Counter(target for outcomes in runs for target in outcomes.targets)
    targets = tuple(sorted(sizes))
    most = max((len(outcomes) for outcomes in runs), default=0)
    if not 2 <= len(targets) <= _MOST_TARGETS or most < _LEAST_PER_TARGET * len(targets):
        return None
    counts = tuple(_count(outcomes, targets) for outcomes in runs)
    return Confusion(title, targets, (*targets, OTHER, NONE), counts)


def _count(outcomes: Outcomes, targets: Sequence[str]) -> npt.NDArray[np.int64]:
    places = {target.casefold().strip(): place for place, target in enumerate(targets)}
    rows = {target: place for place, target in enumerate(targets)}
    counts = np.zeros((len(targets), len(targets) + 2), dtype=np.int64)
    for row in np.flatnonzero(outcomes.scored).tolist():
        answer, target = outcomes.answers[row], rows[outcomes.targets[row]]
        if outcomes.values[row] == 1:
            # The scorer knows more ways to write a target than its letters.
            place = target
        elif answer is None or outcomes.no_answer[row] == 1:
            place = len(targets) + 1
        else:
            place = places.get(answer.casefold().strip(), len(targets))
            # The scorer said wrong: an answer that only looks like the target is another text.
            place = len(targets) if place == target else place
        counts[target, place] += 1
    return counts
