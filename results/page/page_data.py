"""A leaderboard → the plain data that its page draws: numbers as rounded shares of 1, texts as they are.

What is long is kept once: rows and columns are referred to by their place, groups by theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from results.board.columns import BESIDE_SCORE
from results.board.confusion import confusions
from results.board.forgetting import forgetting_matrix
from results.board.leaderboard_files import Published
from results.board.standings import BoardRow, Cell, Column, Leaderboard, group_names, mean_score, members
from results.logs.ancestry import Lineage
from results.numbers.intervals import Interval
from results.numbers.paired import PairedSamples, pair
from results.numbers.paired_corpus import score_difference

Plain = dict[str, Any]


def board_data(board: Leaderboard, published: Published, problems: Sequence[str]) -> Plain:
    """Everything on the page but the samples."""
    return {
        "besides": [
            {"key": one.key, "title": one.page[0], "drawn": one.page[1]} for one in BESIDE_SCORE if one.page
        ],
        "tasks": [_task(board, column) for column in board.columns],
        "rows": [_row(row) for row in board.rows],
        "cells": [
            [_cell(row.cells[column]) if column in row.cells else None for column in board.columns]
            for row in board.rows
        ],
        "groups": [_groups(board, column) for column in board.columns],
        "pairs": [_pairs(board, column) for column in board.columns],
        "matrix": _matrix(board),
        "confusion": [_confusion(board, column) for column in board.columns],
        "published": [
            {"source": source.source, "task": table.task, "name": table.name, "unit": table.unit,
             "metrics": table.metrics, "n": table.n, "notes": table.notes,
             "rows": [
                 {"model": row.model, "parameters": row.parameters, "values": list(row.scores.values()),
                  "about": row.about, "n": row.n or table.n, "notes": row.notes,
                  "interval": _interval(table.interval(row))}
                 for row in table.rows
             ]}
            for source, table in published
        ],
        "problems": list(problems),
    }  # fmt: skip


def _task(board: Leaderboard, column: Column) -> Plain:
    runs = [cell.run for _, cell in board.cells(column)]
    return {
        "label": column.label,
        "task": column.task,
        "version": column.version,
        "data": (column.data_hash or "")[:12],
        "prompt": (column.prompt_hash or "")[:12],
        "metric": column.metric,
        "by": list(dict.fromkeys(field for run in runs for field in run.report_by)),
    }


def _row(row: BoardRow) -> Plain:
    lineage = row.lineage
    return {
        "name": row.title,
        "model": next(iter(row.cells.values())).run.model,
        "digest": row.digest,
        "parameters": row.parameters,
        "recipe": lineage.recipe if lineage else None,
        "base": lineage.base if lineage else None,
        "training": _training(lineage) if lineage else None,
    }


def _training(lineage: Lineage) -> Plain | None:
    if not (lineage.losses or lineage.groups or lineage.examples):
        return None
    return {
        "examples": lineage.examples,
        "groups": {field: dict(groups) for field, groups in lineage.groups.items()},
        "losses": [[p.step, _round(p.train), _round(p.validation)] for p in lineage.losses],
    }


def _cell(cell: Cell) -> Plain:
    run = cell.run
    return {
        "score": _interval(cell.score),
        **{
            one.key: _round(number(cell))
            for one in BESIDE_SCORE
            if (number := one.drawn or one.csv) and one.page
        },
        "reasons": [[reason, count] for reason, count in run.unscored.most_common(5)],
        "standing": cell.standing,
        "partial": cell.partial,
        "log": run.location,
        "created": run.created,
    }


def _groups(board: Leaderboard, column: Column) -> Plain:
    runs = [row.cells[column].run if column in row.cells else None for row in board.rows]
    there = [run for run in runs if run is not None]
    fields: Plain = {}
    for field in dict.fromkeys(field for run in there for field in run.report_by):
        names = group_names(there, field)
        scores = [
            [_interval(mean_score(members(run.outcomes, field, name))) for name in names] if run else None
            for run in runs
        ]
        fields[field] = {"names": names, "scores": scores}
    return fields


def _pairs(board: Leaderboard, column: Column) -> list[list[float | None]]:
    """[base row, candidate row, difference, low, high, p, n] of each two rows that share scored samples."""
    found = []
    runs = [(place, row.cells[column].run) for place, row in enumerate(board.rows) if column in row.cells]
    for position, (place, run) in enumerate(runs):
        for other_place, other in runs[position + 1 :]:
            pairs: PairedSamples = pair(run.outcomes, other.outcomes)
            if not len(pairs.ids):
                continue
            d = score_difference(run.outcomes, other.outcomes, pairs)[-1]
            numbers = [_round(d.difference), _round(d.low), _round(d.high), float(f"{d.p:.3g}"), d.n]
            found.append([place, other_place, *numbers])
    return found


def _matrix(board: Leaderboard) -> Plain:
    places = {row.key: place for place, row in enumerate(board.rows)}
    fields = sorted(
        {field for row in board.rows for cell in row.cells.values() for field in cell.run.report_by}
    )
    return {by or "": _matrix_by(board, by, places) for by in (None, *fields)}


def _matrix_by(board: Leaderboard, by: str | None, places: dict[str, int]) -> Plain:
    matrix = forgetting_matrix(board, by)
    columns = {column: place for place, column in enumerate(board.columns)}
    measures = [m for m in matrix.measures if by is None or m.group is not None]
    return {
        "rows": [
            [places[row.key], places[base.key] if (base := matrix.bases[row.key]) else None]
            for row in matrix.rows
        ],
        "measures": [[columns[measure.column], measure.group] for measure in measures],
        "cells": [
            [_change(matrix.cells.get((row.key, m)), matrix.adjusted.get((row.key, m))) for m in measures]
            for row in matrix.rows
        ],
    }


def _change(found: Any, adjusted: float | None) -> list[float | None] | None:
    if found is None or adjusted is None:
        return None
    return [
        _round(found.difference),
        _round(found.low),
        _round(found.high),
        float(f"{adjusted:.3g}"),
        found.n,
    ]


def _confusion(board: Leaderboard, column: Column) -> list[Plain]:
    runs = [(place, row.cells[column].run) for place, row in enumerate(board.rows) if column in row.cells]
    found = confusions([run for _, run in runs])
    return [
        {
            "title": one.title,
            "targets": one.targets,
            "answers": one.answers,
            "counts": {
                str(place): counts.tolist() for (place, _), counts in zip(runs, one.counts, strict=True)
            },
        }
        for one in found
    ]


def _interval(interval: Interval | None) -> list[float | None] | None:
    """[mean, low, high, n, clusters]"""
    if interval is None:
        return None
    return [_round(interval.mean), _round(interval.low), _round(interval.high), interval.n, interval.clusters]


def _round(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.6g}")
