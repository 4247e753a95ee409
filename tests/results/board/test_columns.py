"""A column beside the score is declared once, and stands in the table and in every file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from results.board import leaderboard_files, leaderboard_table
from results.board.columns import BESIDE_SCORE, BesideScore
from results.board.standings import Leaderboard, leaderboard
from results.chosen.folder import read_runs
from results.page import page_data

TOKENS = BesideScore(
    "output_tokens",
    json=lambda cell: int(cell.run.outcomes.output_tokens.sum()),
    csv=lambda cell: 12_345,
    text=lambda cell: "12 k",
    title="tokens",
    short="k",
    page=("Tokens", "count"),
)


@pytest.fixture
def board(checkpoint_logs: Path, monkeypatch: pytest.MonkeyPatch) -> Leaderboard:
    for module in (leaderboard_table, leaderboard_files, page_data):
        monkeypatch.setattr(module, "BESIDE_SCORE", (*BESIDE_SCORE, TOKENS))
    return leaderboard(read_runs([checkpoint_logs]).runs)


def text_of(board: Leaderboard) -> str:
    console = Console(width=120, file=io.StringIO())
    leaderboard_table.print_leaderboard(board, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_declared_column_is_in_the_table_and_in_every_file(board: Leaderboard) -> None:
    assert text_of(Leaderboard(board.columns[:1], board.rows)).count("12 k") == 3
    several = text_of(board)
    assert "cut: truncated, k: tokens" in several
    assert several.count("12 k k") == 6
    lines = list(csv.DictReader(io.StringIO(leaderboard_files.leaderboard_csv(board))))
    assert {line["output_tokens"] for line in lines} == {"12345"}
    head, *rows = leaderboard_files.leaderboard_markdown(board).split("\n\n")[1].splitlines()
    assert head.endswith("| tokens |")
    assert all(row.endswith("| 12 k |") for row in rows[1:])
    cells = [
        cell for row in leaderboard_files.leaderboard_json(board)["rows"] for cell in row["cells"].values()
    ]
    assert {cell["output_tokens"] for cell in cells} == {0}
    plain = page_data.board_data(board, (), ())
    assert plain["besides"][-1] == {"key": "output_tokens", "title": "Tokens", "drawn": "count"}
    assert {cell["output_tokens"] for row in plain["cells"] for cell in row} == {12_345}


def test_every_column_can_be_drawn() -> None:
    script = Path(page_data.__file__).with_name("leaderboard.js").read_text(encoding="utf-8")
    kinds = script.partition("const DRAWN = {")[2].partition("\n}")[0]
    assert all(f"  {one.page[1]}: " in kinds for one in BESIDE_SCORE if one.page)
    assert len({one.key for one in BESIDE_SCORE}) == len(BESIDE_SCORE)
