"""What training gained and lost: checkpoints in training order, each against where it began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from results.board.standings import BoardRow, Column, Leaderboard, difference, group_names
from results.numbers.intervals import holm
from results.numbers.paired import PairedDifference


@dataclass(frozen=True)
class MatrixColumn:
    """One column of the matrix: a task, or one group of it."""

    column: Column
    by: str | None = None
    group: str | None = None

    @property
    def label(self) -> str:
        """The task's label, or the group's name."""
        return self.column.label if self.group is None else self.group


@dataclass(frozen=True)
class ForgettingMatrix:
    """rows: checkpoints in training order. bases: row key → the row it is compared with, None for a base.

    cells: (row key, measure) → candidate minus base with its 95% interval and p. adjusted: the same p after
    Holm over the cells of their row, so that a checkpoint that changed nothing is starred in 5% of cases.
    """

    rows: tuple[BoardRow, ...]
    measures: tuple[MatrixColumn, ...]
    bases: Mapping[str, BoardRow | None]
    cells: Mapping[tuple[str, MatrixColumn], PairedDifference]
    adjusted: Mapping[tuple[str, MatrixColumn], float]


def forgetting_matrix(board: Leaderboard, by: str | None = None) -> ForgettingMatrix:
    """The matrix over a leaderboard's tasks, or with ``by`` over each task and its groups.

    A row's base is the oldest of its ancestors that has a row: the model that training began with. Where no
    row has a lineage, the earliest one stands in.
    """
    rows = _in_training_order(board.rows)
    bases = {row.key: _base(row, rows) for row in rows}
    measures = tuple(measure for column in board.columns for measure in _measures(board, column, by))
    cells: dict[tuple[str, MatrixColumn], PairedDifference] = {}
    adjusted: dict[tuple[str, MatrixColumn], float] = {}
    for row in rows:
        base = bases[row.key]
        for measure in measures if base is not None else ():
            one, two = base.cells.get(measure.column) if base else None, row.cells.get(measure.column)
            if one and two and (found := difference(one.run, two.run, measure.by, measure.group)):
                cells[row.key, measure] = found
        own = [key for key in cells if key[0] == row.key]
        if own:
            adjusted |= zip(own, holm([cells[key].p for key in own]), strict=True)
    return ForgettingMatrix(tuple(rows), measures, bases, cells, adjusted)


def _measures(board: Leaderboard, column: Column, by: str | None) -> list[MatrixColumn]:
    runs = [cell.run for _, cell in board.cells(column)]
    groups = group_names(runs, by) if by else []
    return [MatrixColumn(column), *(MatrixColumn(column, by, group) for group in groups)]


def _created(row: BoardRow) -> str:
    return min((cell.run.created for cell in row.cells.values()), default="")


def _in_training_order(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """By the number of known ancestors (a parent before its children), then by the time of the first run."""
    return sorted(
        rows, key=lambda row: (len(row.lineage.ancestors) if row.lineage else 0, _created(row), row.key)
    )


def _base(row: BoardRow, rows: Sequence[BoardRow]) -> BoardRow | None:
    by_digest = {other.digest: other for other in reversed(rows) if other.digest}
    ancestors = row.lineage.ancestors if row.lineage else ()
    known = [by_digest[digest] for digest in ancestors if digest in by_digest]
    if known:
        return known[-1]
    return None if row is rows[0] or any(other.lineage for other in rows) else rows[0]
