"""Texts from elsewhere, as tables and files write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from results.shown.words import parameters_text, printable, score_text, seconds_text


def test_control_codes_are_replaced_and_nothing_else_is() -> None:
    assert printable("a\x1b[31mb\nc") == "a\ufffd[31mb\ufffdc"
    assert printable("two\nlines\r", keep="\n") == "two\nlines\ufffd"
    assert score_text(None) == "–"


@given(st.text())
def test_what_is_printable_has_its_length_and_no_control_codes(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(text).isprintable()


def test_sizes_and_times() -> None:
    assert [parameters_text(n) for n in (None, 900, 1_180_000, 3_100_000_000)] == [
        "–",
        "900",
        "1.18M",
        "3.1B",
    ]
    assert [seconds_text(s) for s in (None, 3.2, 99, 600, 7200)] == ["–", "3 s", "99 s", "10 min", "2.0 h"]
