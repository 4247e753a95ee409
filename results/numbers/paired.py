"""Two runs of one task, sample by sample: the difference of their means and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from results.logs.outcomes import Floats, Ints, Outcomes
from results.numbers.lean_scipy import special
from results.numbers.sign_flips import SignTest, sign_test


@dataclass(frozen=True, eq=False)
class PairedSamples:
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
    """candidate minus base, of scores in [0, 1]: mean, its interval, and the p of no difference.

    n: pairs; clusters: independent groups of them. error: clustered standard error, NaN with one cluster.
    better, worse: pairs in which the candidate scored more, or less. test: which test gives p (McNemar's
    mid-p, or its form for clusters) and its exact, more careful p.
    """

    difference: float
    low: float
    high: float
    error: float
    p: float
    n: int
    clusters: int
    better: int
    worse: int
    test: SignTest


def pair(base: Outcomes, candidate: Outcomes) -> PairedSamples:
    """Pair two runs' samples by id."""
    # The ids of most pairs are the same, in the same order, each once.
    same = tuple(base.ids) == tuple(candidate.ids)
    one = _by_sample(base)
    once = len(one.ids) == len(base)
    two = _Samples(one.ids, one.rows, candidate.values) if same and once else _by_sample(candidate)
    places = {} if same else {sample: place for place, sample in enumerate(two.ids)}
    if same:
        here = there = np.arange(len(one.ids))
    else:
        here = np.asarray([place for place, sample in enumerate(one.ids) if sample in places], dtype=int)
        there = np.asarray([places[one.ids[place]] for place in here], dtype=int)
    shared = one.ids if same else tuple(one.ids[place] for place in here)
    base_rows, candidate_rows = one.rows[here], two.rows[there]
    first, second = one.values[here], two.values[there]
    kept = ~(np.isnan(first) | np.isnan(second))
    codes = candidate.clusters.codes[candidate_rows[kept]] if len(shared) else np.zeros(0, dtype=np.int64)
    return PairedSamples(
        ids=list(compress(shared, kept.tolist())),
        base=first[kept],
        candidate=second[kept],
        clusters=np.unique(codes, return_inverse=True)[1].astype(np.int64),
        base_rows=base_rows[kept],
        candidate_rows=candidate_rows[kept],
        only_base=len(one.ids) - len(shared),
        only_candidate=len(two.ids) - len(shared),
        unscored_base=int(np.isnan(first).sum()),
        unscored_candidate=int(np.isnan(second).sum()),
        unscored=int((~kept).sum()),
    )


class _Samples(NamedTuple):
    """A run's samples: each once, its first row, and the mean of its scored epochs (NaN when none is)."""

    ids: tuple[str, ...]
    rows: Ints
    values: Floats


def _by_sample(outcomes: Outcomes) -> _Samples:
    if len(set(outcomes.ids)) == len(outcomes.ids):
        return _Samples(tuple(outcomes.ids), np.arange(len(outcomes)), outcomes.values)
    rows: dict[str, list[int]] = {}
    for row, sample in enumerate(outcomes.ids):
        rows.setdefault(sample, []).append(row)
    firsts = np.asarray([own[0] for own in rows.values()], dtype=np.int64)
    means = np.full(len(rows), np.nan)
    for place, own in enumerate(rows.values()):
        values = outcomes.values[own]
        scored = values[~np.isnan(values)]
        if len(scored):
            means[place] = scored.mean()
    return _Samples(tuple(rows), firsts, means)


def paired_difference(
    base: npt.ArrayLike,
    candidate: npt.ArrayLike,
    clusters: npt.ArrayLike,
    level: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """Mean of candidate minus base over pairs that depend on each other within clusters.

    clusters: one integer per pair. seed: of the sign flips, where they are drawn. ValueError without pairs.
    """
    first, second = np.asarray(base, dtype=float), np.asarray(candidate, dtype=float)
    d = second - first
    if not len(d):
        raise ValueError("no pairs: the runs share no scored sample")
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    sums: Floats = np.bincount(codes, weights=d).astype(float)
    sizes: Floats = np.bincount(codes).astype(float)
    binary = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    test = sign_test(sums, seed)
    low, high = _interval(sums, sizes, level, binary)
    return PairedDifference(
        difference=float(d.mean()),
        low=low,
        high=high,
        error=_standard_error(sums, sizes),
        p=test.mid,
        n=len(d),
        clusters=len(sums),
        better=int((d > 0).sum()),
        worse=int((d < 0).sum()),
        test=test,
    )


def _interval(sums: Floats, sizes: Floats, level: float, binary: bool) -> tuple[float, float]:
    """Student's t over clusters, one degree fewer than there are.

    Few flips of right and wrong understate the spread: one flip in 300 would "exclude" a loss of 1%. So two
    clusters of average size are added, one better and one worse by what a cluster that changed changes (the
    root mean square; all of its pairs when none did). With one pair a cluster this is the interval of Bonett
    and Price (2012), which Fagerland, Lydersen and Laake (2014) recommend. The same where nothing varies.
    """
    groups = len(sums)
    if groups < 2:
        return -1.0, 1.0
    mean = float(sums.sum() / sizes.sum())
    if binary or not _standard_error(sums, sizes) > 0:
        usual, moved = float(sizes.mean()), sums[sums != 0]
        change = math.sqrt(float((moved**2).mean())) if len(moved) else usual
        sums, sizes = np.append(sums, (change, -change)), np.append(sizes, (usual, usual))
    centre = float(sums.sum() / sizes.sum())
    half = float(special.stdtrit(groups - 1, 0.5 + level / 2)) * _standard_error(sums, sizes)
    return max(-1.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))


def _standard_error(sums: Floats, sizes: Floats) -> float:
    """Of the mean over all values, from the clusters' sums, with the C/(C-1) correction (Miller 2024)."""
    groups, n = len(sums), float(sizes.sum())
    if groups < 2:
        return math.nan
    residuals = sums - sizes * (sums.sum() / n)
    return math.sqrt(groups / (groups - 1) * float(residuals @ residuals)) / n
