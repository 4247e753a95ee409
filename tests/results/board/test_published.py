"""What others reported: digit for digit, with its known mistakes said beside it."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from results.board.published import PublishedRow, PublishedTable, published_sources, published_tables


def table(name: str) -> PublishedTable:
    return next(table for _, table in published_tables() if table.name == name)


def attainable(value: float, n: int) -> bool:
    """Whether a percentage with two decimals is k of n, rounded or cut."""
    nearest = round(value * n / 100)
    hundredths = 10_000 * nearest / n
    return round(value * 100) in (round(hundredths), math.floor(hundredths))


def cells_of_table_1() -> list[tuple[PublishedRow, str, float, int]]:
    of = table("Table 1")
    sizes = {"overall": of.n or 0, **of.groups}
    return [
        (row, group, value, sizes[group])
        for row in of.rows
        for group, value in {"overall": row.scores["accuracy"], **row.group_scores}.items()
    ]


@pytest.mark.parametrize(("row", "group", "value", "n"), cells_of_table_1())
def test_a_cell_that_no_count_gives_is_noted(row: PublishedRow, group: str, value: float, n: int) -> None:
    noted = any(f"{value:.2f}" in note for note in row.notes)
    assert attainable(value, n) is not noted


def test_tables_1_and_2_are_whole() -> None:
    assert [(row.model, row.scores["accuracy"], row.minutes) for row in table("Table 1").rows] == [
        ("LLaVA-CoT", 78.82, 371),
        ("LLaVA-NeXT", 64.94, 70),
        ("Phi-3.5-vision-instruct", 81.71, 156),
        ("Moondream", 46.20, 158),
        ("KOSMOS-2", 14.97, 17),
        ("ViLT", 35.91, 3),
        ("Moondream-kd", 53.54, 279),
    ]
    assert sum(table("Table 1").groups.values()) == 1890
    assert [len(row.scores) for row in table("Table 2").rows] == [6] * 6


def test_an_f1_above_the_mean_of_its_parts_is_noted() -> None:
    for row in table("Table 2").rows:
        scores = row.scores
        mean = (scores["BERTScore precision"] + scores["BERTScore recall"]) / 2
        assert (scores["BERTScore F1"] > mean + 5e-4) == any("F1" in note for note in row.notes), row.model


def test_win_rates_have_the_intervals_of_their_counts() -> None:
    of = table("Results and discussion")
    found = [of.interval(row) for row in of.rows]
    assert [(round(100 * i.low, 1), round(100 * i.high, 1), i.n) for i in found if i] == [
        (60.4, 71.5, 272),
        (74.7, 83.9, 295),
    ]
    assert [row.scores["win rate against the base"] for row in of.rows] == [66, 79]


def test_where_n_is_not_known_there_is_no_interval() -> None:
    of = table("Phi-4-multimodal technical report")
    assert [of.interval(row) for row in of.rows] == [None] * 3
    assert table("Table 2").interval(table("Table 2").rows[0]) is None


def test_tables_of_one_task() -> None:
    assert {t.name for _, t in published_tables("chart_vqa")} == {
        "Benchmarking and finetuning",
        "Teacher answers kept",
    }
    assert published_tables("no_such_task") == ()
    assert len(published_sources()) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"rows": [{"model": "m", "scores": {"another": 1}}]},
        {"rows": [{"model": "m", "scores": {"accuracy": 1}, "group_scores": {"b": 2}}]},
        {"unit": "points"},
        {"surprise": 1},
    ],
)
def test_a_mistake_in_a_table_is_an_error(change: dict[str, object]) -> None:
    good = {
        "name": "t", "task": "t", "metrics": ["accuracy"], "unit": "percent", "n": 10, "groups": {"a": 5},
        "notes": [], "rows": [{"model": "m", "scores": {"accuracy": 1}, "group_scores": {"a": 2}}],
    }  # fmt: skip
    PublishedTable.model_validate(good)
    with pytest.raises(ValidationError):
        PublishedTable.model_validate(good | change)
