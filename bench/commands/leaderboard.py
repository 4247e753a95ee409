"""`bench leaderboard`: logs → rows in the terminal, and as a page, plots, CSV, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands.chosen_runs import by_metric
from bench.commands.options import Html, Json, Metrics, OnlyTasks
from bench.commands.terminal import console, names
from bench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from results.board.published import PublishedSource, PublishedTable
    from results.board.standings import Leaderboard
    from results.logs.logged_run import Run


def leaderboard(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[LOGDIR]…", help="Logs or folders of logs; logs/ by default."),
    ] = None,
    task: OnlyTasks = None,
    metric: Metrics = None,
    by: Annotated[
        str | None, typer.Option(metavar="FIELD", help="Show each task's scores by this field.")
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Show checkpoints in training order, each against its base.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Also show published scores; never tested against ours.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Show every run, not only the newest.")] = False,
    html: Html = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Samples per task with picture and completions in the page.")
    ] = 120,
    plots: Annotated[Path | None, typer.Option(help="Folder for PNG and SVG plots.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    md: Annotated[Path | None, typer.Option(help="Write a Markdown file.")] = None,
    as_json: Json = False,
) -> None:
    """One row per checkpoint, one column per task: score with interval, the best and its equals marked."""
    from results.board.leaderboard_table import board_warnings
    from results.board.standings import leaderboard as build

    wanted = names(task, "--task") if task else None
    runs, problems = _runs(logs, wanted, every, needed=not published)
    if metric is not None:
        runs, wanted = by_metric([run for run in runs if not wanted or run.task in wanted], metric), None
    board = build(runs, wanted, every=every)
    problems = [*problems, *board_warnings(board)]
    _check_field(board, by)
    # Those of the tasks on the board; with no runs at all, every one.
    asked = wanted or {column.task for column in board.columns}
    reported = _reported(asked) if published else []
    _write_files(board, by, html, csv, md, plots, reported, problems, samples)
    if as_json:
        _print_json(board, by, matrix, reported, problems)
    else:
        _print(board, by, matrix, reported)
    for problem in problems:
        _say(problem)


def _reported(tasks: Collection[str]) -> list[tuple[PublishedSource, PublishedTable]]:
    from results.board.published import published_tables

    return [pair for pair in published_tables() if not tasks or pair[1].task in tasks]


def _runs(
    logs: list[Path] | None, tasks: tuple[str, ...] | None, every: bool, *, needed: bool
) -> tuple[list[Run], list[str]]:
    """The runs that count, and a line for each log that does not; RequestError when there is none."""
    from bench.declarations.task_files import task_versions
    from results.chosen.folder import read_runs
    from tasks.cache import cache_folder

    given = logs or [Path("logs")]
    missing = [path for path in given if not Path(str(path).removeprefix("file://")).exists()]
    for path in missing:
        if logs or needed:
            raise RequestError(
                f"{path}: no such log or folder; `bench run` writes to logs/ unless --log-dir says otherwise"
            )
    found = read_runs(
        [path for path in given if path not in missing],
        all_runs=every,
        cache=cache_folder("runs"),
        versions=task_versions(),
    )
    known = {run.task for run in found.runs}
    for name in tasks or ():
        if name not in known and needed:
            there = ", ".join(sorted(known)) or "no runs"
            raise RequestError(f"--task {name}: the logs have {there}{did_you_mean(name, known)}")
    if not found.runs and needed:
        where = ", ".join(map(str, given))
        raise RequestError(
            "\n".join([f"{where}: no finished run to show; `bench run` makes one", *found.problems])
        )
    return found.runs, found.problems


def _check_field(board: Leaderboard, by: str | None) -> None:
    # Without runs there are only reported tables, and a field that none of them has shows no groups.
    if by is None or not board.rows:
        return
    fields = {name for row in board.rows for cell in row.cells.values() for name in cell.run.outcomes.groups}
    if by not in fields:
        there = ", ".join(sorted(fields)) or "nothing"
        raise RequestError(f"--by {by}: the tasks report by {there}{did_you_mean(by, fields)}")


def _write_files(
    board: Leaderboard,
    by: str | None,
    html: Path | None,
    csv: Path | None,
    md: Path | None,
    plots: Path | None,
    reported: list[Any],
    problems: list[str],
    samples: int,
) -> None:
    if csv is not None:
        from results.board.leaderboard_files import leaderboard_csv

        _write(csv, leaderboard_csv(board, by))
    if md is not None:
        from results.board.leaderboard_files import leaderboard_markdown

        _write(md, leaderboard_markdown(board, by, reported))
    if plots is not None:
        from results.board.plots import write_plots

        for file in write_plots(board, plots, by):
            _say(f"{file}")
    if html is not None:
        from results.page.leaderboard_page import page

        made = page(board, reported, problems, samples=samples)
        _write(html, made.text)
        _say(f"{html}: {made.summary}")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _print_json(
    board: Leaderboard, by: str | None, matrix: bool, reported: list[Any], problems: list[str]
) -> None:
    from results.board.forgetting import forgetting_matrix
    from results.board.leaderboard_files import leaderboard_json, matrix_json, published_json

    said: dict[str, Any] = leaderboard_json(board, by)
    if matrix:
        said["matrix"] = matrix_json(forgetting_matrix(board, by))
    if reported:
        said["published"] = published_json(reported)
    print(json.dumps({**said, "problems": problems}, indent=2, ensure_ascii=False))


def _print(board: Leaderboard, by: str | None, matrix: bool, reported: list[Any]) -> None:
    from results.board.forgetting import forgetting_matrix
    from results.board.leaderboard_table import (
        print_groups,
        print_leaderboard,
        print_matrix,
        print_published,
        print_signatures,
    )
    from results.board.standings import group_names

    out = console()
    if matrix:
        print_matrix(forgetting_matrix(board, by), out)
        print_signatures(board, out)
    elif by:
        for column in board.columns:
            if group_names([cell.run for _, cell in board.cells(column)], by):
                print_groups(board, column, by, out)
        print_signatures(board, out)
    elif board.rows:
        print_leaderboard(board, out)
    if reported:
        out.print()
        print_published(reported, out, by)


def _say(line: str) -> None:
    from results.shown.words import shown

    console(stderr=True).print(shown(line), soft_wrap=True)
