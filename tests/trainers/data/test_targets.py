"""The forms of a completion, and texts that do not have them."""

from __future__ import annotations

import pytest

from trainers.data.targets import plain_paragraphs, target_text

STAGED = "<SUMMARY>s</SUMMARY>\n<CAPTION>c</CAPTION>\n<REASONING>r</REASONING>\n<CONCLUSION>B</CONCLUSION>"
BOX = "\\boxed{{{answer}}}"


@pytest.mark.parametrize(
    ("text", "answer", "made"),
    [
        (None, "17", "\\boxed{17}"),
        ("It is \\boxed{3}. No: \\boxed{4}", None, "\\boxed{4}"),
        (STAGED, None, "\\boxed{B}"),
        ("so \\boxed{5}", "17", "\\boxed{17}"),
    ],
)
def test_an_answer_alone(text: str | None, answer: str | None, made: str) -> None:
    assert target_text("answer_only", text=text, answer=answer, template=BOX) == made


@pytest.mark.parametrize("text", ["no box here", "", "\\boxed{}"])
def test_a_text_without_an_answer_is_left_out(text: str) -> None:
    with pytest.raises(ValueError, match="no answer"):
        target_text("answer_only", text=text, template=BOX)


def test_a_rationale_stays_as_it_is() -> None:
    assert (
        target_text("rationale_then_answer", text=" a + b\nso \\boxed{3}. ", answer="3")
        == "a + b\nso \\boxed{3}."
    )
    with pytest.raises(ValueError, match="no text"):
        target_text("rationale_then_answer", text=" \n", answer="3")


@pytest.mark.parametrize(
    "text",
    [
        STAGED.replace("</REASONING>", ""),
        STAGED.replace("CAPTION", "caption"),
        "Well. " + STAGED,
        "<REASONING>r</REASONING><CAPTION>c</CAPTION><CONCLUSION>B</CONCLUSION>",
    ],
)
def test_stages_are_closed_and_in_order(text: str) -> None:
    assert target_text("staged_tags", text=STAGED) == STAGED
    with pytest.raises(ValueError, match="stages"):
        target_text("staged_tags", text=text)


def test_an_essay_loses_its_labels_and_keeps_its_sentences() -> None:
    structured = (
        '1. <Describe a graph>:\n"The chart shows the firm\'s sales."\n\n'
        "## Overview\n\n**Introduction:** Sales, in general, rose.\n\n"
        "Paragraph 2:\n- It fell in 2010: by half.\nA short line.\n\n"
        "Step 3: Write a summary\nOverall, it's up."
    )

    assert plain_paragraphs(structured) == (
        "The chart shows the firm's sales.\n\nSales, in general, rose.\n\n"
        "It fell in 2010: by half. A short line.\n\nOverall, it's up."
    )
    assert target_text("essay_structured", text=structured) == structured


@pytest.mark.parametrize(
    "essay",
    [
        "The chart compares two bars.\n\nOverall, the second is longer.",
        "Introduction of the well-known 5G standard grew. It doubled.",
        "Key points are few. Details vary widely - more than before.",
        'He said "up" and "down".',
    ],
)
def test_a_plain_essay_is_unchanged(essay: str) -> None:
    assert target_text("essay_unstructured", text=essay) == essay


def test_labels_alone_are_no_essay() -> None:
    with pytest.raises(ValueError, match="nothing but labels"):
        target_text("essay_unstructured", text="**Introduction:**\n\n## Overview")
