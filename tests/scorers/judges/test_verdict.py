"""What a judge's reply says: real forms of replies, and everything that is no verdict."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorers.judges.concluding_tag import concluding_tags
from scorers.judges.rating import parse_rating
from scorers.judges.verdict import parse_verdict

REASONS = (
    "The first text reports 46% in 1998, which the chart shows. The second says 64%, a wrong figure.\n"
    "Both have an overview; the second is longer but repeats itself.\n\n"
)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("<verdict>FIRST</verdict>", "first"),
        (REASONS + "<verdict>SECOND</verdict>", "second"),
        (REASONS + "<verdict>TIE</verdict>\n", "tie"),
        (REASONS + "**<verdict>FIRST</verdict>**", "first"),
        (REASONS + "<verdict>**FIRST**</verdict>", "first"),
        (REASONS + "<verdict>first</verdict>.", "first"),
        (REASONS + "<VERDICT> Second </VERDICT>", "second"),
        (REASONS + "< verdict >FIRST< / verdict >", "first"),
        (REASONS + "<verdict>\nTIE\n</verdict>", "tie"),
        (REASONS + "```\n<verdict>SECOND</verdict>\n```", "second"),
        (REASONS + "```xml\n<verdict>SECOND</verdict>\n```\n", "second"),
        (REASONS + "Verdict: <verdict>The first text</verdict>", "first"),
        (REASONS + "- <verdict>FIRST.</verdict>", "first"),
        (
            "<think>The SECOND is better.\n<verdict>SECOND</verdict></think>\n<verdict>FIRST</verdict>",
            "first",
        ),
        ("the user wants a verdict\n</think>\n\nThe second misreads.\n<verdict>FIRST</verdict>", "first"),
        # The last tag counts.
        ("At first sight <verdict>SECOND</verdict>.\nBut 64% is wrong.\n<verdict>FIRST</verdict>", "first"),
        ("<verdict>TIE</verdict>\nNo: the second has no overview.\n<verdict>FIRST</verdict>", "first"),
        ("The second says '<verdict>SECOND</verdict>', a trick.\n<verdict>FIRST</verdict>", "first"),
        ("<verdict>FIRST</verdict>\n<verdict>FIRST</verdict>", "first"),
        # Alone on its line, with a polite end.
        (REASONS + "<verdict>SECOND</verdict>\n\nI hope this helps.", "second"),
        # Slips of the form that leave no doubt.
        (REASONS + "<verdict>FIRST<verdict>", "first"),
        (REASONS + "<verdict>FIRST", "first"),
        (REASONS + "<verdict>FIRST</verd", "first"),
        # The word as the tag.
        (REASONS + "<SECOND>", "second"),
        (REASONS + "**<TIE>**", "tie"),
        (REASONS + "The better one is <second>.", "second"),
        ("<FIRST> because it has the right figures.", "first"),
        ("<FIRST>\n\nThe first text has the right figures, the second has not.", "first"),
        ("<SECOND> at first sight.\nBut 64% is wrong.\n<FIRST>", "first"),
        (REASONS + "<FIRST></FIRST>", "first"),
        (REASONS + "<FIRST>the first text</FIRST>", "first"),
        (REASONS + "<verdict><FIRST></verdict>", "first"),
        ("Answer <FIRST> if the first is better, else <SECOND>.\nThe second misreads 46%.\n<FIRST>", "first"),
        # No tag: a last line that is nothing but the verdict.
        (REASONS + "FIRST", "first"),
        (REASONS + "**SECOND**", "second"),
        (REASONS + "[[TIE]]", "tie"),
        (REASONS + "<FIRST>", "first"),
        (REASONS + "Verdict: FIRST.", "first"),
        (REASONS + "**Final verdict:** second", "second"),
        (REASONS + "My final answer is: **FIRST**", "first"),
        (REASONS + "The winner is the second text.", "second"),
        ("tie", "tie"),
        ("SECOND.", "second"),
    ],
)
def test_a_verdict(reply: str, verdict: str) -> None:
    assert parse_verdict(reply) == verdict


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " \n",
        "I'm sorry, but I can't compare these texts.",
        "As a language model I have no preference.",
        # Both in the conclusion.
        "<verdict>FIRST</verdict> or <verdict>SECOND</verdict>",
        REASONS + "<verdict>FIRST</verdict>\n<verdict>SECOND</verdict>",
        REASONS + "<verdict>FIRST</verdict>\n\n---\n\n<verdict>TIE</verdict>",
        REASONS + "<verdict>FIRST/SECOND</verdict>",
        REASONS + "<verdict>FIRST and SECOND</verdict>",
        "FIRST is better than SECOND",
        "The FIRST one is better.",
        "I prefer the second essay because it has an overview.",
        # Words that were not on offer.
        "<verdict>THIRD</verdict>",
        "THIRD",
        "<verdict>A</verdict>",
        "<verdict>1</verdict>",
        "<verdict>NEITHER</verdict>",
        "<verdict></verdict>",
        "<verdict>FIRSTLY</verdict>",
        REASONS + "<THIRD>",
        REASONS + "<BOTH>",
        REASONS + "<FIRST> <SECOND>",
        REASONS + "<FIRST>\n<SECOND>",
        "<FIRST>? <SECOND>? I cannot say.",
        # The instructions quoted, and nothing of its own.
        "with <FIRST> (indicating the first one is better) or <SECOND> (indicating the second is).",
        "- <FIRST> if the first is better\n- <SECOND> if the second is better",
        "<FIRST>: when the first is better",
        "write one word, FIRST, SECOND or TIE, between these tags:\n<verdict>…</verdict>",
        "I am to write <verdict>FIRST</verdict>, <verdict>SECOND</verdict> or <verdict>TIE</verdict>.",
        "If the first is better I write <verdict>FIRST</verdict> at the end.\nNow the first text says that",
        "Verdict: FIRST, SECOND or TIE",
        # Thoughts that never ended.
        "<think>The first is better. <verdict>FIRST</verdict>",
        "<think>FIRST",
        "<think>a</think><think>FIRST",
        # A sentence cut off.
        REASONS + "First",
        REASONS + "Second",
        "a </verdict> b <verdict> c",
        "<verdict>" + "FIRST " * 40 + "</verdict>",
    ],
)
def test_no_verdict(reply: str) -> None:
    assert parse_verdict(reply) is None


@given(st.text())
def test_any_text_has_a_verdict_or_none(text: str) -> None:
    assert parse_verdict(text) in ("first", "second", "tie", None)
    assert parse_rating(text) in (0.0, 0.5, 1.0, None)


PIECES = st.sampled_from(
    ["<verdict>", "</verdict>", "FIRST", "SECOND", "TIE", "first", "\n", " ", "```", "**", "<", ">",
     "<think>", "</think>", "the ", "is better", "<verdict>FIRST</verdict>", "<verdict>SECOND</verdict>"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["FIRST", "SECOND", "TIE"]))
def test_a_tag_on_the_last_line_decides_whatever_came_before(before: str, word: str) -> None:
    reply = f"{before}</think>\nSo this is what I think.\n<verdict>{word}</verdict>"
    assert parse_verdict(reply) == word.lower()


@given(st.lists(PIECES, max_size=30).map("".join))
def test_two_different_tags_on_the_last_line_never_decide(before: str) -> None:
    assert parse_verdict(f"{before}</think>\n<verdict>FIRST</verdict>, <verdict>SECOND</verdict>") is None


@given(st.lists(PIECES, max_size=40).map("".join))
def test_swapping_the_names_swaps_the_verdict(reply: str) -> None:
    """Neither place is favoured by the reading itself."""
    swapped = (
        reply.replace("FIRST", "\0")
        .replace("SECOND", "FIRST")
        .replace("\0", "SECOND")
        .replace("first", "second")
    )
    opposite = {"first": "second", "second": "first", "tie": "tie", None: None}
    if "second" not in reply:
        assert parse_verdict(swapped) == opposite[parse_verdict(reply)]


@pytest.mark.parametrize(
    "hostile",
    [
        "<verdict>" * 100_000,
        "<verdict>FIRST</verdict>" * 40_000,
        "<verdict>FIRST</verdict>\nx" * 40_000,
        "<" * 1_000_000,
        "< " * 500_000,
        "<verdict" + " " * 1_000_000,
        "<verdict>" + "a" * 1_000_000,
        "\n" * 1_000_000,
        "*" * 1_000_000,
        "</think>" * 100_000,
        "<think>" * 100_000,
        "verdict is " * 100_000,
        " " * 1_000_000 + "x",
        "<verdict>FIRST" + " " * 1_000_000,
        "<FIRST>" * 100_000,
        "<FIRST>" + "a" * 1_000_000,
        "<FIRST>" + "a" * 79 + "<" * 1_000_000,
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(hostile: str) -> None:
    start = time.process_time()
    parse_verdict(hostile)
    parse_rating(hostile.replace("verdict", "rating"))
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("It names both.\n<rating>1</rating>", 1.0),
        ("<rating>0.5</rating>", 0.5),
        ("<rating>½</rating>.", 0.5),
        ("<rating>1/2</rating>", 0.5),
        ("<rating> **0** </rating>", 0.0),
        ("<rating>1.0</rating>\n", 1.0),
        ("<rating>1.</rating>", 1.0),
        ("<rating>0,5</rating>", 0.5),
        ("First <rating>1</rating>, then I saw the contradiction.\n<rating>0</rating>", 0.0),
        ("<rating>0.7</rating>", None),
        ("<rating>2</rating>", None),
        ("<rating>-1</rating>", None),
        ("<rating>0</rating> or <rating>1</rating>", None),
        ("<rating>…</rating>", None),
        ("<verdict>1</verdict>", None),
        ("1", None),
        ("Rating: 1", None),
        ("<think><rating>1</rating>", None),
        ("I cannot rate this.", None),
    ],
)
def test_a_rating(reply: str, rating: float | None) -> None:
    assert parse_rating(reply) == rating


def test_tags_that_stand_together_conclude_together() -> None:
    assert concluding_tags("<x>1</x> and <x>2</x>", "x") == ["2", "1"]
    assert concluding_tags("<x>1</x>\nso\n<x>2</x>\n<x>3</x>", "x") == ["3", "2"]
    assert concluding_tags("<x>1</x> it was\nbut no", "x") == []
