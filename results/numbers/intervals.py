"""Means and their intervals, as pure functions of numbers.

scipy.special has the quantiles; the tests check them with scipy.stats and statsmodels, slow to import.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from results.logs.outcomes import Floats, Ints
from results.numbers.lean_scipy import special

ALPHA = 0.05
"""A difference counts where chance alone gives one as large less often than this."""


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval. n: values; clusters: independent groups of them."""

    mean: float
    low: float
    high: float
    n: int
    clusters: int


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); (0, 1) when n is 0.

    >>> [round(100 * side, 1) for side in wilson(180, 272)]
    [60.4, 71.5]
    """
    if n <= 0:
        return 0.0, 1.0
    z = float(special.ndtri(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered_standard_error(values: Sequence[float] | Floats, clusters: Sequence[Hashable] | Ints) -> float:
    """Standard error of a mean whose values are dependent within clusters.

    Cluster sums of the residuals with the C/(C-1) correction (Miller 2024, "Adding error bars to evals",
    eq. 4, gives the same without the correction). NaN with fewer than two clusters.
    """
    x, index = np.asarray(values, dtype=float), _places(clusters)
    groups = int(index.max()) + 1 if len(x) else 0
    if groups < 2:
        return math.nan
    sums = np.bincount(index, weights=x - x.mean(), minlength=groups)
    return math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / len(x)


def mean_interval(
    values: Sequence[float] | Floats, clusters: Sequence[Hashable] | Ints, level: float = 0.95
) -> Interval | None:
    """Mean of values in [0, 1] with its interval, or None without values.

    Independent 0/1 values use the Wilson interval; clustered or graded ones Student's t over the clusters,
    cut to [0, 1]. Where the values do not vary (all right, all wrong) the spread between clusters says
    nothing, and Wilson's interval with one value per cluster, the cautious reading, stands in.
    """
    n = len(values)
    if not n:
        return None
    places = _places(clusters)
    groups = int(places.max()) + 1
    total = math.fsum(values)
    mean = total / n
    binary = bool(np.isin(values, (0.0, 1.0)).all())
    if binary and groups == n:
        low, high = wilson(total, n, level)
    else:
        error = clustered_standard_error(values, places)
        # Equal clusters of thirds differ in their last digits.
        if not error > 1e-12:
            low, high = wilson(mean * groups, groups, level)
        else:
            half = float(special.stdtrit(groups - 1, 0.5 + level / 2)) * error
            low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Interval(mean, low, high, n, groups)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for testing all of them (Holm 1979), in their order.

    Taking what is under α as found keeps the chance of any false find at α, however the tests depend.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def _places(clusters: Sequence[Hashable] | Ints) -> Ints:
    """Clusters as integers from 0."""
    if isinstance(clusters, np.ndarray):
        return np.unique(clusters, return_inverse=True)[1].astype(np.int64)
    seen: dict[str, int] = {}
    return np.asarray([seen.setdefault(repr(cluster), len(seen)) for cluster in clusters], dtype=np.int64)
