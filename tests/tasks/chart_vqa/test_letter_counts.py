"""Letters and words of a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.chart_vqa.letter_counts import content_words, kept_words, letters, tell_apart, tokens


def test_a_letter_is_kept_above_three_in_order_of_first_appearance() -> None:
    assert letters("tatatata e e e zzzz 1111") == {"t": 4, "a": 4, "z": 4}


def test_letters_keep_their_case() -> None:
    assert letters("SSSS sssss") == {"S": 4, "s": 5}


def test_digits_spaces_and_signs_are_no_letters() -> None:
    assert letters("5555 .... ____ \u00b2\u00b2\u00b2\u00b2") == {}


@settings(derandomize=True, max_examples=100)
@given(st.text(alphabet="abcDE 1.\u00e9", max_size=80))
def test_letter_counts_are_those_of_the_text(text: str) -> None:
    assert letters(text) == {
        c: text.count(c) for c in dict.fromkeys(text) if c.isalpha() and text.count(c) > 3
    }


def test_words_are_lower_case_without_stop_words_and_numbers() -> None:
    text = "The baker's 12 Loaves weren\u2019t sold; two loaves and the BAKER left."
    assert content_words(text) == ["baker", "loaves", "sold", "loaves", "baker", "left"]
    assert tokens("Don't stop 3 times") == ["don't", "stop", "times"]


def test_a_word_is_kept_above_ten_over_all_texts() -> None:
    texts = [["plum", "fig", "kiwi"]] * 10 + [["plum", "fig"], ["fig"]]
    assert kept_words(texts) == [("fig", 12), ("plum", 11)]


@pytest.mark.parametrize(
    "kept",
    [{"s": 4, "S": 5}, {"I": 4, "t": 5}, {"a": 4, "\u0430": 5}, {"\u4e2d": 4, "\u6587": 5}, {"\u3042": 9}],
)
def test_letters_that_look_alike_or_cannot_be_drawn_are_refused(kept: dict[str, int]) -> None:
    assert not tell_apart(kept)


@pytest.mark.parametrize("kept", [{"a": 4, "T": 5}, {"\u0436": 4, "\u0430": 5}, {"\u00e9": 4, "e": 4}])
def test_letters_a_reader_can_tell_apart(kept: dict[str, int]) -> None:
    assert tell_apart(kept)
