"""The leaderboard as JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from results.board.forgetting import ForgettingMatrix
from results.board.leaderboard_table import (
    board_warnings,
    legend,
    parameters_text,
    reported_text,
    seconds_text,
    signature_lines,
)
from results.board.published import PublishedSource, PublishedTable
from results.board.standings import Cell, Column, Leaderboard, Row, group_names, mean_score, members
from results.numbers.intervals import Interval
from results.shown.words import interval_json, n_text, percent, printable, score_text

Published = Sequence[tuple[PublishedSource, PublishedTable]]


def leaderboard_json(board: Leaderboard, by: str | None = None) -> dict[str, Any]:
    """The whole leaderboard as plain data; scores in [0, 1], times in seconds."""
    return {
        "columns": [
            {
                "label": column.label,
                "task": column.task,
                "task_version": column.version,
                "data_hash": column.data_hash,
                "prompt_hash": column.prompt_hash,
                "metric": column.metric,
            }
            for column in board.columns
        ],
        "rows": [_row_json(row, by) for row in board.rows],
    }


def _row_json(row: Row, by: str | None) -> dict[str, Any]:
    return {
        "name": row.title,
        "weights_digest": row.digest,
        "parameters": row.parameters,
        "recipe": row.lineage.recipe if row.lineage else None,
        "base": row.lineage.base if row.lineage else None,
        "base_digest": row.lineage.base_digest if row.lineage else None,
        "cells": {column.label: _cell_json(cell, by) for column, cell in row.cells.items()},
    }


def _cell_json(cell: Cell, by: str | None) -> dict[str, Any]:
    run = cell.run
    groups = group_names([run], by) if by else []
    return {
        "task_version": run.identity.get("task_version"),
        "score": interval_json(cell.score),
        "no_answer": interval_json(cell.no_answer),
        "truncated": interval_json(cell.truncated),
        "unscored": dict(run.unscored),
        "standing": cell.standing,
        "p_against_best": cell.p,
        "partial": cell.partial,
        "samples_per_second": run.samples_per_second,
        "seconds": run.seconds,
        "log": run.location,
        **(
            {"groups": {name: interval_json(mean_score(members(run.outcomes, by, name))) for name in groups}}
            if by
            else {}
        ),
    }


def matrix_json(matrix: ForgettingMatrix) -> list[dict[str, Any]]:
    """One object per cell: row, its base, task and group, difference with interval, p and adjusted p."""
    rows = {row.key: row for row in matrix.rows}
    return [
        {
            "row": rows[key].title,
            "base": base.title if (base := matrix.bases[key]) else None,
            "column": measure.column.label,
            "group": measure.group,
            **vars(found),
            "p_holm": matrix.adjusted[key, measure],
        }
        for (key, measure), found in matrix.cells.items()
    ]


def published_json(published: Published) -> list[dict[str, Any]]:
    """Reported tables as they are kept, each with its source."""
    return [{"source": source.source, **table.model_dump()} for source, table in published]


_WHOSE = (
    *("name", "weights_digest", "parameters", "recipe", "base"),
    *("task", "task_version", "data_hash", "prompt_hash", "metric"),
)
_CSV = (
    *_WHOSE,
    "group",
    *("score", "low", "high", "n", "clusters", "no_answer", "truncated", "unscored"),
    *("standing", "p_against_best", "samples_per_second", "seconds", "log"),
)


def leaderboard_csv(board: Leaderboard, by: str | None = None) -> str:
    """One line per row and column, and per group of the field ``by``; scores in [0, 1]."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV, lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        for column, cell in row.cells.items():
            writer.writerow(line := _line(row, column, cell))
            for name in group_names([cell.run], by) if by else []:
                found = mean_score(members(cell.run.outcomes, str(by), name))
                whose = {key: value for key, value in line.items() if key in _WHOSE}
                writer.writerow({**whose, **_numbers(found), "group": _plain(name)})
    return text.getvalue()


def _line(row: Row, column: Column, cell: Cell) -> dict[str, Any]:
    run = cell.run
    return {
        "name": _plain(row.title),
        "weights_digest": row.digest,
        "parameters": row.parameters,
        "recipe": _plain(row.lineage.recipe) if row.lineage else None,
        "base": _plain(row.lineage.base) if row.lineage else None,
        "task": _plain(column.task),
        "task_version": column.version,
        "data_hash": column.data_hash,
        "prompt_hash": column.prompt_hash,
        "metric": _plain(column.metric),
        **_numbers(cell.score),
        "no_answer": cell.no_answer.mean if cell.no_answer else None,
        "truncated": cell.truncated.mean if cell.truncated else None,
        "unscored": run.unscored.total(),
        "standing": cell.standing,
        "p_against_best": cell.p,
        "samples_per_second": run.samples_per_second,
        "seconds": run.seconds,
        "log": _plain(run.location),
    }


def _numbers(interval: Interval | None) -> Mapping[str, Any]:
    if interval is None:
        return {"n": 0}
    return {
        "score": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "clusters": interval.clusters,
    }


def _plain(text: str | None) -> str | None:
    """A cell that a spreadsheet takes for text: names from elsewhere may look like formulas."""
    return "'" + text if text and text[0] in "=+-@\t\r" else text


def leaderboard_markdown(board: Leaderboard, by: str | None = None, published: Published = ()) -> str:
    """A Markdown table per column, a table of groups when ``by`` is given, and what others reported."""
    parts = []
    for column in board.columns:
        parts.append(f"### {_cell_text(column.label)}\n\n{_markdown_task(board, column)}")
        runs = [cell.run for _, cell in board.cells(column)]
        if by and group_names(runs, by):
            parts.append(_markdown_groups(board, column, by))
    parts.append("  \n".join([*legend(board), *map(_cell_text, signature_lines(board))]))
    parts += [f"Warning: {_cell_text(line)}" for line in board_warnings(board)]
    for source, table in published:
        parts.append(_markdown_published(source, table))
    return "\n\n".join(parts) + "\n"


def _markdown_task(board: Leaderboard, column: Column) -> str:
    head = ["model", "params", "score ±95%", "n", "no answer", "truncated", "unscored", "/s", "time"]
    marks = {"best": "● ", "tied": "○ "}
    lines = []
    for row, cell in board.cells(column):
        run = cell.run
        lines.append(
            [
                row.title,
                parameters_text(row.parameters),
                marks.get(cell.standing, "") + score_text(cell.score),
                f"{n_text(cell.score.n if cell.score else 0)}{' (part)' if cell.partial else ''}",
                percent(cell.no_answer),
                percent(cell.truncated),
                str(run.unscored.total()),
                f"{run.samples_per_second:.1f}" if run.samples_per_second else "–",
                seconds_text(run.seconds if run.samples_per_second else None),
            ]
        )
    return _markdown(head, lines)


def _markdown_groups(board: Leaderboard, column: Column, by: str) -> str:
    cells = board.cells(column)
    names = group_names([cell.run for _, cell in cells], by)
    sizes = {name: max(len(members(cell.run.outcomes, by, name)) for _, cell in cells) for name in names}
    return _markdown(
        [f"by {by}", *(f"{name} (n {sizes[name]})" for name in names)],
        [
            [row.title, *(score_text(mean_score(members(cell.run.outcomes, by, name))) for name in names)]
            for row, cell in cells
        ],
    )


def _markdown_published(source: PublishedSource, table: PublishedTable) -> str:
    lines = [[row.model, reported_text(table, row), str(row.n or table.n or "–")] for row in table.rows]
    notes = [*table.notes, *(f"{row.model}: {note}" for row in table.rows for note in row.notes)]
    return "\n".join(
        [
            f"### {_cell_text(table.task)}, reported elsewhere, never tested against ours",
            "",
            _markdown(["reported", table.metrics[0], "n"], lines),
            "",
            *(f"- {_cell_text(note)}" for note in notes),
            f"- source: {_cell_text(source.source)}, {_cell_text(table.name)}",
        ]
    )


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---", *["--:"] * (len(head) - 1)], *lines]
    return "\n".join("| " + " | ".join(map(_cell_text, row)) + " |" for row in rows)


def _cell_text(text: str) -> str:
    """Text that neither ends its cell nor becomes markup."""
    plain = printable(text)
    for sign in "\\|<>`*_":
        plain = plain.replace(sign, "\\" + sign)
    return plain
