"""The leaderboard as JSON, CSV and Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from results.board.columns import BESIDE_SCORE
from results.board.forgetting import ForgettingMatrix
from results.board.leaderboard_table import (
    board_warnings,
    legend,
    reported_text,
    signature_lines,
)
from results.board.published import PublishedSource, PublishedTable
from results.board.standings import BoardRow, Cell, Column, Leaderboard, group_names, mean_score, members
from results.numbers.intervals import Interval
from results.shown.words import interval_json, n_text, parameters_text, printable, score_text

if TYPE_CHECKING:
    from pandas import DataFrame

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


def _row_json(row: BoardRow, by: str | None) -> dict[str, Any]:
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
        **{one.key: one.json(cell) for one in BESIDE_SCORE},
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
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            # Not to be known of a single cluster.
            "error": found.error if math.isfinite(found.error) else None,
            "p": found.p,
            "n": found.n,
            "clusters": found.clusters,
            "better": found.better,
            "worse": found.worse,
            "test": found.test.name,
            "p_exact": found.test.exact,
            "p_holm": matrix.adjusted[key, measure],
        }
        for (key, measure), found in matrix.cells.items()
    ]


def published_json(published: Published) -> list[dict[str, Any]]:
    """Reported tables as they are kept, each with its source."""
    return [{"source": source.source, **table.model_dump()} for source, table in published]


def leaderboard_csv(board: Leaderboard, by: str | None = None) -> str:
    """`leaderboard_frame` as CSV."""
    frame = leaderboard_frame(board, by)
    # Column by column: `DataFrame.map` would make 0.0 of a count where another line has none.
    texts = {name: [_plain(value) for value in frame[name]] for name in frame}
    csv: str = type(frame)(texts, dtype=object).to_csv(index=False, lineterminator="\n")
    return csv


def leaderboard_frame(board: Leaderboard, by: str | None = None) -> DataFrame:
    """One line per row and column, and per group of the field ``by``; scores in [0, 1]."""
    # Imported only where a table is exported: it takes 0.3 s.
    from pandas import DataFrame

    besides = [one.key for one in BESIDE_SCORE if one.csv]
    lines = [
        line
        for row in board.rows
        for column, cell in row.cells.items()
        for line in _lines(row, column, cell, by)
    ]
    # Objects, so that a count stays one where another line has none.
    return DataFrame(lines, columns=[*_WHOSE, "group", *_SCORE, *besides], dtype=object)


_WHOSE = (
    *("name", "weights_digest", "parameters", "recipe", "base"),
    *("task", "task_version", "data_hash", "prompt_hash", "metric"),
)
_SCORE = ("score", "low", "high", "n", "clusters")


def _lines(row: BoardRow, column: Column, cell: Cell, by: str | None) -> Iterator[dict[str, Any]]:
    """The whole cell's, then those of its groups."""
    whose = {
        "name": row.title,
        "weights_digest": row.digest,
        "parameters": row.parameters,
        "recipe": row.lineage.recipe if row.lineage else None,
        "base": row.lineage.base if row.lineage else None,
        "task": column.task,
        "task_version": column.version,
        "data_hash": column.data_hash,
        "prompt_hash": column.prompt_hash,
        "metric": column.metric,
    }
    yield {**whose, **_numbers(cell.score), **{one.key: one.csv(cell) for one in BESIDE_SCORE if one.csv}}
    for name in group_names([cell.run], by) if by else []:
        found = mean_score(members(cell.run.outcomes, str(by), name))
        yield {**whose, "group": name, **_numbers(found)}


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


def _plain(value: Any) -> Any:
    """A cell that a spreadsheet takes for text: names from elsewhere may look like formulas."""
    return "'" + value if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def leaderboard_markdown(board: Leaderboard, by: str | None = None, published: Published = ()) -> str:
    """A Markdown table per column, a table of groups when ``by`` is given, and what others reported."""
    parts = []
    for column in board.columns:
        parts.append(f"### {_cell_text(column.label)}\n\n{_markdown_task(board, column)}")
        runs = [cell.run for _, cell in board.cells(column)]
        if by and group_names(runs, by):
            parts.append(_markdown_groups(board, column, by))
    parts.append("  \n".join(map(_cell_text, [*legend(board), *signature_lines(board)])))
    parts += [f"Warning: {_cell_text(line)}" for line in board_warnings(board)]
    for source, table in published:
        parts.append(_markdown_published(source, table))
    return "\n\n".join(parts) + "\n"


def _markdown_task(board: Leaderboard, column: Column) -> str:
    besides = [one for one in BESIDE_SCORE if one.text]
    head = ["model", "params", "score ±95%", "n", *(one.title for one in besides)]
    marks = {"best": "● ", "tied": "○ "}
    lines = [
        [
            row.title,
            parameters_text(row.parameters),
            marks.get(cell.standing, "") + score_text(cell.score),
            f"{n_text(cell.score.n if cell.score else 0)}{' (part)' if cell.partial else ''}",
            *(one.text(cell) for one in besides if one.text),
        ]
        for row, cell in board.cells(column)
    ]
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
