"""Length control against independent fits, and on judges whose love of length is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from results.numbers.length_control import LengthControlled, fitted, length_controlled


def drawn(
    n: int, preference: float, love: float, seed: int, longer: float = 0.0
) -> tuple[list[float], list[float]]:
    """Scores of a judge with log-odds ``preference`` for a, and ``love`` for each standard difference."""
    generator = np.random.default_rng(seed)
    differences = generator.normal(longer, 30, n).round()
    x = np.tanh(differences / differences.std())
    wins = generator.random(n) < special.expit(preference + love * x)
    return wins.astype(float).tolist(), differences.tolist()


def test_the_fit_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    scores, differences = drawn(300, 0.4, 1.2, 1)
    x = np.tanh(np.asarray(differences) / 30)
    own = fitted(np.asarray(scores), x, np.ones(300), ridge=0)
    theirs = sm.GLM(scores, sm.add_constant(x), family=sm.families.Binomial()).fit()
    assert own == pytest.approx(tuple(theirs.params), abs=1e-8)


def test_the_fit_with_ties_weights_and_a_pull_is_the_optimum() -> None:
    generator = np.random.default_rng(2)
    y = generator.choice([0, 0.25, 0.5, 0.75, 1], 80)
    x, weights = generator.normal(0, 1, 80), generator.integers(0, 4, 80).astype(float)

    def loss(beta: np.ndarray) -> float:
        eta = beta[0] + beta[1] * x
        likelihood = weights @ (y * special.log_expit(eta) + (1 - y) * special.log_expit(-eta))
        return float(-likelihood + 0.5 * 0.3 * beta @ beta)

    best = optimize.minimize(loss, np.zeros(2), tol=1e-12).x
    assert fitted(y, x, weights, ridge=0.3) == pytest.approx(tuple(best), abs=1e-5)


def test_a_judge_that_always_takes_the_longer_shows() -> None:
    """a is longer in four of five pairs. Its 78% fall to 65%: length explains every verdict, and a logistic
    fit leaves part of the base rate where nothing overlaps. With as many longer as shorter it is one half.
    """
    generator = np.random.default_rng(3)
    differences = np.where(generator.random(200) < 0.8, 1, -1) * generator.integers(5, 80, 200)
    scores = (differences > 0).astype(float)
    found = length_controlled(scores.tolist(), differences.tolist(), [str(n) for n in range(200)])
    assert isinstance(found, LengthControlled)
    assert scores.mean() > 0.75
    assert abs(found.rate - 0.5) < 0.6 * abs(scores.mean() - 0.5)
    assert found.high < scores.mean()
    assert found.slope > 4
    mirrored = np.concatenate([differences, -differences])
    found = length_controlled(
        (mirrored > 0).astype(float).tolist(), mirrored.tolist(), [str(n) for n in range(400)]
    )
    assert isinstance(found, LengthControlled)
    assert found.rate == pytest.approx(0.5, abs=1e-6)
    assert found.low < 0.5 < found.high


def test_a_true_preference_is_left_where_length_does_not_matter() -> None:
    scores, differences = drawn(2000, 1.0, 0.0, 4, longer=20)
    found = length_controlled(scores, differences, [str(n) for n in range(2000)])
    assert isinstance(found, LengthControlled)
    assert found.rate == pytest.approx(special.expit(1.0), abs=0.04)
    assert found.low < special.expit(1.0) < found.high


@pytest.mark.slow
def test_the_interval_covers_as_often_as_it_says() -> None:
    """40 draws of 150 pairs: the truth inside in 95%, within what 40 draws can tell."""
    truth = float(special.expit(0.5))
    inside = 0
    for seed in range(40):
        scores, differences = drawn(150, 0.5, 1.0, 100 + seed, longer=15)
        found = length_controlled(scores, differences, [str(n) for n in range(150)], seed=seed)
        assert isinstance(found, LengthControlled)
        inside += found.low <= truth <= found.high
    assert inside >= 34


def test_lengths_that_never_overlap_cannot_be_controlled_for() -> None:
    """Experiment C: essays of 35 words beside essays of 190. Nothing can tell length from writer there."""
    said = length_controlled([1.0] * 50, [-150.0 - n for n in range(50)], [str(n) for n in range(50)])
    assert said == "a is the shorter in 50 of 50 pairs: length and writer cannot be told apart"
    assert "longer in 49 of 50" in str(length_controlled([1.0] * 50, [9.0] * 49 + [-9.0], ["c"] * 50))
    assert length_controlled([1.0] * 50, [0.0] * 50, ["c"] * 50) == "all texts are equally long"
    assert length_controlled([1.0] * 3, [1.0, -1.0, 1.0], ["c"] * 3) == "fewer than 10 scored pairs"


def test_winning_every_pair_stays_near_one() -> None:
    differences = [float(n % 21 - 10) for n in range(100)]
    found = length_controlled([1.0] * 100, differences, [str(n) for n in range(100)])
    assert isinstance(found, LengthControlled)
    assert found.rate > 0.99
