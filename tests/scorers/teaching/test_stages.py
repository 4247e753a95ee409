"""Stages in tags: what is read, what is wrong with a text, and that what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorers.teaching.stages import joined_replies, read_stages, stage, stages_text

TAGS = ("CAPTION", "REASONING", "CONCLUSION")
GOOD = "<CAPTION> a map </CAPTION>\n<REASONING> north is up </REASONING>\n<CONCLUSION> B </CONCLUSION>"


def test_stages_are_read_in_either_case_whatever_stands_around_them() -> None:
    read = {"CAPTION": "a map", "REASONING": "north is up", "CONCLUSION": "B"}
    assert read_stages(GOOD, TAGS) == read
    assert read_stages(f"Sure!\n\n{GOOD.lower()}\nAnything else?", TAGS) == {**read, "CONCLUSION": "b"}
    assert stages_text(read) == GOOD


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "CAPTION is missing"),
        (GOOD.replace("<REASONING>", ""), "REASONING is missing"),
        (GOOD.replace("</REASONING>", ""), "REASONING is not closed"),
        (GOOD.replace("north is up", " \n "), "REASONING is empty"),
        (GOOD + GOOD, "CAPTION is given twice"),
        (GOOD.replace("north is up", "so <CONCLUSION> B </CONCLUSION>"), "CONCLUSION is given twice"),
        ("<REASONING> x </REASONING> <CAPTION> y </CAPTION> <CONCLUSION> B </CONCLUSION>", "out of order"),
        ("<CAPTION> <REASONING> x </REASONING> </CAPTION> <CONCLUSION> B </CONCLUSION>", "out of order"),
        (GOOD.replace("<CAPTION> a map </CAPTION>", "</CAPTION> a map <CAPTION>"), "CAPTION is out of order"),
    ],
)
def test_what_is_wrong_is_said_in_words_that_can_be_counted(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_stages(text, TAGS)


def test_one_stage_may_be_cut_off_but_not_doubled() -> None:
    assert stage("<REASONING> it is cut", "REASONING") == "it is cut"
    assert stage(GOOD, "REASONING") == "north is up"
    assert stage(GOOD + GOOD, "REASONING") is None
    assert stage("<REASONING> </REASONING>", "REASONING") is None
    assert stage("no tags", "REASONING") is None


def test_replies_without_tags_are_their_stages() -> None:
    replies = ["a map", "<REASONING> north is up </REASONING>", " B "]
    assert read_stages(joined_replies(replies, TAGS), TAGS) == read_stages(GOOD, TAGS)
    # A reply with other tags than its own is taken as it is, and seen to be wrong.
    with pytest.raises(ValueError, match="CAPTION is missing"):
        read_stages(joined_replies(["<SUMMARY> x </SUMMARY>", "y", "B"], TAGS), TAGS)


contents = st.text(min_size=1).map(lambda text: text.replace("<", "‹").strip()).filter(bool)


@given(st.lists(contents, min_size=3, max_size=3))
def test_what_is_written_is_read_back(texts: list[str]) -> None:
    stages = dict(zip(TAGS, texts, strict=True))
    assert read_stages(stages_text(stages), TAGS) == stages


@given(st.text(alphabet="<>/CAPTIONREASONINGCONCLUSION \n", max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_stages(text, TAGS)
    except ValueError:
        return
    assert list(found) == list(TAGS) and all(found.values())
