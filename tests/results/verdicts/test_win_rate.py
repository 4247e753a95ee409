"""Win rates against independent counts: judges whose true numbers are known, and the published ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
import statsmodels.stats.proportion as proportion

from results.numbers.intervals import clustered_standard_error
from results.verdicts.judging import Call, VerdictWord
from results.verdicts.win_rate import JudgedPair, judged_pairs, rates

Judge = Callable[[str, str], VerdictWord | None]
"""(who wrote the first text, who the second) → what the judge says."""


def calls(judge: Judge, n: int, per_cluster: int = 1, words: Sequence[tuple[int, int]] = ()) -> list[Call]:
    """Both orders of n pairs of a and b."""
    made = []
    for number in range(n):
        words_a, words_b = words[number] if words else (180, 180)
        for shown in ("a", "b"):
            other = "b" if shown == "a" else "a"
            said = judge(shown, other)
            made.append(
                Call(
                    sample=f"s{number}",
                    a="A",
                    b="B",
                    shown_first=shown,
                    said=said,
                    reason=None if said else "judge_unparsed",
                    cluster=f"c{number // per_cluster}",
                    groups={"chart": "pie" if number % 3 else "bar"},
                    words_a=words_a,
                    words_b=words_b,
                    call=f"s{number}:{shown}",
                )
            )
    return made


def pairs_of(made: list[Call]) -> list[JudgedPair]:
    return judged_pairs(made, "A", "B")


def test_a_judge_that_always_says_first_gives_one_half_and_flips_every_pair() -> None:
    found = rates(pairs_of(calls(lambda first, second: "first", 40, per_cluster=2)))
    assert found.win is not None and found.flip is not None and found.first is not None
    assert (found.win.mean, found.win.low, found.win.high, found.win.n) == (0.5, 0.5, 0.5, 40)
    assert found.flip.mean == 1
    assert found.first.mean == 1
    assert (found.wins, found.ties, found.losses) == (0, 40, 0)
    assert found.said == {"first": 80}


def test_a_judge_that_only_says_tie_gives_one_half_and_no_certainty() -> None:
    found = rates(pairs_of(calls(lambda first, second: "tie", 20)))
    assert found.win is not None and found.flip is not None
    assert found.win.mean == 0.5
    assert found.win.low < 0.35 and found.win.high > 0.65
    assert found.flip.mean == 0
    assert found.first is None


def of_outcomes(outcomes: Sequence[str]) -> list[Call]:
    """Calls of a judge without a love of place: w, l or t for each pair."""
    made = []
    for number, outcome in enumerate(outcomes):
        words: dict[str, VerdictWord] = {"w": "first", "l": "second", "t": "tie"}
        turned: dict[VerdictWord, VerdictWord] = {"first": "second", "second": "first", "tie": "tie"}
        for shown in ("a", "b"):
            said = words[outcome] if shown == "a" else turned[words[outcome]]
            made.append(
                Call(
                    f"s{number}", "A", "B", shown, said, None, f"c{number}", {}, 100, 100, f"{number}{shown}"
                )
            )
    return made


@pytest.mark.parametrize(
    ("wins", "n", "percent", "low", "high"),
    [(180, 272, 66.2, 60.4, 71.5), (235, 295, 79.7, 74.7, 83.9)],
    ids=["structured", "unstructured"],
)
def test_the_published_counts(wins: int, n: int, percent: float, low: float, high: float) -> None:
    """180 of 272 and 235 of 295 essays of the experiment, with Wilson's interval."""
    found = rates(pairs_of(of_outcomes("w" * wins + "l" * (n - wins))))
    assert found.win is not None
    assert found.win.n == n
    assert [round(100 * v, 1) for v in (found.win.mean, found.win.low, found.win.high)] == [
        percent,
        low,
        high,
    ]
    expected = proportion.proportion_confint(wins, n, method="wilson")
    assert (found.win.low, found.win.high) == pytest.approx(expected, abs=1e-12)


def test_ties_count_half_and_clusters_widen_the_interval() -> None:
    rng = Random(4)
    outcomes = [rng.choice("wwlt") for _ in range(60)]
    pairs = pairs_of(of_outcomes(outcomes))
    values = [{"w": 1.0, "l": 0.0, "t": 0.5}[outcome] for outcome in outcomes]
    found = rates(pairs)
    assert found.win is not None
    assert found.win.mean == pytest.approx(np.mean(values))
    error = clustered_standard_error(values, list(range(60)))
    from scipy import stats

    assert found.win.high - found.win.mean == pytest.approx(stats.t.ppf(0.975, 59) * error)
    assert (found.wins, found.ties, found.losses) == tuple(outcomes.count(o) for o in "wtl")


def test_place_and_preference_come_apart() -> None:
    """The better text wins 60% of the time; with 20% the judge names the first whatever it reads.

    Shown first always, the candidate would read .68; both orders give .58, four of five unchanged.
    """
    rng = Random(7)
    made: list[Call] = []
    for number in range(6000):
        better = "a" if rng.random() < 0.6 else "b"
        for shown in ("a", "b"):
            biased = rng.random() < 0.2
            said: VerdictWord = "first" if biased or better == shown else "second"
            made.append(
                Call(f"s{number}", "A", "B", shown, said, None, f"c{number}", {}, 1, 1, f"{number}{shown}")
            )
    found = rates(pairs_of(made))
    assert found.win is not None and found.flip is not None and found.first is not None
    shown_first = [call.score for call in made if call.shown_first == "a"]
    assert np.mean([score for score in shown_first if score is not None]) == pytest.approx(0.68, abs=0.02)
    assert found.win.mean == pytest.approx(0.58, abs=0.02)
    assert 1 - found.flip.mean == pytest.approx(0.80, abs=0.02)
    assert found.first.mean == pytest.approx(0.60, abs=0.02)


def test_a_pair_with_one_order_unparsed_is_unscored_and_counted() -> None:
    def judge(first: str, second: str) -> VerdictWord | None:
        return None if first == "b" else "first"

    found = rates(pairs_of([*calls(judge, 10)]))
    assert found.win is None
    assert found.unscored == {"judge_unparsed": 10}
    assert found.unparsed is not None
    assert (found.unparsed.mean, found.unparsed.n) == (0.5, 20)
    assert found.said == {"first": 10, "none": 10}
    # What was said still tells of the judge.
    assert found.first is not None and found.first.mean == 1


def test_unscored_pairs_leave_numerator_and_denominator() -> None:
    made = of_outcomes("wwwl")
    silent = [
        Call(f"x{n}", "A", "B", shown, None, "judge_unparsed", f"x{n}", {}, 1, 1, f"x{n}{shown}")
        for n in range(6)
        for shown in ("a", "b")
    ]
    found = rates(pairs_of([*made, *silent]))
    assert found.win is not None
    assert (found.win.mean, found.win.n, found.pairs) == (0.75, 4, 10)
    assert sum(found.unscored.values()) == 6
    assert found.unparsed is not None and found.unparsed.mean == pytest.approx(12 / 20)


def test_a_call_that_failed_is_no_reply_without_a_verdict() -> None:
    made = [*of_outcomes("ww"), Call("e", "A", "B", "a", None, "error", "e", {}, 1, 1, "ea")]
    found = rates(pairs_of(made))
    assert found.unscored == {"error": 1}
    assert found.unparsed is not None and (found.unparsed.mean, found.unparsed.n) == (0, 4)


def test_a_pair_whose_other_order_was_never_asked_is_not_scored() -> None:
    made = [call for call in of_outcomes("wl") if call.shown_first == "a"]
    found = rates(pairs_of(made))
    assert found.win is None
    assert found.unscored == {"not run": 2}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((35, 190), "under half as long"),
        ((95, 190), "under half as long"),
        ((100, 190), "shorter"),
        ((152, 190), "shorter"),
        ((160, 190), "about as long"),
        ((190, 190), "about as long"),
        ((0, 0), "about as long"),
        ((250, 190), "longer"),
        ((400, 190), "over twice as long"),
        ((5, 0), "over twice as long"),
        ((0, 5), "under half as long"),
    ],
)
def test_lengths_side_by_side(words: tuple[int, int], name: str) -> None:
    (pair,) = pairs_of(calls(lambda first, second: "first", 1, words=[words]))
    assert pair.length == name
