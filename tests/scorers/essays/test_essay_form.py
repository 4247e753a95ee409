"""The rules of form against hand-labelled essays, one by one where the reason matters, and on any text."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.essays.essay_form import FAULTS, form_of

COUNTED = {"under_length", "over_length", "far_too_short", "formatting"}
HERE = Path(__file__).parent


def labelled(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((HERE / name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


ESSAYS, HELD_OUT = labelled("essays.yaml"), labelled("essays_held_out.yaml")


def found(row: Mapping[str, Any]) -> set[str]:
    return set(form_of(row["text"], title=row.get("title")).faults)


def agreement(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Precision and recall of each labelled fault."""
    right, said, meant = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        ours, theirs = found(row) - COUNTED, set(row["labels"])
        right.update(ours & theirs)
        said.update(ours)
        meant.update(theirs)
    return {name: (right[name] / max(1, said[name]), right[name] / meant[name]) for name in meant}


def test_every_labelled_fault_has_several_essays_and_clean_ones_are_there() -> None:
    counts = Counter(label for row in (*ESSAYS, *HELD_OUT) for label in row["labels"])
    assert set(counts) == set(FAULTS) - COUNTED
    assert min(counts.values()) >= 8
    assert sum(not row["labels"] for row in (*ESSAYS, *HELD_OUT)) >= 15
    assert len(ESSAYS) >= 40


@pytest.mark.parametrize("row", ESSAYS, ids=lambda row: row["id"])
def test_an_essay_has_the_faults_that_a_reader_names(row: Mapping[str, Any]) -> None:
    assert found(row) - COUNTED == set(row["labels"])


def test_agreement_on_essays_that_were_labelled_after_the_rules() -> None:
    for name, (precision, recall) in agreement(HELD_OUT).items():
        assert precision >= 0.75 and recall >= 0.9, name
    exact = sum(found(row) - COUNTED == set(row["labels"]) for row in HELD_OUT)
    assert exact >= 30, f"{exact} of {len(HELD_OUT)}"


def words(count: int) -> str:
    return " ".join(f"word{n}" for n in range(count)) + "."


@pytest.mark.parametrize(
    ("count", "faults"),
    [
        (49, {"under_length", "far_too_short"}),
        (50, {"under_length"}),
        (149, {"under_length"}),
        (150, set()),
        (190, set()),
        (191, {"over_length"}),
    ],
)
def test_the_limits_of_length_belong_to_it(count: int, faults: set[str]) -> None:
    lengths = {"under_length", "far_too_short", "over_length"}
    assert form_of(words(count)).faults & lengths == faults
    assert form_of(words(count)).words == count


def test_markers_labels_and_bullets_are_no_words() -> None:
    plain = "The share rose.\n\nIt fell.\n\nOverall, it rose."
    marked = "Step 1: What the chart shows\n\nThe share rose.\n\nParagraph 1:\n- It fell.\n\nStep 3: Sum\n\n"
    assert form_of(plain).words == 8
    assert form_of(marked + '"Overall, it rose."').words == 8


def test_a_markdown_heading_is_not_counted_as_a_word_of_the_essay_but_as_a_fault() -> None:
    form = form_of("## Sales of cars\n\nSales rose.")
    assert form.headings == 1 and form.words == 2 and "heading" in form.faults


def test_formatting_is_any_of_its_three_kinds() -> None:
    for text in ("- a\n- b", "# a b\n\nc.", "**a** b."):
        assert "formatting" in form_of(text).faults
    assert "formatting" not in form_of("A sentence - with dashes - and 1. no list.").faults


def test_a_title_is_known_by_the_chart_s_own() -> None:
    said = "Coal is king, again"
    assert "bare_title" in form_of(said, title="COAL IS KING, AGAIN.").faults
    assert "bare_title" not in form_of(said, title="Wind").faults


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\x00", "\ud800", "```", "**", "- ", "1.", "?", "#", "<"])
def test_nothing_and_nearly_nothing_is_no_essay(text: str) -> None:
    form = form_of(text)
    assert {"under_length", "far_too_short", "no_overview"} <= form.faults and not form.well_formed


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("aA1 .?!:,-*#_<>()[]\"'\n\t|%é"), max_size=300))
def test_any_text_has_a_form(text: str) -> None:
    form = form_of(text, title=text[:20])
    assert form.faults <= set(FAULTS)
    assert min(form.words, form.paragraphs, form.sentences, form.list_items, form.markers) >= 0
    assert form.questions <= form.sentences


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "\n",
        "*",
        "** ",
        "<",
        "1. <a",
        '"',
        "? ",
        "1,234",
        "12.5% ",
        "- a\n",
        "Step 1:\n",
        ". Paragraph 1:",
        "|\n",
    ],
)
def test_a_megabyte_takes_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    form_of(text, title=text)
    assert time.process_time() - started < 1.0
