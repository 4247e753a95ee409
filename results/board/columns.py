"""What stands beside a score on the leaderboard: each column once, for the terminal and for every file.

A column that is declared here is in the table, CSV, Markdown, JSON and the page. Where its fact is new, the
run has to keep it: what a scorer says of a sample is named in `results.logs.outcomes.FLAGS` and kept in the
run cache's form, and `results.board.standings.rate` makes a share of it. Where the page has to draw it in a
way of its own, its kind stands in ``DRAWN`` of ``leaderboard.js``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from results.board.standings import Cell
from results.numbers.intervals import Interval
from results.shown.words import interval_json, percent, seconds_text

Drawn = Literal["share", "count", "rate", "seconds", "p", "unscored"]


@dataclass(frozen=True)
class BesideScore:
    """A column beside the score.

    key: its name in JSON, CSV and the page's data. json: what it says, as plain data. csv: one number or text
    of it, None where CSV does without. text: the same for people, None where tables and Markdown do without.
    title: its heading; heading: that of the terminal, on two lines where 80 columns need it. wide: only in a
    wide terminal. short: its name below scores side by side, where its number is at least 0.5%. page: its
    heading in the page and how that draws it; drawn: the number there, that of the CSV unless said.
    """

    key: str
    json: Callable[[Cell], Any]
    csv: Callable[[Cell], Any] | None = None
    text: Callable[[Cell], str] | None = None
    title: str = ""
    heading: str = ""
    wide: bool = False
    short: str | None = None
    page: tuple[str, Drawn] | None = None
    drawn: Callable[[Cell], float | None] | None = None


def _share(
    key: str, read: Callable[[Cell], Interval | None], *, title: str, heading: str, short: str, page: str
) -> BesideScore:
    """A share of the scored samples."""
    return BesideScore(
        key,
        json=lambda cell: interval_json(read(cell)),
        csv=lambda cell: found.mean if (found := read(cell)) else None,
        text=lambda cell: percent(read(cell)),
        title=title,
        heading=heading,
        short=short,
        page=(page, "share"),
    )


def _plainly(key: str, read: Callable[[Cell], Any]) -> BesideScore:
    """A fact that only files keep."""
    return BesideScore(key, json=read, csv=read)


def _running_seconds(cell: Cell) -> float | None:
    """None where nothing was inferred: reading completions made elsewhere says nothing of a model."""
    return cell.run.seconds if cell.run.samples_per_second else None


BESIDE_SCORE: tuple[BesideScore, ...] = (
    _share(
        "no_answer",
        lambda cell: cell.no_answer,
        title="no answer",
        heading="no\nanswer",
        short="na",
        page="No answer",
    ),
    _share(
        "truncated",
        lambda cell: cell.truncated,
        title="truncated",
        heading="trun-\ncated",
        short="cut",
        page="Truncated",
    ),
    BesideScore(
        "unscored",
        json=lambda cell: dict(cell.run.unscored),
        csv=lambda cell: cell.run.unscored.total(),
        text=lambda cell: str(cell.run.unscored.total()),
        title="unscored",
        heading="un-\nscored",
        wide=True,
        page=("Unscored", "unscored"),
    ),
    _plainly("standing", lambda cell: cell.standing),
    BesideScore("p_against_best", json=lambda cell: cell.p, csv=lambda cell: cell.p, page=("p to best", "p")),
    BesideScore("partial", json=lambda cell: cell.partial),
    BesideScore(
        "samples_per_second",
        json=lambda cell: cell.run.samples_per_second,
        csv=lambda cell: cell.run.samples_per_second,
        text=lambda cell: f"{rate:.1f}" if (rate := cell.run.samples_per_second) else "–",
        title="/s",
        page=("Samples per s", "rate"),
    ),
    BesideScore(
        "seconds",
        json=lambda cell: cell.run.seconds,
        csv=lambda cell: cell.run.seconds,
        text=lambda cell: seconds_text(_running_seconds(cell)),
        title="time",
        page=("Time", "seconds"),
        drawn=_running_seconds,
    ),
    _plainly("log", lambda cell: cell.run.location),
)
