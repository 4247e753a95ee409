"""Questions: wordings, ranks, ties, rounding."""

import re
import statistics
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.chart_vqa.questions import (
    FAMILIES,
    WORDINGS,
    absent_words,
    ask,
    askable,
    letter_ranks,
    letters_of_rank,
    median,
    ordinal,
    word_ranks,
)
from tasks.chart_vqa.rounding import decimals

COUNTS = st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(4, 12), min_size=4, max_size=16)

DATA: dict[str, dict[str, Any]] = {
    "bar": {"letters": {"e": 9, "t": 7, "a": 5, "o": 4}},
    "pie": {"letters": {"e": 9, "t": 7, "a": 5, "o": 4}},
    "cloud": {"words": [["plums", 30, 60], ["jars", 20, 40], ["boats", 11, 22]]},
    "line": {"times": ["Mon", "Tue", "Wed"], "values": [3, 9, 4]},
    "grouped": {"groups": ["Q1", "Q2"], "series": ["a", "e"], "values": [[1, 2], [3, 4]], "stacked": False},
}


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (10, "10th"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
        (23, "23rd"),
        (101, "101st"),
        (111, "111th"),
        (112, "112th"),
    ],
)
def test_ordinals(number: int, word: str) -> None:
    """Trap 10: "1th", "2th"."""
    assert ordinal(number) == word


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Fraction(300, 17), 2, "17.65"),
        (Fraction(57, 8), 2, "7.13"),
        (7, 2, "7.00"),
        (Fraction(199, 2), 0, "100."),
        (Fraction(100, 3), 1, "33.3"),
        (Fraction(1, 20), 1, "0.1"),
        (Fraction(9999, 1000), 2, "10.00"),
    ],
)
def test_decimals_round_halves_up(value: Fraction, places: int, text: str) -> None:
    assert decimals(value, places).startswith(text)


def test_every_family_has_several_distinct_wordings() -> None:
    for chart, families in FAMILIES.items():
        for family in families:
            wordings = WORDINGS[f"{chart}/{family}"]
            assert len(set(wordings)) == len(wordings) >= 3


@pytest.mark.parametrize(("chart", "family"), [(c, f) for c, families in FAMILIES.items() for f in families])
def test_all_wordings_are_used_and_filled(chart: str, family: str) -> None:
    vocabulary = ["ropes", "tents", "plum", "plums"]
    questions = [ask(chart, family, DATA[chart], Random(i), vocabulary=vocabulary) for i in range(300)]
    texts = {question.text for question in questions}
    assert len(texts) >= len(WORDINGS[f"{chart}/{family}"])
    assert not any(re.search(r"[{}]|\b\d*(?:1th|2th|3th)\b", text) for text in texts)
    assert {question.kind for question in questions} == {
        "boolean"
        if family == "word_present"
        else "text"
        if family in ("letter_of_rank", "word_of_rank", "time_of_maximum", "largest_series")
        else "number"
    }


@settings(derandomize=True, max_examples=200)
@given(COUNTS)
def test_a_rank_means_one_frequency_and_its_whole_tie_is_accepted(letters: dict[str, int]) -> None:
    """Trap 1: ties for the k-th place were broken by an order that no reader can see."""
    ordered = sorted(letters.values(), reverse=True)
    distinct = sorted(set(ordered), reverse=True)
    for rank in letter_ranks(letters):
        # Counting letters and counting different frequencies must lead to the same place.
        assert ordered[rank - 1] == distinct[rank - 1]
        assert set(letters_of_rank(letters, rank)) == {c for c in letters if letters[c] == ordered[rank - 1]}


def test_a_tie_gives_all_its_letters_as_answers() -> None:
    data = {"letters": {"a": 5, "b": 9, "c": 5, "d": 4}}
    assert letter_ranks(data["letters"]) == [1, 2]
    targets = {str(ask("pie", "letter_of_rank", data, Random(i)).target) for i in range(50)}
    assert targets == {"b", "['a', 'c']"}


def test_no_rank_is_asked_behind_a_tie() -> None:
    assert letter_ranks({"a": 9, "b": 9, "c": 5, "d": 4}) == [1]
    assert letter_ranks({"a": 4, "b": 4, "c": 4, "d": 4}) == []


def test_a_word_is_ranked_only_when_visibly_larger_than_the_next() -> None:
    """Trap 1 for clouds."""
    assert word_ranks([["a", 40, 60], ["b", 30, 45], ["c", 20, 30], ["d", 11, 20]]) == [1, 2, 3]
    assert word_ranks([["a", 40, 60], ["b", 39, 58], ["c", 20, 30]]) == []
    # Equal counts drawn at different sizes because one did not fit are no ranking.
    assert word_ranks([["a", 40, 60], ["b", 20, 40], ["c", 20, 30]]) == [1]
    # Different counts drawn at one size are none either.
    assert word_ranks([["a", 40, 40], ["b", 20, 40]]) == []
    assert word_ranks([["a", 40, 40]]) == []


def test_an_absent_word_is_no_part_of_a_drawn_one() -> None:
    drawn = [["plums", 12, 30], ["rope", 11, 28]]
    assert absent_words(drawn, ["plum", "plums", "ropes", "tents", "lum"]) == ["tents"]


def test_present_and_absent_are_as_wished() -> None:
    """Trap 2: all answers to "is the word present" were False."""
    for seed in range(50):
        for present in (True, False):
            question = ask(
                "cloud",
                "word_present",
                DATA["cloud"],
                Random(seed),
                present=present,
                vocabulary=["tents", "plum"],
            )
            assert question.target == str(present)
            assert question.asked["word"] == "tents" or present


@settings(derandomize=True, max_examples=100)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_median_agrees_with_the_standard_library(values: list[int]) -> None:
    assert float(median(values)) == statistics.median(values)


def test_questions_without_a_clear_answer_are_not_askable() -> None:
    assert not askable("largest_rise", {"times": ["a", "b"], "values": [5, 4]})
    assert not askable("time_of_maximum", {"times": list("abcd"), "values": [5, 5, 5, 5]})
    assert not askable("largest_series", {"series": ["a", "e"], "values": [[1, 2], [2, 1]]})
    assert not askable("letter_of_rank", {"letters": dict.fromkeys("abcd", 4)})
