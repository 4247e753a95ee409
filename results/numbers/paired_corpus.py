"""The difference of two runs' corpus scores (BLEU, chrF), which is no mean of samples' differences.

Its interval is a cluster bootstrap in which both runs draw the same samples; its p comes from approximate
randomization (Riezler and Maxwell 2005): without a difference, which of the two runs a cluster's texts came
from could be exchanged. Both draw with a given seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from results.logs.outcomes import Floats, Ints, Outcomes
from results.numbers.bootstrap import cluster_bootstrap
from results.numbers.corpus import CORPUS_SCORES
from results.numbers.paired import PairedDifference, PairedSamples, paired_difference
from results.numbers.sign_flips import SignTest

# As for single scores (`results.numbers.metrics`); the exchanges tell a p of .05 to ±.005.
BOOTSTRAPS = 1_000
EXCHANGES = 2_000


def score_difference(
    base: Outcomes, candidate: Outcomes, pairs: PairedSamples, level: float = 0.95, rows: Ints | None = None
) -> tuple[float, float, PairedDifference]:
    """Both scores over the pairs, or over some of them, and candidate minus base.

    Of outcomes whose score is a corpus score it is that one (the first epoch of each sample), else the mean.
    """
    own = np.arange(len(pairs.ids)) if rows is None else rows
    one, two, clusters = pairs.base[own], pairs.candidate[own], pairs.clusters[own]
    name = base.corpus
    if name is None or candidate.corpus != name:
        return float(one.mean()), float(two.mean()), paired_difference(one, two, clusters, level)
    sums = base.sums[name][pairs.base_rows[own]], candidate.sums[name][pairs.candidate_rows[own]]
    return _corpus(name, sums, clusters, level, two - one)


def _corpus(
    name: str, sums: tuple[Floats, Floats], clusters: Ints, level: float, apart: Floats
) -> tuple[float, float, PairedDifference]:
    """apart: by how much the score of each sample changed, of which better and worse are counted."""
    reduce = CORPUS_SCORES[name]
    codes = np.unique(clusters, return_inverse=True)[1]
    groups = int(codes.max()) + 1
    first, second = (
        np.stack([np.bincount(codes, column).astype(float) for column in own.T], axis=1) for own in sums
    )
    scores = reduce(first.sum(axis=0)), reduce(second.sum(axis=0))
    drawn: list[float] = []

    def difference(weights: Floats) -> float:
        drawn.append(reduce(weights @ second) - reduce(weights @ first))
        return drawn[-1]

    if groups > 1:
        low, high = map(
            float, cluster_bootstrap(difference, np.arange(groups), rounds=BOOTSTRAPS, level=level)
        )
        error = float(np.std(drawn, ddof=1))
    else:
        # One cluster says nothing of the spread between clusters.
        low, high, error = -1.0, 1.0, float("nan")
    test = _exchanged(reduce, first, second)
    found = PairedDifference(
        difference=scores[1] - scores[0],
        low=low,
        high=high,
        error=error,
        p=test.mid,
        n=len(apart),
        clusters=groups,
        better=int((apart > 0).sum()),
        worse=int((apart < 0).sum()),
        test=test,
    )
    return (*scores, found)


def _exchanged(reduce: Callable[[Floats], float], first: Floats, second: Floats, seed: int = 0) -> SignTest:
    """How often a difference as large comes of exchanging clusters at random; the observed one is a round."""
    apart = second - first
    observed = abs(reduce(second.sum(axis=0)) - reduce(first.sum(axis=0)))
    generator = np.random.default_rng(seed)
    moved = np.stack([generator.integers(0, 2, len(first)) @ apart for _ in range(EXCHANGES)])
    ones, twos = first.sum(axis=0) + moved, second.sum(axis=0) - moved
    differences = np.abs([reduce(two) - reduce(one) for one, two in zip(ones, twos, strict=True)])
    slack = 1e-12
    beyond = int((differences > observed + slack).sum())
    equal = int((differences >= observed - slack).sum()) - beyond + 1
    rounds = EXCHANGES + 1
    return SignTest((beyond + equal) / rounds, (beyond + equal / 2) / rounds, "exchanged clusters")
