"""Detectable differences and sample sizes against statsmodels and published figures."""

from __future__ import annotations

import math

import pytest
from statsmodels.stats.power import NormalIndPower, TTestPower

from results.numbers.power import detectable_difference, samples_needed


@pytest.mark.parametrize(("n", "points"), [(60, 18), (272, 8.4), (521, 6.1), (2017, 3.1)])
def test_paired_with_a_correlation_of_one_half(n: int, points: float) -> None:
    """Accuracies near 50% that correlate at 0.5: the known figures, within the rounding of Student's t."""
    error = math.sqrt(2 * 0.25 * 0.5 / n)
    assert 100 * detectable_difference(error, n) == pytest.approx(points, rel=0.06)


@pytest.mark.parametrize("n", [20, 60, 500])
def test_a_t_test_finds_it_with_eighty_percent(n: int) -> None:
    spread = 0.4
    size = detectable_difference(spread / math.sqrt(n), n)
    power = TTestPower().power(effect_size=size / spread, nobs=n, alpha=0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=0.01)


def normal_power(difference: float, error: float) -> float:
    """statsmodels' power of a two-sided test at 5% whose error is normal."""
    effect = difference / error
    return float(NormalIndPower(ddof=0).power(effect, 1, 0.05, ratio=0, alternative="two-sided"))


def test_needed_samples_would_be_enough() -> None:
    n, error, margin = 300, 0.02, 0.01
    needed = samples_needed(error, n, 300, margin)
    assert needed is not None
    assert normal_power(margin, error * math.sqrt(n / needed)) == pytest.approx(0.8, abs=0.005)


def test_where_nothing_flipped_as_many_as_exclude_the_margin() -> None:
    needed = samples_needed(0.0, 300, 100, 0.01)
    assert needed is not None
    assert needed / 3 == pytest.approx(math.log(0.025) / math.log(0.99), abs=1)


@pytest.mark.parametrize(("error", "clusters"), [(0.1, 1), (0.0, 50), (math.nan, 50)])
def test_no_spread_known_no_figure(error: float, clusters: int) -> None:
    assert math.isnan(detectable_difference(error, clusters))


def test_no_distance_needs_no_number() -> None:
    assert samples_needed(0.1, 10, 10, 0.0) is None
