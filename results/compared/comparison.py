"""Base and candidate, task by task: better, worse, not worse, or too few samples to say.

Which test gives which verdict (docs/decisions/0007-gate.md):

- ``improved``, ``regressed``: the p of no difference, Holm-adjusted over the tasks, is under α.
- ``not worse``: the interval's lower end is above minus the margin. This holds for a small but certain loss
  as well: a margin says which losses are accepted.
- ``undecided``: neither; or too many samples have no score for a good word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from results.chosen.folder import weights
from results.compared.comparable import NotComparable, identity_problems, overlap_problems, warnings
from results.logs.logged_run import Run
from results.logs.outcomes import Flags, Outcomes
from results.numbers.intervals import ALPHA, holm
from results.numbers.paired import PairedDifference, PairedSamples, pair
from results.numbers.paired_corpus import score_difference
from results.numbers.power import detectable_difference, samples_needed
from results.numbers.sign_flips import sign_test

Rate = Literal["no_answer", "truncated", "anywhere"]
ComparisonVerdict = Literal["improved", "regressed", "not worse", "undecided"]
# A loss as large as the margin passes in 1.4 to 2.5% of comparisons (decision 0007).
MARGIN = 0.01
# Above this share of pairs without a score, "not worse" would be said of the rest alone.
MOST_UNSCORED = 0.05
_RATES: tuple[Rate, ...] = ("no_answer", "truncated", "anywhere")


@dataclass(frozen=True)
class RateChange:
    """How often a flag of the scorer is set, in base and candidate, over the pairs where both say.

    p: of no change, two-sided, clustered as the scores are.
    """

    name: Rate
    base: float
    candidate: float
    p: float
    n: int


@dataclass(frozen=True)
class GroupComparison:
    """One group of a report field. p_adjusted: Holm over the field's groups."""

    group: str
    base: float
    candidate: float
    found: PairedDifference
    p_adjusted: float


@dataclass(frozen=True)
class TaskComparison:
    """One task. Scores and differences are fractions; base_score and candidate_score are over the pairs.

    p_adjusted: Holm over the tasks compared. margin: the loss that is accepted. detectable: smallest true
    difference that this n finds with 80% power. needed: about how many samples would settle an undecided
    one. flipped: share of pairs whose score differs. warnings: what else differs between the runs.
    """

    task: str
    base: Run
    candidate: Run
    pairs: PairedSamples
    base_score: float
    candidate_score: float
    found: PairedDifference
    p_adjusted: float
    verdict: ComparisonVerdict
    margin: float
    detectable: float
    needed: int | None
    rates: tuple[RateChange, ...]
    groups: Mapping[str, tuple[GroupComparison, ...]]
    warnings: tuple[str, ...]

    @property
    def flipped(self) -> float:
        """Share of pairs whose score differs."""
        return (self.found.better + self.found.worse) / self.found.n

    @property
    def same_weights(self) -> bool:
        """Both runs are of one model, so that what differs is noise."""
        return weights(self.base) == weights(self.candidate)

    @property
    def unscored_share(self) -> float:
        """Share of the samples of both that lack a score in either."""
        return self.pairs.unscored / (self.pairs.unscored + self.found.n)


@dataclass(frozen=True)
class Rules:
    """What decides. margin, alpha and floors are fractions; floors: the least margin by task; by: report
    fields to compare group by group.
    """

    margin: float = MARGIN
    alpha: float = ALPHA
    floors: Mapping[str, float] | None = None
    by: tuple[str, ...] = ()
    allow_partial: bool = False


def compare(base: Sequence[Run], candidate: Sequence[Run], rules: Rules) -> list[TaskComparison]:
    """Compare the runs of two models, one run per task each, over the tasks that both have.

    Raises NotComparable, with every reason, when none is shared or one did not measure the same thing.
    """
    ours = {run.task: run for run in base}
    shared = [(ours[run.task], run) for run in candidate if run.task in ours]
    if not shared:
        raise NotComparable(
            f"no task in common: the base has {', '.join(sorted(ours))}, the candidate "
            f"{', '.join(sorted(run.task for run in candidate))}; run the candidate on the base's tasks"
        )
    problems = [
        problem for one, two in shared for problem in identity_problems(one.task, one.identity, two.identity)
    ]
    if problems:
        raise NotComparable("\n".join(problems))
    paired = [(one, two, pair(one.outcomes, two.outcomes)) for one, two in shared]
    problems = [
        line
        for one, two, pairs in paired
        for line in overlap_problems(one, two, pairs, allow_partial=rules.allow_partial)
    ]
    if problems:
        raise NotComparable("\n".join(problems))
    compared = [_task(one, two, pairs, rules) for one, two, pairs in paired]
    adjusted = holm([task.found.p for task in compared])
    return [
        replace(task, p_adjusted=p, verdict=_verdict(task, p, rules.alpha))
        for task, p in zip(compared, adjusted, strict=True)
    ]


def difference_verdict(
    found: PairedDifference, p_adjusted: float, margin: float, alpha: float = ALPHA
) -> ComparisonVerdict:
    """The rule alone; ``found``'s interval has the level 1 - alpha."""
    if p_adjusted < alpha and found.difference > 0:
        return "improved"
    if found.low > -margin:
        return "not worse"
    if p_adjusted < alpha and found.difference < 0:
        return "regressed"
    return "undecided"


def noise_floors(first: Sequence[Run], second: Sequence[Run]) -> dict[str, float]:
    """Task → share of scores that differ between two runs of one model. Raises NotComparable."""
    compared = compare(first, second, Rules())
    if others := [task.task for task in compared if not _may_be_one(task)]:
        raise NotComparable(
            f"{', '.join(others)}: the two runs have different weights, but noise is the difference between "
            "two runs of one model; run one model twice"
        )
    return {task.task: task.flipped for task in compared}


def _may_be_one(task: TaskComparison) -> bool:
    """Completions made elsewhere and models behind an API have no weights that could differ."""
    digests = {run.identity.get("weights_digest") for run in (task.base, task.candidate)}
    return len(digests) == 1 or None in digests


def _verdict(task: TaskComparison, p_adjusted: float, alpha: float) -> ComparisonVerdict:
    said = difference_verdict(task.found, p_adjusted, task.margin, alpha)
    if said in ("improved", "not worse") and task.unscored_share > MOST_UNSCORED:
        return "undecided"
    return said


def _task(base: Run, candidate: Run, pairs: PairedSamples, rules: Rules) -> TaskComparison:
    base_score, candidate_score, found = score_difference(
        base.outcomes, candidate.outcomes, pairs, 1 - rules.alpha
    )
    margin = max(rules.margin, (rules.floors or {}).get(base.task, 0.0))
    return TaskComparison(
        task=base.task,
        base=base,
        candidate=candidate,
        pairs=pairs,
        base_score=base_score,
        candidate_score=candidate_score,
        found=found,
        p_adjusted=found.p,
        verdict="undecided",
        margin=margin,
        detectable=detectable_difference(found.error, found.clusters, rules.alpha),
        needed=samples_needed(
            found.error, found.n, found.clusters, margin or abs(found.difference), rules.alpha
        ),
        rates=tuple(_rates(base.outcomes, candidate.outcomes, pairs)),
        groups={
            field: _groups(base.outcomes, candidate.outcomes, pairs, field, rules.alpha) for field in rules.by
        },
        warnings=tuple(warnings(base, candidate, pairs)),
    )


def _rates(base: Outcomes, candidate: Outcomes, pairs: PairedSamples) -> list[RateChange]:
    """The flags of each sample's first epoch."""
    changes = []
    for name in _RATES:
        one: Flags = getattr(base, name)[pairs.base_rows]
        two: Flags = getattr(candidate, name)[pairs.candidate_rows]
        known = (one >= 0) & (two >= 0)
        if known.any():
            changed = (two[known] - one[known]).astype(float)
            p = sign_test(np.bincount(pairs.clusters[known], weights=changed).astype(float)).mid
            changes.append(
                RateChange(name, float(one[known].mean()), float(two[known].mean()), p, int(known.sum()))
            )
    return changes


def _groups(
    base: Outcomes, candidate: Outcomes, pairs: PairedSamples, field: str, alpha: float
) -> tuple[GroupComparison, ...]:
    labels = candidate.groups.get(field)
    if labels is None:
        return ()
    codes = labels.codes[pairs.candidate_rows]
    named = sorted((labels.names[code], code) for code in set(codes.tolist()) if code >= 0)
    rows = [(name, np.flatnonzero(codes == code)) for name, code in named]
    found = [score_difference(base, candidate, pairs, 1 - alpha, own) for _, own in rows]
    adjusted = holm([difference.p for _, _, difference in found])
    return tuple(
        GroupComparison(name, *one, p) for (name, _), one, p in zip(rows, found, adjusted, strict=True)
    )
