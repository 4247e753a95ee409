"""Which option a rationale arrives at; how well the rule finds what people call concluded wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorers.options.reasoned_option import reasoned_option, reasoned_right_concluded_wrong

CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("data").joinpath("reasoned_right.jsonl").read_text().splitlines()
]
TOWNS = ("Arlen", "Bruck", "Calder", "Dorn")


def found(case: dict[str, Any]) -> bool:
    text = f"<REASONING> {case['reasoning']} </REASONING>\n<CONCLUSION> {case['conclusion']} </CONCLUSION>"
    gold = "ABCDEFGH".index(case["target"])
    return reasoned_right_concluded_wrong(text, case["choices"], {gold})[1]


@pytest.mark.parametrize(
    ("written", "cases", "precision", "recall"),
    [("before the rule", 50, (23, 23), (23, 24)), ("after the rule", 20, (10, 11), (10, 13))],
)
def test_precision_and_recall_on_cases_labelled_by_hand(
    written: str, cases: int, precision: tuple[int, int], recall: tuple[int, int]
) -> None:
    """A change of the rule that moves these figures is to be recorded with the new ones."""
    own = [case for case in CASES if case["written"] == written]
    assert len(own) == cases
    called = [case for case in own if found(case)]
    labelled = [case for case in own if case["reasoned_right_concluded_wrong"]]
    both = [case for case in called if case in labelled]
    assert (len(both), len(called)) == precision
    assert (len(both), len(labelled)) == recall


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("Dorn is at the top.", 3),
        ("Arlen lies low. So it must be Calder.", 2),
        ("Therefore the answer is (B).", 1),
        ("It is not Arlen but Dorn.", 3),
        ("Dorn is farther north than Arlen.", 3),
        ("So Bruck lies above Calder.", 1),
        ("So it is Bruck or Calder.", None),
        ("Arlen, Bruck, Calder and Dorn are shown.", None),
        ("Is it Dorn?", None),
        ("It is not Dorn.", None),
        ("", None),
    ],
)
def test_where_a_rationale_arrives(text: str, index: int | None) -> None:
    assert reasoned_option(text, TOWNS) == index


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        ("<REASONING> It is Dorn. </REASONING> <CONCLUSION> A </CONCLUSION>", (True, True)),
        ("<REASONING> It is Dorn. </REASONING> <CONCLUSION> D </CONCLUSION>", (True, False)),
        ("<REASONING> It is Dorn. </REASONING> <CONCLUSION> who knows </CONCLUSION>", (True, False)),
        ("<REASONING> It is Dorn. </REASONING>", (True, False)),
        ("<CONCLUSION> A </CONCLUSION>", (False, False)),
        ("It is Dorn. The answer is A.", (False, False)),
    ],
)
def test_a_wrong_conclusion_under_right_reasons(completion: str, expected: tuple[bool, bool]) -> None:
    assert reasoned_right_concluded_wrong(completion, TOWNS, {3}) == expected


@given(st.text(max_size=400), st.lists(st.text(max_size=20), min_size=2, max_size=5))
def test_any_text_has_an_option_that_exists_or_none(text: str, choices: list[str]) -> None:
    index = reasoned_option(text, choices)
    assert index is None or 0 <= index < len(choices)
