"""The leaderboard's figures for papers: PNG and SVG, white ground, one figure per file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.board.standings import (
    BoardRow,
    Cell,
    Column,
    Leaderboard,
    difference,
    group_names,
    mean_score,
    members,
)
from results.shown.words import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "svg.fonttype": "none",
    # Names come from elsewhere: a dollar sign in one starts no formula.
    "text.parse_math": False,
    # The same figure gives the same file.
    "svg.hashsalt": "tunebench",
}
_BLUE, _GREY, _ORANGE = "#1f5fa6", "#5d656e", "#c8641b"
_INCHES_PER_ROW = 0.27


def write_plots(board: Leaderboard, folder: Path, by: str | None = None) -> list[Path]:
    """Write every figure that the leaderboard has data for; the files written, PNG and SVG of each.

    by: the report field of the group figures; all fields of a task when None.
    """
    import matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(_STYLE):
        for name, figure in _figures(board, by):
            for ending in ("png", "svg"):
                file = folder / f"{name}.{ending}"
                metadata = {"Date": None} if ending == "svg" else None
                figure.savefig(file, dpi=200, bbox_inches="tight", metadata=metadata)
                written.append(file)
    return written


def _figures(board: Leaderboard, by: str | None) -> Iterator[tuple[str, Figure]]:
    for column in board.columns:
        cells = [(row, cell) for row, cell in board.cells(column) if cell.score]
        if not cells:
            continue
        task = _slug(column.label)
        yield f"leaderboard-{task}", _scores(column, cells)
        if (figure := _differences(board, column, cells)) is not None:
            yield f"differences-{task}", figure
        runs = [cell.run for _, cell in cells]
        for field in [by] if by else dict.fromkeys(name for run in runs for name in run.report_by):
            if names := group_names(runs, field):
                yield f"groups-{task}-{_slug(field)}", _heat_map(column, cells, field, names)
            for row, cell in cells:
                if row.lineage and (trained := row.lineage.groups.get(field)):
                    figure = _against_data(column, row, cell, field, trained)
                    yield f"data-{task}-{_slug(field)}-{_slug(row.name)}", figure
    if trained_rows := [row for row in board.rows if row.lineage and row.lineage.losses]:
        yield "losses", _losses(trained_rows)


def _slug(text: str) -> str:
    return re.sub(r"[^\w.@-]+", "-", text).strip("-") or "unnamed"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    return figure, figure.add_subplot()


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [printable(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _scores(column: Column, cells: Sequence[tuple[BoardRow, Cell]]) -> Figure:
    figure, axes = _figure(5.2, 0.8 + _INCHES_PER_ROW * len(cells))
    for place, (_, cell) in enumerate(cells):
        score = cell.score
        assert score is not None
        colour = _BLUE if cell.standing in ("best", "tied") else _GREY
        axes.plot([100 * score.low, 100 * score.high], [place, place], color=colour, linewidth=1.2)
        face = colour if cell.standing == "best" else "white"
        axes.plot(100 * score.mean, place, "o", color=colour, markerfacecolor=face, markersize=5)
    _name_rows(axes, [f"{row.title}  (n {cell.score.n})" for row, cell in cells if cell.score])
    axes.set_xlabel(printable(f"{column.label}: score, %, with 95% interval"))
    axes.grid(axis="x", color="#e2e5e9", linewidth=0.6)
    return figure


def _differences(board: Leaderboard, column: Column, cells: Sequence[tuple[BoardRow, Cell]]) -> Figure | None:
    """Forest plot against the column's best."""
    best = board.best(column)
    if best is None:
        return None
    others = [(row, cell) for row, cell in cells if row.key != best.key]
    found = [(row, difference(best.cells[column].run, cell.run)) for row, cell in others]
    rows = [(row, d) for row, d in found if d is not None]
    if not rows:
        return None
    figure, axes = _figure(5.2, 0.8 + _INCHES_PER_ROW * len(rows))
    axes.axvline(0, color=_GREY, linewidth=0.8)
    for place, (_, d) in enumerate(rows):
        colour = _ORANGE if d.high < 0 else _BLUE if d.low > 0 else _GREY
        axes.plot([100 * d.low, 100 * d.high], [place, place], color=colour, linewidth=1.2)
        axes.plot(100 * d.difference, place, "o", color=colour, markersize=4.5)
    _name_rows(axes, [f"{row.title}  (n {d.n})" for row, d in rows])
    axes.set_xlabel(printable(f"{column.label}: paired difference to {best.title}, points, 95% interval"))
    axes.grid(axis="x", color="#e2e5e9", linewidth=0.6)
    return figure


def _heat_map(
    column: Column, cells: Sequence[tuple[BoardRow, Cell]], field: str, names: Sequence[str]
) -> Figure:
    import numpy as np

    scores = [[mean_score(members(cell.run.outcomes, field, name)) for name in names] for _, cell in cells]
    sizes = [max((score.n for score in own if score), default=0) for own in zip(*scores, strict=True)]
    means = np.array([[100 * score.mean if score else np.nan for score in row] for row in scores])
    figure, axes = _figure(1.6 + 0.75 * len(names), 1.2 + _INCHES_PER_ROW * len(cells))
    axes.imshow(means, cmap="Blues", vmin=0, vmax=130, aspect="auto")
    for place, row in enumerate(scores):
        for group, score in enumerate(row):
            axes.text(group, place, f"{100 * score.mean:.1f}" if score else "–", ha="center", va="center")
    _name_rows(axes, [row.title for row, _ in cells])
    axes.set_xticks(range(len(names)), [f"{printable(n)}\nn {s}" for n, s in zip(names, sizes, strict=True)])
    axes.xaxis.tick_top()
    axes.tick_params(axis="x", length=0)
    if len(names) > 8:
        for label in axes.get_xticklabels():
            label.set(rotation=45, horizontalalignment="left", rotation_mode="anchor")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel(printable(f"{column.label} by {field}: score, %"))
    return figure


def _against_data(
    column: Column, row: BoardRow, cell: Cell, field: str, trained: Mapping[str, int]
) -> Figure:
    """Score of each group against the rows it was trained on."""
    figure, axes = _figure(4.6, 3.2)
    for name in group_names([cell.run], field):
        score = mean_score(members(cell.run.outcomes, field, name))
        if score is None:
            continue
        x = trained.get(name, 0)
        axes.plot([x, x], [100 * score.low, 100 * score.high], color=_BLUE, alpha=0.5, linewidth=1)
        axes.plot(x, 100 * score.mean, "o", color=_BLUE, markersize=5)
        axes.annotate(printable(name), (x, 100 * score.mean), xytext=(6, -3), textcoords="offset points")
    axes.set_xlim(0, 1.2 * max(1, *trained.values()))
    axes.set_ylim(0, 100)
    axes.set_xlabel(printable(f"training rows of each {field}"))
    axes.set_ylabel(printable(f"{column.label}: score, %, 95% interval"))
    axes.set_title(printable(row.title), fontsize=9)
    axes.grid(color="#e2e5e9", linewidth=0.6)
    return figure


def _losses(rows: Sequence[BoardRow]) -> Figure:
    figure, axes = _figure(5.2, 3.2)
    for row in rows:
        assert row.lineage is not None
        train = [(p.step, p.train) for p in row.lineage.losses if p.train is not None]
        validation = [(p.step, p.validation) for p in row.lineage.losses if p.validation is not None]
        (line,) = axes.plot(*zip(*train, strict=True), linewidth=1.2) if train else axes.plot([], [])
        line.set_label(printable(row.title))
        if validation:
            axes.plot(*zip(*validation, strict=True), "--", color=line.get_color(), linewidth=1.2)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (dashed: validation)")
    axes.set_ylim(bottom=0)
    axes.grid(color="#e2e5e9", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return figure
