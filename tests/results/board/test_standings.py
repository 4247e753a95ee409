"""Rows, columns, marks: what may stand beside what, and which rows share the first place."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console

from results.board.forgetting import forgetting_matrix
from results.board.leaderboard_files import (
    leaderboard_csv,
    leaderboard_json,
    leaderboard_markdown,
    matrix_json,
)
from results.board.leaderboard_table import (
    board_warnings,
    print_groups,
    print_leaderboard,
    print_matrix,
    print_published,
)
from results.board.published import published_tables
from results.board.standings import Leaderboard, leaderboard, mean_score
from results.logs.ancestry import lineage_of
from results.logs.logged_run import Run
from results.logs.outcomes import Outcome, Outcomes


def outcomes(values: Sequence[float | None], per_cluster: int = 1) -> Outcomes:
    return Outcomes.of(
        [
            Outcome(
                id=f"s{number}",
                epoch=1,
                value=value,
                reason=None if value is not None else "judge_unparsed",
                answer="7",
                target="7",
                no_answer=value == 0,
                truncated=False,
                anywhere=None,
                cluster=f"c{number // per_cluster}",
                groups={"chart": "bar" if number % 2 else "pie"},
                output_tokens=5,
            )
            for number, value in enumerate(values)
        ]
    )


def run(name: str, values: Sequence[float | None], **changes: Any) -> Run:
    """A run whose weights are called by their name."""
    identity: Mapping[str, Any] = {
        "weights_digest": (name * 20)[:20],
        "task_version": "1-A",
        "data_hash": "d",
        "prompt_hash": "p",
        "generation": {"temperature": 0},
        **changes.pop("identity", {}),
    }
    plain: dict[str, Any] = {
        "location": f"logs/{name}.eval",
        "task": "chart_vqa",
        "model": f"checkpoints/{name}",
        "status": "success",
        "expected": len(values),
        "report_by": ("chart",),
        "outcomes": outcomes(values),
        "seconds": 2.0,
        "error": None,
        "created": "2026-11-21T12:00:00+00:00",
    }
    return Run(identity=identity, **(plain | changes))


def coin(name: str, n: int, p: float) -> list[float | None]:
    generator = random.Random(name)
    return [float(generator.random() < p) for _ in range(n)]


def standings(board: Leaderboard, column: int = 0) -> dict[str, str]:
    return {row.name: cell.standing for row, cell in board.cells(board.columns[column])}


def text_of(show: Any, *arguments: Any, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(*arguments, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rows_are_sorted_and_the_best_and_its_equals_marked() -> None:
    board = leaderboard(
        [
            run("poor", [0.0] * 90 + [1.0] * 10),
            run("good", [1.0] * 80 + [0.0] * 20),
            run("same", [1.0] * 79 + [0.0] * 21),
        ]
    )
    assert [row.name for row in board.rows] == ["good@goodgo", "same@samesa", "poor@poorpo"]
    assert standings(board) == {"good@goodgo": "best", "same@samesa": "tied", "poor@poorpo": "behind"}


def test_of_equal_scores_the_first_row_is_the_best() -> None:
    board = leaderboard([run("b", [0.0] * 9), run("a", [0.0] * 9)])
    assert [cell.standing for _, cell in board.cells(board.columns[0])] == ["best", "tied"]


def test_the_test_is_paired() -> None:
    """Nine samples better and none worse is sure, though the unpaired intervals overlap by far."""
    base = [float(n % 2) for n in range(200)]
    better = [1.0 if n % 2 or n < 18 else 0.0 for n in range(200)]
    board = leaderboard([run("base", base), run("better", better)])
    lower, higher = (
        mean_score(board.rows[1].cells[board.columns[0]].run.outcomes),
        mean_score(board.rows[0].cells[board.columns[0]].run.outcomes),
    )
    assert lower is not None
    assert higher is not None
    assert lower.high > higher.low
    assert standings(board)["base@baseba"] == "behind"


def test_the_test_is_clustered() -> None:
    """The same differences, once independent and once eight to a picture."""
    base, better = [0.0] * 160, [1.0] * 8 + [0.0] * 152
    apart = leaderboard([run("base", base), run("better", better)])
    together = leaderboard(
        [
            run("base", base, outcomes=outcomes(base, 8)),
            run("better", better, outcomes=outcomes(better, 8)),
        ]
    )
    assert standings(apart)["base@baseba"] == "behind"
    assert standings(together)["base@baseba"] == "tied"


def test_p_are_multiplied_by_the_number_of_tests() -> None:
    two = leaderboard([run("a", coin("a", 300, 0.6)), run("b", coin("b", 300, 0.5))])
    more = leaderboard(
        [
            run("a", coin("a", 300, 0.6)),
            run("b", coin("b", 300, 0.5)),
            *(run(n, coin(n, 300, 0.1)) for n in "cde"),
        ]
    )
    p_two, p_more = (board.rows[1].cells[board.columns[0]].p for board in (two, more))
    assert p_two is not None
    assert p_more == pytest.approx(min(1, 4 * p_two))


def test_the_marked_rows_hold_the_truly_best_in_95_of_100() -> None:
    """Ten equal rows: any may be called the best; each must stay marked."""
    lost = trials = 0
    for trial in range(60):
        board = leaderboard([run(f"{trial} {n}", coin(f"{trial} {n}", 80, 0.5)) for n in range(6)])
        first = board.rows[random.Random(trial).randrange(6)]
        lost += first.cells[board.columns[0]].standing == "behind"
        trials += 1
    assert lost / trials <= 0.05 + 1.96 * (0.05 * 0.95 / trials) ** 0.5


@pytest.mark.parametrize("what", ["task_version", "data_hash", "prompt_hash"])
def test_what_was_not_measured_alike_is_not_in_one_column(what: str) -> None:
    board = leaderboard([run("a", [1.0] * 5), run("a", [0.0] * 5, identity={what: "2"})])
    assert len(board.columns) == 2
    assert len({column.label for column in board.columns}) == 2
    assert len(board.rows) == 1
    assert set(standings(board, 0).values()) == {"best"}


def test_letters_of_a_version_are_cosmetic() -> None:
    board = leaderboard([run("a", [1.0] * 5), run("b", [0.0] * 5, identity={"task_version": "1-B"})])
    assert [column.label for column in board.columns] == ["chart_vqa"]


def test_overwritten_weights_are_another_row() -> None:
    board = leaderboard([run("a", [1.0] * 5), run("a", [0.0] * 5, identity={"weights_digest": "other"})])
    assert [row.name for row in board.rows] == ["a@aaaaaa", "a@other"]


def test_the_newest_complete_run_counts() -> None:
    old = run("a", [0.0] * 6, created="2026-11-20T00:00:00+00:00")
    new = run("a", [1.0] * 6, created="2026-11-21T00:00:00+00:00")
    limited = run("a", [0.0] * 2, created="2026-11-22T00:00:00+00:00")
    broken = run("a", [0.0] * 9, created="2026-11-23T00:00:00+00:00", status="cancelled")
    (row,) = leaderboard([broken, new, limited, old]).rows
    (cell,) = row.cells.values()
    assert cell.run is new
    assert len(leaderboard([broken, new, limited, old], every=True).rows) == 4


def test_other_settings_of_the_same_weights_are_a_row_that_names_them() -> None:
    board = leaderboard(
        [
            run("a", [1.0] * 5),
            run("a", [0.0] * 5, identity={"generation": {"temperature": 0.7}}, created="2026-01-01"),
        ]
    )
    assert [row.title for row in board.rows] == ["a@aaaaaa", "a@aaaaaa (temperature=0.7)"]


def test_a_part_of_the_samples_is_shown_and_not_called_the_best() -> None:
    board = leaderboard([run("whole", [1.0, 0.0] * 50), run("part", [1.0] * 20)])
    column = board.columns[0]
    cells = {row.name.partition("@")[0]: row.cells[column] for row in board.rows}
    assert cells["part"].partial
    assert cells["part"].standing == "untested"
    assert cells["whole"].standing == "untested"
    assert "20* part" in text_of(print_leaderboard, board)
    assert "not ranked" in text_of(print_leaderboard, board)
    board = leaderboard([run("whole", [1.0, 0.0] * 50), run("part", [1.0] * 20), run("poor", [0.0] * 100)])
    assert [row.name[0] for row in board.rows if row.cells[board.columns[0]].standing == "best"] == ["w"]


def test_unscored_samples_are_neither_right_nor_wrong() -> None:
    board = leaderboard([run("a", [1.0] * 95 + [None] * 5)])
    (cell,) = board.rows[0].cells.values()
    assert cell.score is not None
    assert (cell.score.mean, cell.score.n) == (1.0, 95)
    assert leaderboard_json(board)["rows"][0]["cells"]["chart_vqa"]["unscored"] == {"judge_unparsed": 5}


def test_one_row_that_is_half_unscored_is_shown_and_not_the_best_of_anything() -> None:
    board = leaderboard([run("a", [1.0] * 3 + [None] * 3)])
    (cell,) = board.rows[0].cells.values()
    assert (cell.standing, cell.partial) == ("untested", True)


def test_a_row_without_any_score_is_shown_last() -> None:
    board = leaderboard([run("none", [None] * 5), run("a", [0.0] * 5)])
    assert [row.name[0] for row in board.rows] == ["a", "n"]
    assert standings(board)["none@noneno"] == "untested"
    assert "–" in text_of(print_leaderboard, board)


def test_no_runs_are_an_empty_board() -> None:
    assert leaderboard([]).rows == ()
    assert forgetting_matrix(leaderboard([])).rows == ()


def two_tasks() -> Leaderboard:
    runs = []
    for name, p in {"base": 0.2, "tuned": 0.7, "overfit": 0.5}.items():
        lineage = (
            None if name == "base" else {"recipe": "r", "base": "base", "base_digest": ("base" * 20)[:20]}
        )
        for task in ("charts", "letters"):
            given = p if task == "charts" else 0.9 - p
            runs.append(run(name, coin(name + task, 200, given), task=task, identity={"lineage": lineage}))
    return leaderboard(runs)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_tables_fit_the_terminal_and_cut_nothing(width: int) -> None:
    board = two_tasks()
    shown = [
        text_of(print_leaderboard, board, width=width),
        text_of(
            print_leaderboard,
            leaderboard([*(c.run for c in board.rows[0].cells.values())], ["charts"]),
            width=width,
        ),
        text_of(print_groups, board, board.columns[0], "chart", width=width),
        text_of(print_matrix, forgetting_matrix(board, "chart"), width=width),
        text_of(print_published, published_tables(), width=width),
        text_of(lambda console: print_published(published_tables(), console, "topic"), width=width),
    ]
    for text in shown:
        assert max(len(line) for line in text.splitlines()) <= width
        assert "…" not in text


def test_many_tasks_are_shown_in_blocks() -> None:
    runs = [run("m", coin(f"{n}", 50, 0.5), task=f"task_{n}") for n in range(6)]
    text = text_of(print_leaderboard, leaderboard(runs))
    assert all(f"task_{n}" in text for n in range(6))
    assert max(len(line) for line in text.splitlines()) <= 80


def test_groups_come_with_their_sizes_and_the_whole() -> None:
    board = leaderboard([run("a", [1.0, 0.0] * 25)])
    text = text_of(print_groups, board, board.columns[0], "chart")
    assert "all" in text
    assert text.count("n 25") == 2
    assert "0.0 [0.0, 13.3]" in text
    assert "100.0 [86.7, 100.0]" in text


def test_names_from_elsewhere_are_text_in_every_form() -> None:
    hostile = "\x1b[31m<script>alert(1)</script>|[bold]x"
    board = leaderboard([run("a", [1.0] * 5, model=hostile, task="=cmd|' /C calc'!A0")])
    terminal = text_of(print_leaderboard, board)
    assert "\x1b" not in terminal
    assert "[bold]x" in terminal
    markdown = leaderboard_markdown(board)
    assert "<script>" not in markdown.replace("\\<", "")
    assert "\x1b" not in markdown
    row = next(csv.DictReader(io.StringIO(leaderboard_csv(board))))
    assert row["task"].startswith("'=")


def test_files_say_the_same_as_the_board() -> None:
    board = two_tasks()
    plain = json.loads(json.dumps(leaderboard_json(board, "chart"), allow_nan=False))
    lines = list(csv.DictReader(io.StringIO(leaderboard_csv(board, "chart"))))
    assert len(lines) == 3 * 2 * (1 + 2)
    for line in lines:
        row = next(row for row in plain["rows"] if row["name"] == line["name"])
        cell = row["cells"][line["task"]]
        score = cell["groups"][line["group"]] if line["group"] else cell["score"]
        assert float(line["score"]) == score["mean"]
        assert int(line["n"]) == score["n"]
    markdown = leaderboard_markdown(board, "chart", published_tables("chart_vqa"))
    assert markdown.count("| tuned@tunedt |") == 4
    assert "never tested against ours" in markdown


def test_the_matrix_is_in_training_order_against_the_base() -> None:
    board = two_tasks()
    matrix = forgetting_matrix(board)
    assert matrix.rows[0].name.startswith("base")
    bases = {row.name[:4]: base.name[:4] if (base := matrix.bases[row.key]) else None for row in matrix.rows}
    assert bases == {"base": None, "tune": "base", "over": "base"}
    charts, letters = matrix.measures
    tuned = next(row for row in matrix.rows if row.name.startswith("tuned"))
    gained, lost = matrix.cells[tuned.key, charts], matrix.cells[tuned.key, letters]
    assert gained.difference > 0.3
    assert lost.difference < -0.3
    assert (
        matrix.adjusted[tuned.key, charts] == pytest.approx(2 * min(gained.p, lost.p), rel=1) or gained.p == 0
    )
    text = text_of(print_matrix, matrix)
    assert text.count("base\n") >= 1
    assert "*" in text
    assert "n 200" in text
    plain = json.loads(json.dumps(matrix_json(matrix), allow_nan=False))
    assert {cell["base"] for cell in plain} == {"base@baseba"}
    assert {cell["test"] for cell in plain} == {"McNemar"}


def test_a_chain_is_compared_with_where_it_began() -> None:
    first = {"base_digest": ("base" * 20)[:20]}
    runs = [
        run("base", coin("1", 50, 0.5)),
        run("one", coin("2", 50, 0.5), identity={"lineage": first}),
        run(
            "two",
            coin("3", 50, 0.5),
            identity={"lineage": {"base_digest": ("one" * 20)[:20], "parent": first}},
        ),
        run("other", coin("4", 50, 0.5), created="2020-01-01"),
        run("orphan", coin("5", 50, 0.5), identity={"lineage": {"base_digest": "not here"}}),
    ]
    matrix = forgetting_matrix(leaderboard(runs))
    bases = {row.name.partition("@")[0]: matrix.bases[row.key] for row in matrix.rows}
    assert {name: base.name if base else None for name, base in bases.items()} == {
        "base": None, "other": None, "orphan": None, "one": "base@baseba", "two": "base@baseba",
    }  # fmt: skip
    assert [row.name.partition("@")[0] for row in matrix.rows][-1] == "two"


def test_without_any_lineage_the_earliest_run_is_the_base() -> None:
    runs = [run("late", coin("1", 50, 0.5)), run("early", coin("2", 50, 0.5), created="2020-01-01")]
    matrix = forgetting_matrix(leaderboard(runs))
    assert [row.name[:4] for row in matrix.rows] == ["earl", "late"]
    assert matrix.bases[matrix.rows[1].key] is matrix.rows[0]


@pytest.mark.parametrize(
    "said",
    [
        None, "text", [], {"recipe": 3, "base": [], "data": 1, "loss_history": "x"},
        {"data": {"groups": {"chart": [1], "f": {"a": "many"}}}},
        {"loss_history": [1, {"step": "x"}, {"step": 1}]},
        {"parent": {"parent": {}}, "base_digest": ""},
    ],
)  # fmt: skip
def test_a_lineage_of_another_form_is_left_out(said: object) -> None:
    found = lineage_of({"lineage": said})
    if found is not None:
        assert (found.recipe, found.base, found.ancestors, found.losses, found.groups) == (
            None,
            None,
            (),
            (),
            {},
        )


def test_a_lineage_of_other_weights_is_left_out_with_a_warning() -> None:
    said = {"recipe": {"name": "r"}, "base_digest": "zero", "weights_digest": "before"}
    old = {name: value for name, value in said.items() if name != "weights_digest"}
    board = leaderboard(
        [
            run(
                name,
                coin(name, 50, 0.5),
                identity={"model": f"/me/{name}", "weights_digest": ran, "lineage": found},
            )
            for name, ran, found in (("changed", "after", said), ("kept", "before", said), ("old", "x", old))
        ]
    )
    recipes = {row.digest: row.lineage.recipe if row.lineage else None for row in board.rows}
    assert recipes == {"after": None, "before": "r", "x": "r"}
    assert board_warnings(board) == [
        "the lineage of changed is left out: it is about weights before, and after ran (base included); "
        "they were changed after training"
    ]
    # A parent's lineage is believed only where it is about the base that was trained on.
    parent = {"base_digest": "minus one", "weights_digest": "another zero"}
    cut = lineage_of({"lineage": {**old, "parent": parent}})
    assert cut is not None and cut.ancestors == ("zero",)


def test_a_lineage_that_never_ends_is_cut() -> None:
    endless: dict[str, Any] = {"base_digest": "d"}
    endless["parent"] = endless
    found = lineage_of({"lineage": endless})
    assert found is not None
    assert len(found.ancestors) == 100
