"""The leaderboard in a terminal: 80 columns hold it, a wider one shows more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.board.columns import BESIDE_SCORE
from results.board.forgetting import ForgettingMatrix, MatrixColumn
from results.board.standings import BoardRow, Cell, Column, Leaderboard, group_names, mean_score, members
from results.logs.ancestry import lineage_warning
from results.logs.judge_warnings import rating_warnings
from results.logs.logged_run import Run
from results.numbers.intervals import ALPHA, Interval
from results.shown.words import SMALL_NOTE, n_text, parameters_text, score_text, seconds_text, shown

if TYPE_CHECKING:
    from results.board.published import PublishedRow, PublishedSource, PublishedTable

_MARKS = {"best": "●", "tied": "○", "behind": " ", "untested": " "}
_LEGEND = "● best · ○ not distinguishable from it (paired, clustered, 5%, Bonferroni)"
_PART = "part: under 90% of the samples that other rows have, so not ranked"
# Two tasks beside the names fit 80 columns; the longest score is ``● 100.0 [100.0, 100.0]``, 22 wide.
_NAME_WIDTH = 26
_SCORE_WIDTH = 22
# From here on a long name has room beside every column.
_WIDE = 110


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """One task: a table with every detail that fits. Several: scores side by side, n and rates below each."""
    if len(board.columns) == 1:
        console.print(_task_table(board, board.columns[0], console.width))
    else:
        for columns in _blocks(board.columns, console.width):
            console.print(_overview(board, columns))
            console.print()
    for line in legend(board):
        console.print(Text(line, style="dim"))
    print_signatures(board, console)
    for line in _lineage_lines(board):
        console.print(shown(line), style="dim")


def legend(board: Leaderboard) -> list[str]:
    """What the marks and short words of this board's tables mean."""
    cells = [cell for row in board.rows for cell in row.cells.values()]
    lines = {
        _LEGEND: any(cell.standing in ("best", "tied") for cell in cells),
        _PART: any(cell.partial for cell in cells),
        _short_names(): len(board.columns) > 1 and any(_shown_rates(cell) for cell in cells),
        SMALL_NOTE: any("*" in _n_text(cell) for cell in cells),
    }
    return [line for line, needed in lines.items() if needed]


def _short_names() -> str:
    return ", ".join(f"{beside.short}: {beside.title}" for beside in BESIDE_SCORE if beside.short)


def signature_lines(board: Leaderboard) -> list[str]:
    """How the scores of each column were computed, where that has a signature."""
    return [f"{column.label}: {column.metric}" for column in board.columns if column.metric]


def board_warnings(board: Leaderboard) -> list[str]:
    """The warnings of every run on a leaderboard, each with its column."""
    cells = [(column, cell) for column in board.columns for _, cell in board.cells(column)]
    lines = [
        f"{column.label}: {line}" for column, cell in cells for line in rating_warnings(cell.run.identity)
    ]
    lines += [line for _, cell in cells if (line := lineage_warning(cell.run.identity))]
    return list(dict.fromkeys(lines))


def _blocks(columns: Sequence[Column], width: int) -> list[Sequence[Column]]:
    """As many columns side by side as the terminal holds."""
    size = max(1, (width - _NAME_WIDTH) // (_SCORE_WIDTH + 2))
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _table(title: str = "") -> Table:
    return Table(box=None, pad_edge=False, header_style="bold", title=title or None, title_justify="left")


def _task_table(board: Leaderboard, column: Column, width: int) -> Table:
    table = _table()
    table.add_column(shown(column.label), overflow="fold", vertical="bottom")
    wide = width >= _WIDE
    besides = [one for one in BESIDE_SCORE if one.text and (wide or not one.wide)]
    headings = [
        *(["params"] if wide else []),
        "score ±95%",
        "n",
        *(one.heading or one.title for one in besides),
    ]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for row, cell in board.cells(column):
        table.add_row(
            shown(row.title),
            *([parameters_text(row.parameters)] if wide else []),
            Text(f"{_MARKS[cell.standing]} {score_text(cell.score)}"),
            _n_text(cell),
            *(one.text(cell) for one in besides if one.text),
            style="bold" if cell.standing == "best" else "",
        )
    return table


def _overview(board: Leaderboard, columns: Sequence[Column]) -> Table:
    table = _table()
    table.add_column("", overflow="fold", max_width=_NAME_WIDTH)
    for column in columns:
        table.add_column(shown(column.label), justify="right", overflow="fold", width=_SCORE_WIDTH)
    for row in board.rows:
        cells = [row.cells.get(column) for column in columns]
        if any(cells):
            table.add_row(shown(row.title), *map(_score_and_details, cells))
    return table


def _score_and_details(cell: Cell | None) -> Text:
    if cell is None:
        return Text("–", style="dim")
    text = Text(f"{_MARKS[cell.standing]} {score_text(cell.score)}")
    details = ", ".join([f"n {_n_text(cell)}", *_shown_rates(cell)])
    return text.append(f"\n{details}", style="dim")


def _shown_rates(cell: Cell) -> list[str]:
    return [
        f"{one.text(cell)} {one.short}"
        for one in BESIDE_SCORE
        if one.short and one.text and one.csv and (one.csv(cell) or 0) >= 0.005
    ]


def _n_text(cell: Cell) -> str:
    n = n_text(cell.score.n if cell.score else 0)
    return f"{n} part" if cell.partial else n


def _lineage_lines(board: Leaderboard) -> list[str]:
    return [
        f"{row.name}: recipe {row.lineage.recipe or '–'}, from {row.lineage.base or '–'}"
        for row in board.rows
        if row.lineage and (row.lineage.recipe or row.lineage.base)
    ]


def print_signatures(board: Leaderboard, console: Console) -> None:
    """A line for each column whose scores have a signature; long, and never cut."""
    for line in signature_lines(board):
        console.print(shown(line), style="dim", soft_wrap=True)


def print_groups(board: Leaderboard, column: Column, by: str, console: Console) -> None:
    """A task's table by a report field: rows are models, columns its groups with their sizes."""
    runs = [cell.run for _, cell in board.cells(column)]
    names = group_names(runs, by)
    head, cell_width = 24, 19
    size = max(1, (console.width - head) // (cell_width + 2))
    # The first block also holds the score over all groups.
    starts = [0, *range(max(1, size - 1), len(names), size)]
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        table = _table()
        table.add_column(shown(f"{column.label} by {by}"), overflow="fold", max_width=head, vertical="bottom")
        shown_names = names[start:end]
        if start == 0:
            table.add_column("all", justify="right", width=cell_width, vertical="bottom")
        for name in shown_names:
            heading = _group_heading(name, runs, by)
            table.add_column(heading, justify="right", overflow="fold", width=cell_width)
        for row, cell in board.cells(column):
            scores = [mean_score(members(cell.run.outcomes, by, name)) for name in shown_names]
            scores = [cell.score, *scores] if start == 0 else scores
            table.add_row(shown(row.title), *(Text(score_text(score)) for score in scores))
        console.print(table)
        console.print()


def _group_heading(name: str, runs: Sequence[Run], by: str) -> Text:
    sizes = [len(set(members(run.outcomes, by, name).ids)) for run in runs]
    return shown(name).append(f"\nn {max(sizes, default=0)}", style="dim")


def print_published(
    tables: Sequence[tuple[PublishedSource, PublishedTable]], console: Console, by: str | None = None
) -> None:
    """Tables that others reported: marked, with their notes, apart from ours; groups of the field ``by``."""
    for source, published in tables:
        heading = f"reported elsewhere, never tested against ours: {published.task}, {published.name}"
        console.print(shown(heading), style="italic")
        table = _table()
        table.add_column("reported", overflow="fold", max_width=36)
        for heading in ("params", published.metrics[0], "n", "time"):
            table.add_column(heading, justify="right", overflow="fold")
        for row in published.rows:
            table.add_row(
                shown(row.model),
                row.parameters or "–",
                reported_text(published, row),
                str(row.n or published.n or "–"),
                seconds_text(row.minutes * 60 if row.minutes is not None else None),
            )
        console.print(table)
        if by is not None and published.by == by:
            for groups in _published_groups(published, console.width):
                console.print(groups)
        rows = [f"{row.model}: {note}" for row in published.rows for note in row.notes]
        for note in (*published.notes, *rows):
            console.print(shown(f"  {note}"), style="dim")
        console.print(shown(f"  source: {source.source}"), style="dim")
        console.print()


def _published_groups(published: PublishedTable, width: int) -> list[Table]:
    """Groups as rows, for their names are long; as many models side by side as fit. Values as printed."""
    rows = [row for row in published.rows if row.group_scores]
    longest = max(len(group) for group in published.groups)
    size = max(1, (width - longest - 8) // 14)
    tables = []
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        table = _table()
        table.add_column(shown(f"by {published.by}"), overflow="fold", width=longest, vertical="bottom")
        table.add_column("n", justify="right", vertical="bottom")
        for row in block:
            table.add_column(shown(row.model), justify="right", overflow="fold", width=12, vertical="bottom")
        for group, n in published.groups.items():
            table.add_row(shown(group), str(n), *(f"{row.group_scores[group]:.2f}" for row in block))
        tables.append(table)
    return tables


def reported_text(table: PublishedTable, row: PublishedRow) -> str:
    """The first metric as printed, with Wilson's interval over the reported n where there is one."""
    value = row.scores[table.metrics[0]]
    text = f"{value:.4f}" if table.unit == "fraction" else f"{value:g}"
    interval: Interval | None = table.interval(row)
    about = "~" if row.about else ""
    return f"{about}{text}" + (f" [{100 * interval.low:.1f}, {100 * interval.high:.1f}]" if interval else "")


def print_matrix(matrix: ForgettingMatrix, console: Console) -> None:
    """Differences to the base in points, those that a 5% test tells from 0 with a star."""
    head, cell_width = 26, 22
    size = max(1, (console.width - head) // (cell_width + 2))
    for start in range(0, len(matrix.measures), size):
        measures = matrix.measures[start : start + size]
        table = _table()
        table.add_column("in training order", overflow="fold", max_width=head, vertical="bottom")
        for measure in measures:
            heading = shown(measure.label)
            if measure.group is not None:
                heading.append(f"\n{measure.column.label}", style="dim")
            sizes = [matrix.cells[key].n for key in matrix.cells if key[1] == measure]
            heading.append(f"\nn {max(sizes, default=0)}", style="dim")
            table.add_column(heading, justify="right", overflow="fold", width=cell_width)
        for row in matrix.rows:
            table.add_row(shown(row.title), *(_change(matrix, row, measure) for measure in measures))
        console.print(table)
        console.print()
    note = "points against the base, 95% interval; * p < 0.05 after Holm over the row"
    console.print(Text(note, style="dim"))
    for row in matrix.rows:
        base = matrix.bases[row.key]
        if base is not None:
            console.print(shown(f"{row.title}: base {base.title}"), style="dim")


def _change(matrix: ForgettingMatrix, row: BoardRow, measure: MatrixColumn) -> Text:
    found = matrix.cells.get((row.key, measure))
    if found is None:
        is_base = matrix.bases[row.key] is None and measure.column in row.cells
        return Text("base" if is_base else "–", style="dim")
    sure = matrix.adjusted[row.key, measure] < ALPHA
    star = "*" if sure else " "
    style = "" if not sure else "green" if found.difference > 0 else "red"
    return Text(
        f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{star}", style=style
    )
