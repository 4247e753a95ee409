"""What a teacher is shown, and which of its essays are accepted; the experiment's traps that belong here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.essays.essay_numbers import ChartTable, check_numbers
from tasks.ielts_essay.chart import CHART_KINDS
from tasks.ielts_essay.essay import Essay, one_paragraph, parse_essay, structured_to_plain
from tasks.ielts_essay.essay_teacher import Accepted, Rejected, accept_essay, copied, teacher_messages
from tasks.ielts_essay.records import ielts_essays
from tasks.ielts_essay.worked import EXAMPLES, Example, worked_examples
from trainers.data.targets import target_text

Record = dict[str, Any]


@pytest.fixture(autouse=True)
def cache(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBENCH_CACHE", str(pictures))


@pytest.fixture(scope="module")
def records(pictures: Path) -> list[Record]:
    return ielts_essays("train", size=16, cache_dir=pictures)


def structured(record: Record) -> str:
    introduction, *body, overview = record["target"].split("\n\n")
    return Essay(introduction, tuple(body), overview).structured()


def test_every_example_is_shown_with_its_own_picture(records: list[Record]) -> None:
    """Trap 10: three examples in the prompt, two images sent."""
    for record in records:
        system, *turns = teacher_messages(record)
        assert system.role == "system" and not system.images
        asked, answered = turns[::2], turns[1::2]
        assert [turn.role for turn in turns] == ["user", "assistant"] * 2 + ["user"]
        assert all(len(turn.images) == 1 and turn.images[0].is_file() for turn in asked)
        assert len({turn.images[0] for turn in asked}) == 3 and asked[-1].images[0] == record["image"]
        assert all(not turn.images for turn in answered)
        examples = worked_examples(record["chart"])
        for turn, answer, example in zip(asked, answered, examples, strict=False):
            assert example.title in turn.text and answer.text == example.essay.structured()
        assert record["title"] in asked[-1].text


def test_the_prompt_is_that_of_the_record_s_type(records: list[Record]) -> None:
    advice = {record["chart"]: teacher_messages(record, ())[0].text for record in records}
    assert len(set(advice.values())) == 4
    assert len(teacher_messages(records[0], ())) == 2
    with pytest.raises(ValueError, match="no prompt for charts of the type 'radar'"):
        teacher_messages({**records[0], "chart": "radar"})
    with pytest.raises(ValueError, match="has no image"):
        teacher_messages({**records[0], "image": None})


@pytest.mark.parametrize("kind", CHART_KINDS)
def test_there_are_two_or_three_examples_of_each_type(kind: str) -> None:
    assert 2 <= len(worked_examples(kind)) <= 3
    assert all(example.chart.kind == kind for example in worked_examples(kind))
    with pytest.raises(ValueError, match="no worked examples for charts of the type 'area'"):
        worked_examples("area")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_would_be_accepted_for_its_own_chart(example: Example) -> None:
    chart = example.chart
    table = ChartTable(chart.title, chart.unit, chart.labels, chart.series, chart.values)
    assert check_numbers(example.essay.plain(), table).faithful == 1.0
    record = {"chart": chart.kind, "title": chart.title}
    assert isinstance(accept_essay(record, example.essay.structured(), ()), Accepted)


def test_a_golden_essay_in_steps_is_accepted_and_both_variants_fit_the_recipes(records: list[Record]) -> None:
    for record in records:
        verdict = accept_essay(record, structured(record))
        assert verdict == Accepted(structured(record), record["target"])
        assert target_text("essay_structured", text=verdict.structured) == verdict.structured
        assert target_text("essay_unstructured", text=verdict.structured) == verdict.unstructured
        assert target_text("essay_unstructured", text=verdict.unstructured) == verdict.unstructured


def test_an_essay_about_the_example_is_rejected(records: list[Record]) -> None:
    """Trap 5: 34 of 278 golden essays described the few-shot example instead of the chart."""
    for record in records:
        for example in worked_examples(record["chart"]):
            verdict = accept_essay(record, example.essay.structured())
            assert isinstance(verdict, Rejected) and verdict.kind == "copied"


def test_one_name_or_one_sentence_of_an_example_is_enough(records: list[Record]) -> None:
    record = next(record for record in records if record["chart"] == "pie")
    example = worked_examples("pie")[0]
    text = structured(record)
    named = text.replace("The largest category", "As in Carrowby, the largest category", 1)
    named = named if named != text else text.replace("Overall", "As in Carrowby, overall", 1)
    assert copied(named, [example], record["title"]) == f"names 'Carrowby' of the example {example.title!r}"
    sentence = example.essay.body[0].split(",")[0]
    assert "repeats the example" in str(copied(f"{text} {sentence}.", [example], record["title"]))
    # A chart that is about the same place may name it.
    assert copied(named, [example], "Carrowby in spring") is None


def change(record: Record, old: str, new: str, count: int = 1) -> str:
    text = structured(record)
    assert old in text
    return text.replace(old, new, count)


def test_what_is_wrong_is_said(records: list[Record]) -> None:
    record = records[0]
    cases = [
        (change(record, "Step 2:", "Then:"), "parts", "step 3 stands after step 1"),
        ("The chart shows much.", "parts", "no text under step 1 and 2 and 3"),
        (change(record, "Step 3: Overview", "Step 3: Overview\n\nWell."), "parts", "one paragraph each"),
        (
            "Step 1: A\n\nIt.\n\nStep 2: B\n\nIt.\n\nStep 3: C\n\nIt.",
            "length",
            "3 words instead of 150 to 190",
        ),
        (change(record, "In ", "**In** "), "form", "bold, formatting"),
    ]
    for text, kind, reason in cases:
        verdict = accept_essay(record, text)
        assert isinstance(verdict, Rejected) and verdict.kind == kind and reason in verdict.reason, verdict


def test_a_number_that_is_not_in_the_chart_is_rejected(records: list[Record]) -> None:
    record = records[0]
    text = structured(record)
    digits = next(
        word for word in text.split() if word.rstrip(".,%").replace(".", "").isdigit() and len(word) < 4
    )
    wrong = text.replace(f" {digits} ", " 987654 ", 1)
    verdict = accept_essay(record, wrong)
    assert isinstance(verdict, Rejected) and verdict.kind == "numbers" and "987654" in verdict.reason
    assert isinstance(accept_essay({**record, "chart_data": ""}, wrong), Accepted)


def test_the_teacher_s_own_words_around_the_steps_are_left_out(records: list[Record]) -> None:
    text = structured(records[0])
    dressed = "Here is the essay you asked for.\n\n" + text.replace("Step 2:", "**Step 2:**").replace(
        "Paragraph 1:\n", '**Paragraph 1:** "', 1
    ).replace("\n\nParagraph 2:", '"\n\nParagraph 2:', 1)
    assert accept_essay(records[0], dressed) == Accepted(text, records[0]["target"])


PARAGRAPH = (
    st.text(alphabet=st.sampled_from("abÉ'’\"“”-.,;:%&()19$ "), min_size=1, max_size=60)
    .map(one_paragraph)
    .filter(bool)
)


@settings(max_examples=400, deadline=None)
@given(PARAGRAPH, st.lists(PARAGRAPH, min_size=1, max_size=4), PARAGRAPH)
def test_removing_the_structure_loses_nothing_else(first: str, body: list[str], last: str) -> None:
    """Trap 9: apostrophes and short lines were lost with the structure."""
    essay = Essay(first, tuple(body), last)
    assert parse_essay(essay.structured()) == essay
    assert structured_to_plain(essay.structured()) == essay.plain()
    assert structured_to_plain(essay.plain()) == essay.plain()


@pytest.mark.parametrize("paragraph", ["", '"Up."', "Step 1: Up.", "Paragraph 2: Up.", "a\nb", " up", "a  b"])
def test_a_paragraph_in_another_form_is_none(paragraph: str) -> None:
    with pytest.raises(ValueError, match="no paragraph of an essay"):
        Essay("Up.", (paragraph,), "Down.")
    assert one_paragraph(paragraph) == one_paragraph(one_paragraph(paragraph))
