"""Intervals of anything that can be computed from weighted samples, by resampling whole clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from results.logs.outcomes import Floats


def cluster_bootstrap(
    statistic: Callable[[Floats], npt.ArrayLike],
    clusters: npt.ArrayLike,
    *,
    rounds: int = 2_000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Percentile interval (low, high) of a statistic, with the shape that it has.

    statistic: takes one weight per sample (how often its cluster was drawn). clusters: one integer or name
    per sample. Games or questions on one picture are drawn together, never as if they were independent.
    """
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    groups = int(codes.max()) + 1
    generator = np.random.default_rng(seed)
    drawn = [
        np.asarray(statistic(generator.multinomial(groups, np.full(groups, 1 / groups))[codes].astype(float)))
        for _ in range(rounds)
    ]
    tail = (1 - level) / 2
    low, high = np.quantile(np.stack(drawn), [tail, 1 - tail], axis=0)
    return low, high
