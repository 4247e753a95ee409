"""Plots: which files there are, that they hold what they should, and that names are text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from results.board.plots import write_plots
from results.board.standings import leaderboard
from results.chosen.folder import read_runs
from results.logs.logged_run import Run


@pytest.fixture
def runs(checkpoint_logs: Path) -> list[Run]:
    return [run for run in read_runs([checkpoint_logs]).runs if run.task == "counts"]


def texts(svg: Path) -> list[str]:
    return [
        re.sub(r"<[^>]+>", "", text).strip()
        for text in re.findall(r"<text.*?</text>", svg.read_text(), re.DOTALL)
    ]


def test_every_figure_is_written_as_png_and_svg(runs: list[Run], tmp_path: Path) -> None:
    written = write_plots(leaderboard(runs), tmp_path)
    assert len(written) == len(set(written))
    names = {file.stem for file in written}
    assert {"leaderboard-counts", "differences-counts", "groups-counts-chart", "losses"} <= names
    assert sum(name.startswith("data-counts-chart-tuned") for name in names) == 2
    for file in written:
        assert file.with_suffix(".png").is_file()
        assert file.with_suffix(".svg").is_file()
    for png in tmp_path.glob("*.png"):
        with Image.open(png) as picture:
            assert len(picture.convert("L").getcolors(256) or []) > 10, png


def test_the_figures_say_what_the_board_says(runs: list[Run], tmp_path: Path) -> None:
    board = leaderboard(runs)
    write_plots(board, tmp_path)
    shown = texts(tmp_path / "leaderboard-counts.svg")
    assert [text for text in shown if "(n 24)" in text] == [
        f"{row.name}  (n 24)" for row, _ in board.cells(board.columns[0])
    ]
    assert "90.0" in " ".join(texts(tmp_path / "groups-counts-chart.svg")) or "83.3" in " ".join(
        texts(tmp_path / "groups-counts-chart.svg")
    )


def test_the_same_board_gives_the_same_svg(runs: list[Run], tmp_path: Path) -> None:
    bare = [replace(run, report_by=(), identity={**run.identity, "lineage": None}) for run in runs]
    for folder in ("one", "two"):
        write_plots(leaderboard(bare), tmp_path / folder)
    for file in (tmp_path / "one").glob("*.svg"):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_names_from_elsewhere_start_no_formula_and_leave_no_folder(runs: list[Run], tmp_path: Path) -> None:
    odd = [
        replace(
            run,
            model="$\\frac$\x1b[31m",
            task="../../a $x_$ task",
            identity={**run.identity, "lineage": None},
        )
        for run in runs[:2]
    ]
    written = write_plots(leaderboard(odd), tmp_path / "plots")
    assert written
    assert all(file.parent == tmp_path / "plots" for file in written)
    assert any("$\\frac$\ufffd[31m" in text for text in texts(written[1]))


def test_a_board_without_scores_has_no_figures(tmp_path: Path) -> None:
    assert write_plots(leaderboard([]), tmp_path) == []
