"""Two runs of one task, sample by sample: the difference of their means and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from results.outcomes import Floats, Ints, Outcomes


@dataclass(frozen=True, eq=False)
class Pairs:
    """Samples that both runs have. base, candidate: mean score over a sample's scored epochs, in [0, 1];
    clusters: from 0. unscored: samples left out because either run has no score for them.
    """

    ids: Sequence[str]
    base: Floats
    candidate: Floats
    clusters: Ints
    base_rows: Ints
    candidate_rows: Ints
    only_base: int
    only_candidate: int
    unscored_base: int
    unscored_candidate: int
    unscored: int

    @property
    def overlap(self) -> float:
        """Samples of both over samples of either, 1 when the runs have the same."""
        both = len(self.ids) + self.unscored
        either = both + self.only_base + self.only_candidate
        return both / either if either else 0.0


@dataclass(frozen=True)
class PairedDifference:
    """candidate minus base: mean, its interval, standard error and two-sided p; scores in [0, 1].

    n: pairs; clusters: independent groups of them. Where no difference varies there is no error, and the
    interval says what n can exclude.
    """

    difference: float
    low: float
    high: float
    error: float
    p: float
    n: int
    clusters: int


def pair(base: Outcomes, candidate: Outcomes) -> Pairs:
    """Pair two runs' samples by id."""
    one, two = _by_sample(base), _by_sample(candidate)
    shared = [sample for sample in one if sample in two]
    base_rows = np.asarray([one[sample][0] for sample in shared], dtype=np.int64)
    candidate_rows = np.asarray([two[sample][0] for sample in shared], dtype=np.int64)
    first = np.asarray([one[sample][1] for sample in shared], dtype=float)
    second = np.asarray([two[sample][1] for sample in shared], dtype=float)
    kept = ~(np.isnan(first) | np.isnan(second))
    codes = candidate.clusters.codes[candidate_rows[kept]] if len(shared) else np.zeros(0, dtype=np.int64)
    return Pairs(
        ids=[sample for sample, keep in zip(shared, kept, strict=True) if keep],
        base=first[kept],
        candidate=second[kept],
        clusters=np.unique(codes, return_inverse=True)[1].astype(np.int64),
        base_rows=base_rows[kept],
        candidate_rows=candidate_rows[kept],
        only_base=len(one) - len(shared),
        only_candidate=len(two) - len(shared),
        unscored_base=int(np.isnan(first).sum()),
        unscored_candidate=int(np.isnan(second).sum()),
        unscored=int((~kept).sum()),
    )


def _by_sample(outcomes: Outcomes) -> dict[str, tuple[int, float]]:
    """Sample id → its first row and the mean of its scored epochs (NaN when none is)."""
    if len(set(outcomes.ids)) == len(outcomes.ids):
        return dict(zip(outcomes.ids, enumerate(outcomes.values.tolist()), strict=True))
    rows: dict[str, list[int]] = {}
    for row, sample in enumerate(outcomes.ids):
        rows.setdefault(sample, []).append(row)
    means: dict[str, tuple[int, float]] = {}
    for sample, own in rows.items():
        values = outcomes.values[own]
        scored = values[~np.isnan(values)]
        means[sample] = (own[0], float(scored.mean()) if len(scored) else math.nan)
    return means


def paired_difference(
    base: npt.ArrayLike, candidate: npt.ArrayLike, clusters: npt.ArrayLike, level: float = 0.95
) -> PairedDifference:
    """Mean of candidate minus base over pairs, dependent within clusters.

    Standard error over the clusters' sums with the C/(C-1) correction, Student's t with C-1 degrees of
    freedom (Miller 2024, "Adding error bars to evals", section 4, gives the paired form without the
    correction). clusters: one integer per pair. ValueError without pairs.
    """
    d = np.asarray(candidate, dtype=float) - np.asarray(base, dtype=float)
    if not len(d):
        raise ValueError("no pairs: the runs share no scored sample")
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    n, groups = len(d), int(codes.max()) + 1
    mean = float(d.mean())
    error = _standard_error(d, codes, groups)
    if not error > 0:
        # No spread at all says little about n: what n like them would still allow (rule of three, two-sided).
        bound = 1 - ((1 - level) / 2) ** (1 / groups)
        return PairedDifference(
            mean, max(-1.0, mean - bound), min(1.0, mean + bound), 0.0, _certain_p(mean, groups), n, groups
        )
    half = float(special.stdtrit(groups - 1, 0.5 + level / 2)) * error
    p = 2 * float(special.stdtr(groups - 1, -abs(mean) / error))
    return PairedDifference(mean, max(-1.0, mean - half), min(1.0, mean + half), error, p, n, groups)


def _standard_error(d: Floats, codes: Ints, groups: int) -> float:
    if groups < 2:
        return math.nan
    sums = np.bincount(codes, weights=d - d.mean(), minlength=groups)
    return math.sqrt(groups / (groups - 1) * float(sums @ sums)) / len(d)


def _certain_p(mean: float, groups: int) -> float:
    """All pairs differ alike: the sign test over the clusters."""
    return 1.0 if mean == 0 else min(1.0, 2.0 ** (1 - groups))
