"""How small a difference a comparison can see, and how many samples a smaller one needs."""

from __future__ import annotations

import math

from results.numbers.lean_scipy import special

# Measured at the difference that it states: found in 78 to 82%, in 73% at 10 pictures (decision 0007).
POWER = 0.8


def detectable_difference(error: float, clusters: int, alpha: float = 0.05, power: float = POWER) -> float:
    """The smallest true difference that a two-sided test at ``alpha`` finds with this power.

    error: standard error of the difference, over ``clusters`` independent groups (Student's t with one
    degree fewer). NaN with fewer than two, or where nothing varied (0), which says nothing of the next time.

    >>> round(100 * detectable_difference(math.sqrt(2 * 0.25 * 0.5 / 2017), 2017), 1)
    3.1
    """
    if clusters < 2 or not error > 0:
        return math.nan
    return _reach(clusters, alpha, power) * error


def samples_needed(
    error: float, n: int, clusters: int, distance: float, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """About how many samples, clustered as these n are, settle a distance with this power.

    distance: from the true difference to what is to be excluded, such as a margin. error: of the difference
    at n; where nothing varied (0), as many clusters as exclude the distance when still nothing varies.
    None when the distance is 0.
    """
    if distance <= 0 or clusters < 1:
        return None
    if not error > 0:
        groups = math.log(alpha / 2) / math.log1p(-min(distance, 0.999999))
        return math.ceil(groups * n / clusters)
    # The error shrinks with the root of n; the t quantile is taken as at many clusters.
    reach = float(special.ndtri(1 - alpha / 2) + special.ndtri(power))
    return math.ceil(n * (reach * error / distance) ** 2)


def _reach(clusters: int, alpha: float, power: float) -> float:
    return float(special.stdtrit(clusters - 1, 1 - alpha / 2) + special.stdtrit(clusters - 1, power))
