"""Bradley–Terry against other fits, and the bootstrap of clusters that gives its intervals."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from results.numbers.bootstrap import cluster_bootstrap
from results.numbers.intervals import clustered_standard_error
from results.numbers.ratings import Judgement, bradley_terry


def games(
    wins: dict[tuple[str, str], int], ties: dict[tuple[str, str], int] | None = None
) -> list[Judgement]:
    played = [Judgement(a, b, 1.0, str(n)) for (a, b), count in wins.items() for n in range(count)]
    return played + [
        Judgement(a, b, 0.5, f"t{n}") for (a, b), count in (ties or {}).items() for n in range(count)
    ]


def test_two_models_have_the_log_odds_of_their_wins() -> None:
    one, two = bradley_terry(games({("a", "b"): 60, ("b", "a"): 30}), rounds=20)
    assert (one.model, two.model) == ("a", "b")
    # Half a game each way is the pull towards equal strength.
    assert one.strength - two.strength == pytest.approx(math.log(60.5 / 30.5), abs=1e-6)
    assert (one.games, two.games) == (90, 90)


def test_it_is_the_fit_of_a_logistic_regression() -> None:
    """statsmodels' binomial model on the same table, ties and the half games included."""
    import statsmodels.api as sm

    wins = {("a", "b"): 9, ("b", "a"): 4, ("a", "c"): 12, ("c", "a"): 3, ("b", "c"): 7, ("c", "b"): 7}
    ties = {("a", "b"): 2, ("b", "c"): 5}
    found = {one.model: one.strength for one in bradley_terry(games(wins, ties), rounds=5)}
    rows, scores = [], []
    for first, second, column in (("a", "b", [1, -1]), ("a", "c", [1, 0]), ("b", "c", [0, 1])):
        half = 0.5 + ties.get((first, second), 0) / 2
        rows.append(column)
        scores.append([wins[first, second] + half, wins[second, first] + half])
    fit = sm.GLM(np.asarray(scores), np.asarray(rows), family=sm.families.Binomial()).fit()
    assert found["a"] - found["c"] == pytest.approx(float(fit.params[0]), abs=1e-5)
    assert found["b"] - found["c"] == pytest.approx(float(fit.params[1]), abs=1e-5)


def test_winning_every_game_has_a_finite_strength() -> None:
    one, two = bradley_terry(games({("a", "b"): 10}), rounds=50)
    assert 0 < one.strength < 5
    assert two.strength == pytest.approx(-one.strength)
    assert one.low <= one.strength <= one.high


def test_games_of_one_sample_are_drawn_together() -> None:
    generator = random.Random(1)
    alone = [Judgement("a", "b", float(generator.random() < 0.6), str(n)) for n in range(400)]
    together = [
        Judgement(g.first, g.second, alone[n - n % 20].score, str(n // 20)) for n, g in enumerate(alone)
    ]
    narrow, wide = (bradley_terry(played, rounds=200)[0] for played in (alone, together))
    assert wide.high - wide.low > 2.5 * (narrow.high - narrow.low)


def test_models_that_never_met_have_no_common_scale() -> None:
    with pytest.raises(ValueError, match="c, d never met a"):
        bradley_terry(games({("a", "b"): 2, ("c", "d"): 2}))
    with pytest.raises(ValueError, match="no judgements"):
        bradley_terry([])


def test_the_bootstrap_of_a_mean_agrees_with_its_standard_error() -> None:
    generator = np.random.default_rng(2)
    clusters = np.repeat(np.arange(80), 5)
    values = (generator.random(400) < np.repeat(generator.random(80), 5)).astype(float)
    low, high = cluster_bootstrap(lambda w: (w * values).sum() / w.sum(), clusters, seed=1)
    error = clustered_standard_error(values, clusters)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.08)
    again = cluster_bootstrap(lambda w: (w * values).sum() / w.sum(), clusters, seed=1)
    assert (low, high) == again
