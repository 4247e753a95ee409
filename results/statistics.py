"""Means and their intervals, as pure functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


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
    z = float(stats.norm.ppf(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def clustered_standard_error(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Standard error of a mean whose values are dependent within clusters.

    Cluster sums of the residuals with the C/(C-1) correction (Miller 2024, "Adding error bars to evals",
    eq. 4, gives the same without the correction). NaN with fewer than two clusters.
    """
    x = np.asarray(values, dtype=float)
    _, index = np.unique(np.asarray([repr(cluster) for cluster in clusters]), return_inverse=True)
    groups = int(index.max()) + 1 if len(x) else 0
    if groups < 2:
        return math.nan
    sums = np.bincount(index, weights=x - x.mean(), minlength=groups)
    return math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / len(x)


def mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable], level: float = 0.95
) -> Interval | None:
    """Mean of values in [0, 1] with its interval, or None without values.

    Independent 0/1 values get Wilson's interval; clustered or graded ones Student's t over the clusters,
    cut to [0, 1]. Where the values do not vary (all right, all wrong) the spread between clusters says
    nothing, and Wilson's interval with one value per cluster, the cautious reading, stands in.
    """
    if not values:
        return None
    n, groups = len(values), len({repr(cluster) for cluster in clusters})
    mean = sum(values) / n
    binary = all(value in (0.0, 1.0) for value in values)
    if binary and groups == n:
        low, high = wilson(sum(values), n, level)
    else:
        error = clustered_standard_error(values, clusters)
        if not error > 0:
            low, high = wilson(mean * groups, groups, level)
        else:
            half = float(stats.t.ppf(0.5 + level / 2, groups - 1)) * error
            low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Interval(mean, low, high, n, groups)
