"""McNemar's test and its form for clusters against scipy, statsmodels and counting every flip."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference

from results.numbers.sign_flips import mcnemar, sign_test


@pytest.mark.parametrize(("worse", "better"), [(0, 1), (0, 6), (10, 2), (5, 5), (7, 8), (40, 61), (0, 300)])
def test_exact_mcnemar_is_that_of_statsmodels_and_scipy(worse: int, better: int) -> None:
    found = mcnemar(worse, better)
    assert found.exact == pytest.approx(float(reference([[50, worse], [better, 9]], exact=True).pvalue))
    assert found.exact == pytest.approx(stats.binomtest(worse, worse + better).pvalue)
    assert sign_test(np.asarray([-1.0] * worse + [1.0] * better + [0.0] * 9)) == found


@pytest.mark.parametrize(("worse", "better"), [(0, 6), (10, 2), (40, 61)])
def test_the_mid_p_counts_the_observed_half(worse: int, better: int) -> None:
    """Fagerland, Lydersen and Laake 2013: the exact p less the probability of what was observed."""
    observed = stats.binom.pmf(worse, worse + better, 0.5)
    assert mcnemar(worse, better).mid == pytest.approx(mcnemar(worse, better).exact - observed)


def test_no_flips_or_as_many_both_ways_are_no_evidence() -> None:
    assert mcnemar(0, 0).mid == mcnemar(4, 4).mid == mcnemar(4, 4).exact == 1.0
    assert sign_test(np.zeros(10)).exact == 1.0


def every_flip(sums: list[float]) -> tuple[float, float]:
    totals = [
        abs(sum(map(float.__mul__, signs, sums)))
        for signs in itertools.product((-1.0, 1.0), repeat=len(sums))
    ]
    observed = abs(sum(sums))
    beyond = sum(total > observed + 1e-9 for total in totals)
    equal = sum(abs(total - observed) <= 1e-9 for total in totals)
    return (beyond + equal) / len(totals), (beyond + equal / 2) / len(totals)


@pytest.mark.parametrize(
    "sums", [[3, -1, 2, 2, -4, 5, 1, 1, 3], [8, 8, -2, 8, 6, 1, -3, 8], [1, -2], [2, 2, -1, 1, -1, 1, -3]]
)
def test_flips_of_whole_numbers_are_counted_in_full(sums: list[float]) -> None:
    found = sign_test(np.asarray(sums, dtype=float))
    assert found.name == "cluster sign flips"
    assert (found.exact, found.mid) == pytest.approx(every_flip([float(value) for value in sums]), rel=1e-12)


def test_flips_of_fractions_are_near_the_count_of_every_flip() -> None:
    sums = [0.25, -0.5, 0.1, 0.7, 0.3, 0.9, -0.2, 0.4]
    exact, mid = every_flip(sums)
    found = sign_test(np.asarray(sums), seed=1)
    # Four standard errors of 10,000 draws.
    near = 4 * (exact * (1 - exact) / 10_000) ** 0.5
    assert (found.exact, found.mid) == pytest.approx((exact, mid), abs=near)


def test_counting_and_drawing_agree_on_many_clusters() -> None:
    sums = np.random.default_rng(5).integers(-8, 10, 800).astype(float)
    counted, drawn = sign_test(sums), sign_test(sums / 3)
    assert 0.001 < counted.exact < 0.5
    assert drawn.exact == pytest.approx(counted.exact, abs=4 * (counted.exact / 10_000) ** 0.5)


def test_a_seed_gives_the_same_p_again_and_a_drawn_p_is_never_0() -> None:
    sums = np.arange(1, 40, dtype=float) + 0.5
    assert sign_test(sums, seed=3) == sign_test(sums, seed=3)
    assert 0 < sign_test(sums).mid < 1e-3


def test_eight_alike_answers_a_picture_count_as_one() -> None:
    """20 pictures, 14 better in all 8 questions: no more evidence than 14 of 20."""
    sums = np.asarray([8.0] * 14 + [-8.0] * 6)
    assert sign_test(sums) == mcnemar(6, 14)
    assert mcnemar(48, 112).exact < 1e-6 < sign_test(sums).exact
