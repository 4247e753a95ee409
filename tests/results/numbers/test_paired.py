"""Paired differences against other computations of the same, and what becomes of samples that do not pair."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
import statsmodels.api as sm

from results.logs.outcomes import Outcome, Outcomes
from results.numbers.paired import pair, paired_difference


def outcomes(values: dict[str, float | None], epoch: int = 1, **changes: object) -> list[Outcome]:
    return [
        Outcome(
            id=name, epoch=epoch, value=value, reason=None if value is not None else "crash", answer="7",
            target="7", no_answer=False, truncated=False, anywhere=None, cluster=name[0], groups={},
            output_tokens=5,
        )
        for name, value in values.items()
    ]  # fmt: skip


def drawn(seed: int, pictures: int, questions: int) -> tuple[list[float], list[float], list[int]]:
    generator = random.Random(seed)
    base, candidate, clusters = [], [], []
    for picture in range(pictures):
        hard = generator.random()
        for _ in range(questions):
            base.append(float(generator.random() < hard))
            candidate.append(float(generator.random() < hard * 0.9))
            clusters.append(picture)
    return base, candidate, clusters


@pytest.mark.parametrize("seed", range(5))
def test_the_error_is_that_of_a_cluster_robust_regression(seed: int) -> None:
    base, candidate, clusters = drawn(seed, 30, 4)
    found = paired_difference(base, candidate, clusters)
    d = np.asarray(candidate) - np.asarray(base)
    fit = sm.OLS(d, np.ones(len(d))).fit(
        cov_type="cluster", cov_kwds={"groups": np.asarray(clusters), "df_correction": True}
    )
    # statsmodels also multiplies by (n-1)/(n-k), which is 1 for a mean alone.
    assert found.error == pytest.approx(float(fit.bse[0]), rel=1e-12)
    assert found.difference == pytest.approx(d.mean())
    assert (found.n, found.clusters) == (120, 30)


@pytest.mark.parametrize("seed", range(3))
def test_without_clusters_it_is_the_paired_t_interval(seed: int) -> None:
    """Graded scores, where nothing is added for rare flips: scipy's interval of the mean difference."""
    from scipy import stats

    generator = random.Random(seed)
    base = [generator.random() for _ in range(40)]
    candidate = [min(1.0, one + generator.random() / 10) for one in base]
    found = paired_difference(base, candidate, range(40))
    reference = stats.ttest_rel(candidate, base).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_right_or_wrong_gets_the_interval_of_bonett_and_price() -> None:
    """Computed from the two-by-two table: one added to each kind of flip."""
    worse, better, same = 12, 30, 258
    d = [-1.0] * worse + [1.0] * better + [0.0] * same
    base = [1.0 if one < 0 else 0.0 for one in d]
    candidate = [one + two for one, two in zip(base, d, strict=True)]
    found = paired_difference(base, candidate, range(300))
    p12, p21 = (better + 1) / 302, (worse + 1) / 302
    centre, error = p12 - p21, math.sqrt((p12 + p21 - (p12 - p21) ** 2) / 302)
    assert found.low == pytest.approx(centre - 1.96 * error, abs=5e-4)
    assert found.high == pytest.approx(centre + 1.96 * error, abs=5e-4)
    assert (found.better, found.worse) == (better, worse)


def test_the_published_improvement() -> None:
    """46.20 → 53.54 of 2,017. Which flipped is not published: the fewest and the most there can be."""
    before, after, n = 932, 1080, 2017
    base = [1.0] * before + [0.0] * (n - before)
    few = paired_difference(base, [1.0] * after + [0.0] * (n - after), range(n))
    assert 100 * few.difference == pytest.approx(7.34, abs=0.005)
    assert (few.better, few.worse) == (148, 0)
    candidate = [0.0] * before + [1.0] * after + [0.0] * (n - before - after)
    many = paired_difference(base, candidate, range(n))
    assert (many.better, many.worse) == (after, before)
    assert few.test.exact < many.test.exact <= 0.00105
    assert (round(100 * many.low, 1), round(100 * many.high, 1)) == (3.0, 11.7)


def test_one_flip_does_not_exclude_a_loss_of_a_point() -> None:
    candidate = [1.0] * 300
    candidate[0] = 0.0
    found = paired_difference([1.0] * 300, candidate, range(300))
    assert found.low < -0.01
    # Student's interval alone would: its lower end is -0.0099.
    assert found.difference - 1.97 * found.error > -0.01


@pytest.mark.parametrize("same", [0.0, 1.0])
def test_no_flip_at_all_says_what_n_can_exclude(same: float) -> None:
    small = paired_difference([same] * 30, [same] * 30, range(30))
    large = paired_difference([same] * 3000, [same] * 3000, range(3000))
    assert small.low < -0.05 < large.low < 0 < large.high < 0.05 < small.high
    assert small.p == large.p == 1.0


def test_one_picture_says_nothing() -> None:
    found = paired_difference([1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [4, 4, 4])
    assert (found.low, found.high) == (-1.0, 1.0)
    assert math.isnan(found.error)
    assert found.test.exact == 1.0


def test_the_interval_holds_the_difference_and_stays_in_bounds() -> None:
    for base, candidate in itertools.product([[1.0] * 5, [0.0] * 5, [1.0, 0.0, 1.0, 0.0, 1.0]], repeat=2):
        found = paired_difference(base, candidate, range(5))
        assert -1 <= found.low <= found.difference <= found.high <= 1


def test_turning_the_sides_turns_the_interval() -> None:
    base, candidate, clusters = drawn(3, 20, 3)
    one, two = paired_difference(base, candidate, clusters), paired_difference(candidate, base, clusters)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert (one.better, one.worse, one.p) == (two.worse, two.better, two.p)


def test_without_pairs_there_is_no_difference() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference([], [], [])


def test_pairs_are_by_id_and_unscored_ones_are_counted() -> None:
    base = Outcomes.of(outcomes({"a1": 1.0, "a2": 0.0, "b1": None, "c1": 1.0, "old": 1.0}))
    candidate = Outcomes.of(outcomes({"c1": 0.0, "new": 1.0, "b1": 1.0, "a2": None, "a1": 1.0}))
    pairs = pair(base, candidate)
    assert pairs.ids == ["a1", "c1"]
    assert pairs.base.tolist() == [1.0, 1.0]
    assert pairs.candidate.tolist() == [1.0, 0.0]
    assert (pairs.only_base, pairs.only_candidate) == (1, 1)
    assert (pairs.unscored, pairs.unscored_base, pairs.unscored_candidate) == (2, 1, 1)
    assert pairs.overlap == 4 / 6
    assert [candidate.ids[row] for row in pairs.candidate_rows] == ["a1", "c1"]


def test_epochs_are_averaged_over_those_with_a_score() -> None:
    thrice = [*outcomes({"a": 1.0, "b": 0.0}), *outcomes({"a": 0.0, "b": None}, epoch=2)]
    pairs = pair(Outcomes.of(outcomes({"a": 1.0, "b": 1.0})), Outcomes.of(thrice))
    assert pairs.candidate.tolist() == [0.5, 0.0]
    assert pairs.unscored == 0
