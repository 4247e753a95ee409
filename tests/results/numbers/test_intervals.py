"""Intervals against published numbers and against computations done another way."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from results.numbers.intervals import clustered_standard_error, holm, mean_interval, wilson

Z = 1.959963984540054


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(180, 272, 60.4, 71.5), (235, 295, 74.7, 83.9)],
)
def test_wilson_gives_the_published_intervals(right: int, n: int, low: float, high: float) -> None:
    assert [round(100 * side, 1) for side in wilson(right, n)] == [low, high]


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (1, 2), (3, 40), (39, 40), (180, 272), (1, 10**6)])
def test_wilson_holds_the_rates_that_the_score_test_does_not_reject(right: int, n: int) -> None:
    """Its definition: the p with |p̂ - p| = z·sqrt(p(1-p)/n), found by bisection."""

    def accepted(p: float) -> bool:
        return abs(right / n - p) <= Z * math.sqrt(p * (1 - p) / n)

    def edge(inside: float, outside: float) -> float:
        for _ in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
        return inside

    low, high = wilson(right, n)
    assert low == pytest.approx(edge(right / n, 0.0), abs=1e-9)
    assert high == pytest.approx(edge(right / n, 1.0), abs=1e-9)


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def brute_force_error(values: list[float], clusters: list[str]) -> float:
    """Every pair of values of one cluster adds the product of its residuals."""
    n, mean = len(values), sum(values) / len(values)
    total = sum(
        (values[i] - mean) * (values[j] - mean)
        for i in range(n)
        for j in range(n)
        if clusters[i] == clusters[j]
    )
    groups = len(set(clusters))
    return math.sqrt(groups / (groups - 1) * total) / n


@pytest.mark.parametrize("seed", range(5))
def test_clustered_error_equals_the_sum_over_pairs(seed: int) -> None:
    generator = random.Random(seed)
    clusters = [f"image {generator.randrange(12)}" for _ in range(60)]
    values = [float(generator.random() < 0.4) for _ in range(60)]
    assert clustered_standard_error(values, clusters) == pytest.approx(brute_force_error(values, clusters))


def test_one_value_per_cluster_gives_the_ordinary_standard_error() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.25]
    mean = sum(values) / 5
    ordinary = math.sqrt(sum((v - mean) ** 2 for v in values) / 4 / 5)
    assert clustered_standard_error(values, range(5)) == pytest.approx(ordinary)


def test_copies_of_a_value_within_its_cluster_add_no_certainty() -> None:
    values, clusters = [0.0, 1.0, 1.0, 0.0], ["a", "b", "c", "d"]
    once = clustered_standard_error(values, clusters)
    assert clustered_standard_error(values * 3, clusters * 3) == pytest.approx(once)


@pytest.mark.parametrize(("values", "clusters"), [([], []), ([1.0], ["a"]), ([0.0, 1.0], ["a", "a"])])
def test_fewer_than_two_clusters_have_no_error(values: list[float], clusters: list[str]) -> None:
    assert math.isnan(clustered_standard_error(values, clusters))


def test_independent_zeros_and_ones_get_wilson() -> None:
    interval = mean_interval([1.0] * 180 + [0.0] * 92, range(272))
    assert interval is not None
    assert (interval.low, interval.high) == wilson(180, 272)
    assert (interval.n, interval.clusters) == (272, 272)


def test_dependent_values_get_a_wider_interval() -> None:
    values = ([1.0] * 3 + [0.0] * 3) * 10
    apart = mean_interval(values, range(60))
    together = mean_interval(values, [number // 3 for number in range(60)])
    assert apart is not None
    assert together is not None
    assert together.mean == apart.mean
    assert together.clusters == 20
    assert together.low < apart.low < apart.high < together.high


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
@pytest.mark.parametrize(
    "clusters", [["a", "b", "c", "d", "e", "f"], ["a", "a", "a", "b", "b", "b"], ["a"] * 6]
)
def test_values_that_are_all_equal_still_have_an_interval(value: float, clusters: list[str]) -> None:
    interval = mean_interval([value] * 6, clusters)
    assert interval is not None
    groups = len(set(clusters))
    assert interval.mean == value
    assert (interval.low, interval.high) == pytest.approx(wilson(value * groups, groups))
    assert interval.low <= value <= interval.high
    assert interval.high - interval.low > 0.3


def test_an_interval_stays_between_0_and_1() -> None:
    interval = mean_interval([1.0, 1.0, 1.0, 0.9], ["a", "b", "c", "d"])
    assert interval is not None
    assert 0 <= interval.low <= interval.high == 1.0


def test_without_values_there_is_no_interval() -> None:
    assert mean_interval([], []) is None


@pytest.mark.parametrize("p_values", [[0.01, 0.04, 0.03], [0.5], [0.2, 0.2, 0.001, 0.9, 0.04], [1.0, 1.0]])
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


@pytest.mark.parametrize(("right", "n", "level"), [(3, 40, 0.95), (180, 272, 0.9), (235, 295, 0.99)])
def test_wilson_is_that_of_statsmodels(right: int, n: int, level: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(right, n, level) == pytest.approx(
        proportion_confint(right, n, alpha=1 - level, method="wilson")
    )


def test_clusters_may_be_numbers_in_an_array() -> None:
    values, clusters = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [3, 3, 1, 1, 2, 2]
    assert clustered_standard_error(values, np.asarray(clusters)) == clustered_standard_error(
        values, clusters
    )
    assert mean_interval(np.asarray(values), np.asarray(clusters)) == mean_interval(values, clusters)
