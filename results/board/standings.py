"""Runs → rows: one per weights, one column per thing measured, the best and its equals marked.

Pure: nothing here reads or writes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from results.chosen.folder import comparable_version, weights
from results.logs.ancestry import Lineage, lineage_of
from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Flags, Floats, Outcomes
from results.numbers.intervals import ALPHA, Interval, mean_interval
from results.numbers.metrics import corpus_interval
from results.numbers.paired import PairedDifference, pair
from results.numbers.paired_corpus import score_difference

_Key: TypeAlias = tuple[str, str | None, str | None, str | None, str | None]
Standing = Literal["best", "tied", "behind", "untested"]
# A run over fewer of the column's samples is shown, and neither tested nor called the best: what is missing
# could move its score by over ten points.
_LEAST_COVERAGE = 0.9
# What may differ between two runs of the same weights on the same column, with the words for it.
_SETTINGS = ("generation", "engine", "engine_version", "dtype", "engine_seed", "base_url")


@dataclass(frozen=True)
class Column:
    """What must agree for scores to be compared. label: short and unique.

    metric: the signature of how completions were scored (sacrebleu's, BERTScore's hash), where there is one.
    """

    task: str
    version: str | None
    data_hash: str | None
    prompt_hash: str | None
    metric: str | None
    label: str = field(compare=False)


@dataclass(frozen=True)
class Cell:
    """A run's place in its column.

    standing: "best" has the highest mean; "tied" cannot be told from it; "behind" can; "untested" has too
    few of the column's samples or no score. p: against the best, Bonferroni-adjusted over the column.
    """

    run: Run = field(repr=False)
    score: Interval | None
    no_answer: Interval | None
    truncated: Interval | None
    partial: bool
    standing: Standing = "untested"
    p: float | None = None


@dataclass(frozen=True)
class BoardRow:
    """One set of weights. key: unique; note: how its settings differ from its namesake's, or ""."""

    key: str
    name: str
    note: str
    digest: str | None
    parameters: int | None
    lineage: Lineage | None
    cells: Mapping[Column, Cell]

    @property
    def title(self) -> str:
        """Name and what sets it apart."""
        return f"{self.name} ({self.note})" if self.note else self.name


@dataclass(frozen=True)
class Leaderboard:
    """Rows sorted by the first column's score, those without one last."""

    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]

    def cells(self, column: Column) -> list[tuple[BoardRow, Cell]]:
        """The rows that have this column, best first."""
        found = [(row, row.cells[column]) for row in self.rows if column in row.cells]
        return sorted(found, key=lambda pair: -_mean(pair[1]))

    def best(self, column: Column) -> BoardRow | None:
        """The row with the highest mean of those that cover the column."""
        return next((row for row, cell in self.cells(column) if cell.standing == "best"), None)


def leaderboard(
    runs: Sequence[Run], tasks: Sequence[str] | None = None, *, every: bool = False
) -> Leaderboard:
    """Put runs into rows and columns and test each against its column's best.

    tasks: the columns' order; by name when None. Of several runs of the same weights, column and settings
    the newest complete one counts; ``every`` keeps each in a row of its own. The marked rows of a column
    (best and tied) hold the truly best one with at least 95% probability: each is tested against the
    observed best, paired and clustered, at 5% over the number of such tests.
    """
    chosen = [run for run in runs if tasks is None or run.task in tasks]
    columns = _columns(chosen, tasks)
    rows = _rows(chosen, {_column_key(column): column for column in columns}, every)
    for column in columns:
        rows = _ranked(rows, column)
    return Leaderboard(columns, tuple(sorted(rows, key=lambda row: _order(row, columns))))


def _mean(cell: Cell | None) -> float:
    return cell.score.mean if cell and cell.score else -1.0


def _order(row: BoardRow, columns: Sequence[Column]) -> tuple[Any, ...]:
    return (*(-_mean(row.cells.get(column)) for column in columns), row.title)


def _column_key(of: Run | Column) -> _Key:
    if isinstance(of, Column):
        return of.task, of.version, of.data_hash, of.prompt_hash, of.metric
    said = of.identity
    return (
        of.task,
        comparable_version(said.get("task_version")),
        said.get("data_hash"),
        said.get("prompt_hash"),
        said.get("metric"),
    )


def _columns(runs: Iterable[Run], tasks: Sequence[str] | None) -> tuple[Column, ...]:
    by_task: dict[str, list[_Key]] = defaultdict(list)
    for run in runs:
        key = _column_key(run)
        if key not in by_task[run.task]:
            by_task[run.task].append(key)
    order = tasks if tasks is not None else sorted(by_task)
    return tuple(
        Column(*key, label=_label(key, by_task[task]))
        for task in order
        for key in sorted(by_task[task], key=lambda key: tuple(map(str, key)))
    )


def _label(
    key: _Key,
    others: Sequence[_Key],
) -> str:
    """The task's name, with whatever tells this column from the task's others."""
    parts = []
    for position, word in ((1, "v"), (2, "data "), (3, "prompt ")):
        if len({other[position] for other in others}) > 1:
            value = key[position]
            parts.append(word + ((value if position == 1 else value[:6]) if value else "?"))
    if len({other[4] for other in others}) > 1:
        # Signatures are long, and differ anywhere; the legend has them whole.
        parts.append("metric " + hashlib.sha256(str(key[4]).encode()).hexdigest()[:6])
    return " ".join([key[0], *parts])


def _identity(run: Run) -> str:
    """What makes two runs the same model: its weights' or completions' digest, or its name and address."""
    known = run.identity
    if known.get("weights_digest") or known.get("completions_hash"):
        return weights(run)
    return f"{run.model} {known.get('base_url') or ''}".strip()


def _settings(run: Run) -> dict[str, str]:
    said = run.identity
    found = {name: said.get(name) for name in _SETTINGS if name != "generation"}
    found |= said.get("generation") or {}
    return {name: str(value) for name, value in found.items() if value is not None}


def _rows(
    runs: Sequence[Run],
    columns: Mapping[_Key, Column],
    every: bool,
) -> list[BoardRow]:
    by_model: dict[str, dict[Column, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in sorted(runs, key=_completeness, reverse=True):
        by_model[_identity(run)][columns[_column_key(run)]].append(run)
    rows: list[BoardRow] = []
    for identity, found in by_model.items():
        main: dict[Column, Run] = {}
        notes: dict[str, dict[Column, Run]] = {}
        for column, candidates in found.items():
            for number, run in enumerate(candidates):
                if number == 0:
                    main[column] = run
                    continue
                note = _difference_note(run, main[column])
                if every:
                    note = ", ".join(filter(None, [note, run.created or f"run {number + 1}"]))
                if note:
                    notes.setdefault(note, {}).setdefault(column, run)
        rows.append(_row(identity, "", main))
        rows += [_row(identity, note, cells) for note, cells in notes.items()]
    return rows


def _completeness(run: Run) -> tuple[bool, int, str]:
    """Orders runs: complete before partial, more samples before fewer (a --limit), new before old."""
    return run.status == "success", len(run.outcomes), run.created


def _difference_note(run: Run, main: Run) -> str:
    ours, theirs = _settings(run), _settings(main)
    return ", ".join(
        f"{name}={ours.get(name, 'default')}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    )


def _row(identity: str, note: str, runs: Mapping[Column, Run]) -> BoardRow:
    first = next(iter(runs.values()))
    return BoardRow(
        key=f"{identity} {note}".strip(),
        name=short_name(first).removeprefix("completions:"),
        note=note,
        digest=first.identity.get("weights_digest"),
        parameters=first.identity.get("parameters"),
        lineage=next(filter(None, (lineage_of(run.identity) for run in runs.values())), None),
        cells={column: _cell(run) for column, run in runs.items()},
    )


def _cell(run: Run) -> Cell:
    return Cell(
        run=run,
        score=mean_score(run.outcomes),
        no_answer=rate(run.outcomes, run.outcomes.no_answer),
        truncated=rate(run.outcomes, run.outcomes.truncated),
        partial=False,
    )


def mean_score(outcomes: Outcomes) -> Interval | None:
    """Mean of the scored outcomes, or their corpus score, with its clustered interval; None without any."""
    if outcomes.corpus is not None:
        return corpus_interval(outcomes, outcomes.corpus)
    return _mean_where(outcomes, outcomes.values, outcomes.scored)


def rate(outcomes: Outcomes, flag: Flags) -> Interval | None:
    """Share of the scored outcomes that have a flag, of those where the scorer says."""
    return _mean_where(outcomes, flag.astype(float), outcomes.scored & (flag >= 0))


def _mean_where(outcomes: Outcomes, values: Floats, chosen: npt.NDArray[np.bool_]) -> Interval | None:
    return mean_interval(values[chosen].tolist(), outcomes.clusters.codes[chosen])


def _ranked(rows: Sequence[BoardRow], column: Column) -> list[BoardRow]:
    """The rows with this column's standings filled in."""
    # Of equal scores the first by name is the best, as the table sorts them.
    by_name = sorted(rows, key=lambda row: row.title)
    there = {row.key: row.cells[column] for row in by_name if column in row.cells}
    whole = len({sample for cell in there.values() for sample in cell.run.outcomes.ids})
    least = max(1, _LEAST_COVERAGE * whole)
    covered = {key: _scored(cell.run.outcomes) >= least for key, cell in there.items()}
    tested = sorted((key for key in there if covered[key]), key=lambda key: -_mean(there[key]))
    for key, cell in there.items():
        there[key] = replace(cell, partial=not covered[key])
    # One whole row beside partial ones is the best of nothing.
    if len(tested) > 1 or (tested and len(there) == 1):
        best, *others = tested
        there[best] = replace(there[best], standing="best")
        for key in others:
            there[key] = _against(there[key], there[best], tests=len(others))
    return [
        replace(row, cells={**row.cells, column: there[row.key]}) if row.key in there else row for row in rows
    ]


def _scored(outcomes: Outcomes) -> int:
    """Samples with a score in at least one epoch."""
    return len({outcomes.ids[row] for row in np.flatnonzero(outcomes.scored).tolist()})


def _against(cell: Cell, best: Cell, tests: int) -> Cell:
    found = difference(best.run, cell.run)
    if found is None:
        return cell
    p = min(1.0, found.p * tests)
    return replace(cell, standing="behind" if p < ALPHA else "tied", p=p)


def difference(
    base: Run, candidate: Run, by: str | None = None, group: str | None = None
) -> PairedDifference | None:
    """candidate minus base over the samples that both have a score for (of one group, when given).

    None when there are none.
    """
    one, two = base.outcomes, candidate.outcomes
    if by is not None:
        one, two = members(one, by, group), members(two, by, group)
    pairs = pair(one, two)
    return score_difference(one, two, pairs)[-1] if len(pairs.ids) else None


def group_names(runs: Iterable[Run], by: str) -> list[str]:
    """The groups of a report field over all runs, sorted."""
    return sorted(
        {name for run in runs if by in run.outcomes.groups for name in run.outcomes.groups[by].names}
    )


def members(outcomes: Outcomes, by: str, group: str | None) -> Outcomes:
    """The outcomes of one group."""
    labels = outcomes.groups.get(by)
    if labels is None or group not in labels.names:
        return outcomes.take(np.zeros(0, dtype=np.int64))
    return outcomes.take(np.flatnonzero(labels.codes == labels.names.index(group)))
