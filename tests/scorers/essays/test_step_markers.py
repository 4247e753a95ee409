"""Trap 9 of the essays' experiment: taking the structure away lost apostrophes and short lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.essays.step_markers import count_markers, marker, structured_to_plain

EXPERIMENT = (
    '1. <Describe a graph>:\n"The chart shows the firm\'s debt."\n\n2. <Find the key points>:\n\n'
    'Paragraph 1:\n"It\'s 9%."\n\nParagraph 2:\n"Up."\n\n3. <Write a summary>:\n"Overall, it rose by "half"."'
)


def test_markers_labels_and_their_quotes_go_and_nothing_else() -> None:
    assert structured_to_plain(EXPERIMENT) == (
        'The chart shows the firm\'s debt.\n\nIt\'s 9%.\n\nUp.\n\n"Overall, it rose by "half"."'
    )
    assert count_markers(EXPERIMENT) == 5


def test_markers_in_the_middle_of_a_line_go_too() -> None:
    one_line = " ".join(EXPERIMENT.replace('"half"', "half").split())
    assert structured_to_plain(one_line) == (
        "The chart shows the firm's debt.\n\nIt's 9%.\n\nUp.\n\nOverall, it rose by half."
    )


@pytest.mark.parametrize(
    "line",
    [
        "Step by step, prices rose.",
        "Step 1 of the plan was cheap.",
        "Steps 1 and 2 cost 30%.",
        "2. The second largest was coal.",
        "2.5 million people left.",
        "In 2010, paragraph 3 of the law changed.",
        "Paragraphs were short.",
        "Step 2.5 million",
        '"Up."',
        "a <b c",
        "Overview: all rose.",
    ],
)
def test_a_line_of_an_essay_is_no_marker(line: str) -> None:
    assert marker(line) is None
    assert structured_to_plain(line) == line


@pytest.mark.parametrize(
    ("line", "step", "rest"),
    [
        ("Step 1: What the chart shows", 1, ""),
        ("**Step 2:** Main features", 2, ""),
        ("### Step 3 - Overview", 3, ""),
        ("Step 3: Overview: Prices rose.", 3, "Prices rose."),
        ("Step 2. Prices rose between 2001 and 2005.", 2, "Prices rose between 2001 and 2005."),
        ("1. <Describe a graph>: It shows coal.", 1, "It shows coal."),
        ("1) <Describe a graph:> It shows coal.", 1, "It shows coal."),
        ("- 3. <Write a summary>", 3, ""),
        ("2. Find the key points and trends:", 2, ""),
        ("Paragraph 12: Coal fell.", None, "Coal fell."),
        ("**Paragraph 2**: Coal fell.", None, "Coal fell."),
        ("Body paragraph 1:", None, ""),
        ('1. **Describe a graph:** "It shows coal."', 1, '"It shows coal."'),
        ("1. **Describe a graph**: It shows coal.", 1, "It shows coal."),
        ("1. <Describe a graph>: **Coal** fell.", 1, "**Coal** fell."),
        ("**1. <Describe a graph>:** **Coal** fell.", 1, "**Coal** fell."),
        ("<Describe a graph>: Coal fell.", None, "Coal fell."),
    ],
)
def test_markers_as_models_write_them(line: str, step: int | None, rest: str) -> None:
    assert marker(line) == (step, rest)


LINES = st.text(alphabet=st.sampled_from("ab'’\"“” -.,;:%&()19$é"), max_size=30)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_a_text_without_markers_is_unchanged(lines: list[str]) -> None:
    text = "\n".join(line.rstrip() for line in lines)
    blocks = [block.strip() for block in text.split("\n\n")]
    kept = structured_to_plain(text)
    # Blank lines may be several; what stands between them is the same, character by character.
    assert "".join(kept.split()) == "".join(text.split())
    assert kept.split() == text.split()
    assert [block for block in blocks if block and "\n" not in block and block not in kept] == []


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_taking_markers_away_twice_is_taking_them_away_once(text: str) -> None:
    once = structured_to_plain(text)
    assert set(once) <= set(text) | {"\n"}
