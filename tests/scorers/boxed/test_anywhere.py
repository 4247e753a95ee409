"""Labelled cases for the looser metric: the right answer standing anywhere in the text."""

import pytest

from scorers.boxed.anywhere import answer_anywhere

NUMBERS = [
    ("The median is 7.", "7", True),
    ("The median is **7**", "7", True),
    ("7", "7", True),
    ("It is $7$ letters", "7", True),
    ("(7)", "7", True),
    ("values: 3, 5, 7 and 9", "7", True),
    ("values: [3,5,7,9]", "7", True),
    ("Either 6 or 7.", "7", True),  # an upper bound: every candidate listed is a hit
    ("7.00", "7", True),
    ("about 12.5%", "12.5", True),
    (r"about 12.5\%", "12.5", True),
    ("1,234 letters", "1234", True),
    ("12{,}345 letters", "12345", True),
    ("The mean is 13.46", "13.46", True),
    (r"\frac{1}{2} of them", "0.5", True),
    ("175/13 each", "175/13", True),
    ("a change of -5", "-5", True),
    ("a change of −5", "-5", True),  # the minus sign models write
    ("there are seven letters", "7", True),
    ("there are twenty-one letters", "21", True),
    ("٧ letters", "7", True),
    ("x=7", "7", True),
    (r"\boxed{7}", "7", True),
    (r"\boxed{\sqrt{8}}", r"2\sqrt{2}", True),
    ("no number here", "7", False),
    ("", "7", False),
    ("17", "7", False),
    ("70", "7", False),
    ("7.5", "7", False),
    ("0.7", "7", False),
    ("3.7", "7", False),
    ("1,007", "7", False),
    ("7,000", "7", False),
    ("17/3", "17", False),
    ("3/7", "7", False),
    ("the 7th bar", "7", False),
    ("x7", "7", False),
    ("12:07", "7", False),
    ("-5", "5", False),
    ("3-5", "-5", False),
    ("3-5", "5", True),
    ("twenty-one", "1", False),
    ("seventeen", "7", False),
]

TEXTS = [
    ("The most frequent letter is e.", "e", True),
    ("The most frequent letter is 'E'.", "e", True),
    (r"It is \text{e}", "e", True),
    ("It is **e**", "e", True),
    ("a, e, t", "t", True),
    ("The word market leads", "market", True),
    ("in New\nYork today", "New York", True),
    ("written in C++ here", "C++", True),
    ("The letter", "e", False),
    ("don't", "t", False),
    ("supermarket", "market", False),
    ("markets", "market", False),
    ("", "e", False),
    ("a+b", "a.b", False),
]

BOOLEANS = [
    ("Yes, it is there.", "True", True),
    ("The statement is true", "yes", True),
    ("No.", "False", True),
    ("True or False?", "False", True),
    ("It is not there", "False", False),
    ("nothing known", "False", False),
    ("untrue", "True", False),
    ("t y", "True", False),
    ("", "True", False),
]


@pytest.mark.parametrize(("text", "target", "expected"), NUMBERS)
def test_numbers(text: str, target: str, expected: bool) -> None:
    assert answer_anywhere(text, target, kind="number") is expected


@pytest.mark.parametrize(("text", "target", "expected"), TEXTS)
def test_texts(text: str, target: str, expected: bool) -> None:
    assert answer_anywhere(text, target, kind="text") is expected


@pytest.mark.parametrize(("text", "target", "expected"), BOOLEANS)
def test_booleans(text: str, target: str, expected: bool) -> None:
    assert answer_anywhere(text, target, kind="boolean") is expected


def test_tolerance_and_tie_sets() -> None:
    assert answer_anywhere("about 13.47 each", "13.46", kind="number", tolerance=0.01)
    assert not answer_anywhere("about 13.48 each", "13.46", kind="number", tolerance=0.01)
    assert answer_anywhere("it is t", {"e", "t"}, kind="text")
    assert answer_anywhere("it is 9", ["7", "9"], kind="number")
    assert not answer_anywhere("it is a", {"e", "t"}, kind="text")


def test_long_texts_are_read_at_both_ends() -> None:
    filler = " filler" * 50_000
    assert answer_anywhere("The median is 7." + filler, "7", kind="number")
    assert answer_anywhere(filler + " The median is 7.", "7", kind="number")
    assert not answer_anywhere(filler + " The median is 7." + filler, "7", kind="number")


@pytest.mark.parametrize(("target", "kind"), [("e", "number"), ("", "text"), ("maybe", "boolean")])
def test_a_gold_that_means_nothing_is_an_error(target: str, kind: str) -> None:
    with pytest.raises(ValueError, match="target"):
        answer_anywhere("7 e True", target, kind=kind)  # type: ignore[arg-type]


def test_no_targets_is_an_error() -> None:
    with pytest.raises(ValueError, match="tie set"):
        answer_anywhere("7", [], kind="number")
