"""Texts from elsewhere, as tables and files write them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from results.shown.words import printable, score_text


def test_control_codes_are_replaced_and_nothing_else_is() -> None:
    assert printable("a\x1b[31mb\nc") == "a\ufffd[31mb\ufffdc"
    assert printable("two\nlines\r", keep="\n") == "two\nlines\ufffd"
    assert score_text(None) == "–"


@given(st.text())
def test_what_is_printable_has_its_length_and_no_control_codes(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(text).isprintable()
