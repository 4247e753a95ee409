"""Is a paired difference more than chance? Exact McNemar, and its form for dependent pairs.

Without a difference between two models, which of the two did better on a cluster is a coin's toss, so the
signs of the clusters' differences may be flipped at will. For independent right-or-wrong pairs this is
McNemar's exact test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from results.logs.outcomes import Floats
from results.numbers.lean_scipy import special

# Tells a p of .05 to ±.002 (one standard deviation).
ROUNDS = 10_000
# Draws in all: 40,000 clusters of different sums take 13 s on one busy core; more of them get fewer rounds.
_MOST_DRAWS = 400_000_000
_MOST_COUNTED = 6_000
"""Up to these flips the count of all ways, which is exact, takes no longer than drawing some: 2 ms each at
5,000 with sums of 1 to 4. It grows with the square: 17 ms against 1 at 18,000."""


@dataclass(frozen=True)
class SignTest:
    """Two-sided p of no difference. exact: counts what is as extreme as observed in full, and so is too
    careful with few flips; mid: counts it half (Lancaster 1961), whose error rate is near the stated one.
    name: ``McNemar``, ``cluster sign flips``, or of corpus scores ``exchanged clusters``.
    """

    exact: float
    mid: float
    name: str


def sign_test(sums: Floats, seed: int = 0) -> SignTest:
    """The test over the clusters' summed differences, one value per cluster.

    Sums of one size make it a binomial test; whole numbers, as right and wrong answers give, are counted in
    full as well, up to 6,000 flips. Others are flipped ``ROUNDS`` times with the given seed (fewer, but at
    least 2,000, for very many clusters of different sums); then the observed one counts as a round, so that
    p is never 0.
    """
    moved = sums[sums != 0]
    if not len(moved):
        return SignTest(1.0, 1.0, "McNemar")
    sizes, counts = np.unique(np.abs(moved), return_counts=True)
    if len(sizes) == 1:
        up = int((moved > 0).sum())
        return _binomial(min(up, len(moved) - up), len(moved))
    observed = abs(float(moved.sum()))
    if (sizes == np.rint(sizes)).all() and sizes @ counts <= _MOST_COUNTED:
        return _counted(sizes.astype(int), counts, round(observed))
    return _drawn(sizes, counts, observed, seed)


def mcnemar(worse: int, better: int) -> SignTest:
    """The exact test of flips both ways: ``better`` pairs wrong→right and ``worse`` right→wrong.

    >>> round(mcnemar(10, 2).exact, 4), round(mcnemar(10, 2).mid, 4)
    (0.0386, 0.0225)
    """
    return _binomial(min(worse, better), worse + better) if worse + better else SignTest(1.0, 1.0, "McNemar")


def _binomial(fewer: int, flips: int) -> SignTest:
    below = float(special.bdtr(fewer - 1, flips, 0.5)) if fewer else 0.0
    here = float(special.bdtr(fewer, flips, 0.5)) - below
    if 2 * fewer == flips:
        return SignTest(1.0, 1.0, "McNemar")
    return SignTest(min(1.0, 2 * (below + here)), min(1.0, 2 * below + here), "McNemar")


def _counted(sizes: np.ndarray, counts: np.ndarray, observed: int) -> SignTest:
    """Each size's flips are binomial; their sum's distribution is the convolution of all."""
    chances: Floats = np.ones(1)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        up = np.arange(count + 1)
        ways = special.gammaln(count + 1) - special.gammaln(up + 1) - special.gammaln(count - up + 1)
        own = np.zeros(size * count + 1)
        own[::size] = np.exp(ways - count * np.log(2))
        chances = np.convolve(chances, own).astype(float)
    totals = np.abs(2 * np.arange(len(chances)) - (len(chances) - 1))
    beyond = float(chances[totals > observed].sum())
    equal = float(chances[totals == observed].sum())
    return SignTest(min(1.0, beyond + equal), min(1.0, beyond + equal / 2), "cluster sign flips")


def _drawn(sizes: Floats, counts: np.ndarray, observed: float, seed: int) -> SignTest:
    """Equal sums are flipped together: their flips are binomial, so 200,000 clusters cost what 20 do."""
    rounds = max(2_000, min(ROUNDS, _MOST_DRAWS // len(sizes)))
    generator = np.random.default_rng(seed)
    totals = np.zeros(rounds)
    for size, count in zip(sizes, counts, strict=True):
        totals += size * (2.0 * generator.binomial(count, 0.5, rounds) - count)
    totals = np.abs(totals)
    # Sums of fractions differ in their last digits by the order of adding.
    slack = 1e-9 * max(1.0, observed)
    beyond = int((totals > observed + slack).sum())
    equal = int((totals >= observed - slack).sum()) - beyond + 1
    return SignTest(
        (beyond + equal) / (rounds + 1), (beyond + equal / 2) / (rounds + 1), "cluster sign flips"
    )
