"""Two models on the same samples: one table, and what the most frequent answer of each group would score."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from results.logs.logged_run import Run
from results.logs.outcomes import Outcome, Outcomes
from results.shown.side_by_side import majority, majority_of_groups, print_side_by_side

TARGETS = {"letter": ["e", "e | a", "a", "e"], "count": ["7", "8", "9", "10"]}


def outcomes(right: set[str]) -> Outcomes:
    return Outcomes.of(
        [
            Outcome(
                id=f"{family}-{number}",
                epoch=1,
                value=float(family in right),
                reason=None,
                answer=None,
                target=target,
                no_answer=False,
                truncated=False,
                anywhere=None,
                cluster=str(number),
                groups={"family": family},
                output_tokens=3,
            )
            for family, targets in TARGETS.items()
            for number, target in enumerate(targets)
        ]
    )


def run(model: str, right: set[str], **changes: object) -> Run:
    plain = Run(
        location=f"logs/{model}.eval",
        task="chart_vqa",
        model=model,
        status="success",
        expected=8,
        identity={"data_hash": "d"},
        report_by=("family",),
        outcomes=outcomes(right),
        seconds=1.0,
        error=None,
        created="2026-11-21T12:00:00+00:00",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def printed(*runs: Run) -> str:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_side_by_side(runs, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_alternative_of_a_tie_counts() -> None:
    assert majority(TARGETS["letter"]) == 0.75
    assert majority(["e | e", "a"]) == 0.5
    assert majority([]) is None


def test_of_all_samples_the_most_frequent_answer_of_each_group_is_given() -> None:
    assert majority_of_groups(outcomes(set()), "family") == (3 + 1) / 8


def test_one_column_per_model_and_every_group_in_a_row() -> None:
    text = printed(run("nano-untrained", set()), run("nano", {"letter"}))

    rows = [line.split() for line in text.splitlines() if line.strip()]
    assert rows[0] == ["chart_vqa", "by", "family", "n", "majority", "nano-untrained", "nano"]
    assert [row[:3] for row in rows[1:]] == [
        ["all", "8", "50.0"],
        ["count", "4", "25.0"],
        ["letter", "4", "75.0"],
    ]
    assert [(row[3], row[6]) for row in rows[1:]] == [("0.0", "50.0"), ("0.0", "0.0"), ("0.0", "100.0")]


@pytest.mark.parametrize(
    "runs",
    [
        [run("nano", set())],
        [run("nano", set()), run("other", set(), identity={"data_hash": "e"})],
        [run("nano", set()), run("other", set(), task="scienceqa")],
    ],
    ids=["one run", "other samples", "another task"],
)
def test_nothing_where_nothing_can_be_set_side_by_side(runs: list[Run]) -> None:
    assert printed(*runs) == ""
