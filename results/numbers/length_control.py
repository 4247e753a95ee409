"""The win rate that would be left if both texts were equally long.

A judge that likes long texts rewards whoever writes more. A logistic regression of the score on the
difference in words, tanh of it over its standard deviation as in length-controlled AlpacaEval (Dubois et al.
2024), tells the two apart: its intercept is the log-odds at no difference. It can only do so where the
lengths overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.logs.outcomes import Floats
from results.numbers.bootstrap import cluster_bootstrap
from results.numbers.lean_scipy import special

# Pull of both coefficients towards 0: a judge that always takes the longer one has no finite slope. With it
# and these rounds 95% intervals covered 95 to 97% of simulated truths at 60 to 300 pairs (decision 0012).
_RIDGE = 0.05
_ROUNDS = 500
# Of the pairs whose lengths differ, the least share on the rarer side: below it length and writer cannot be
# told apart. Even at four to one a love of length alone leaves 65% of its 78% (decision 0012).
_LEAST_OVERLAP = 0.05
# Two coefficients from fewer pairs would be the ridge's.
_FEWEST = 10


@dataclass(frozen=True)
class LengthControlled:
    """The win rate at equal length with its interval. slope: log-odds that a standard difference adds."""

    rate: float
    low: float
    high: float
    slope: float
    n: int


def length_controlled(
    scores: Sequence[float], differences: Sequence[float], clusters: Sequence[str], *, seed: int = 0
) -> LengthControlled | str:
    """The win rate at equal length, or why there is none to be told.

    scores: in [0, 1], of a; differences: words of a minus words of b. The interval is a seeded bootstrap over
    clusters, 500 draws.
    """
    y, d = np.asarray(scores, dtype=float), np.asarray(differences, dtype=float)
    if len(y) < _FEWEST:
        return f"fewer than {_FEWEST} scored pairs"
    longer, shorter = int((d > 0).sum()), int((d < 0).sum())
    if longer + shorter == 0:
        return "all texts are equally long"
    if min(longer, shorter) < max(1, _LEAST_OVERLAP * (longer + shorter)):
        more, side = (longer, "longer") if longer > shorter else (shorter, "shorter")
        return f"a is the {side} in {more} of {len(d)} pairs: length and writer cannot be told apart"
    x = np.tanh(d / d.std()) if d.std() > 0 else np.sign(d)
    intercept, slope = fitted(y, x, np.ones(len(y)))
    low, high = cluster_bootstrap(
        lambda weights: special.expit(fitted(y, x, weights)[0]), clusters, rounds=_ROUNDS, seed=seed
    )
    return LengthControlled(float(special.expit(intercept)), float(low), float(high), slope, len(y))


def fitted(y: Floats, x: Floats, weights: Floats, ridge: float = _RIDGE) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of y in [0, 1] on x, by Newton's method.

    Maximises the weighted log-likelihood minus ridge / 2 times the squared coefficients.
    """
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(2)
    for _ in range(50):
        p = special.expit(design @ beta)
        gradient = design.T @ (weights * (y - p)) - ridge * beta
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + ridge * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        # Far from the optimum a full step may overshoot.
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 4)
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(beta[1])
