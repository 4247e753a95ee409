"""Which charts to draw: data and style of the n-th chart of a kind, from its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tasks.chart_vqa.kinds import bars, clouds, grouped, lines, pies
from tasks.chart_vqa.questions import askable
from tasks.chart_vqa.texts import TextSource
from tasks.splits import canonical

Propose = Callable[[Random, TextSource], tuple[dict[str, Any], str] | None]
Style = Callable[[Random, Mapping[str, Any]], dict[str, Any]]

_PROPOSE: dict[str, Propose] = {
    "bar": bars.propose,
    "pie": pies.propose,
    "cloud": clouds.propose,
    "line": lines.propose,
    "grouped": grouped.propose,
}
_STYLE: dict[str, Style] = {
    "bar": bars.style,
    "pie": pies.style,
    "cloud": clouds.style,
    "line": lines.style,
    "grouped": grouped.style,
}

MOST_ATTEMPTS = 3000


@dataclass(frozen=True)
class ChartPlan:
    """A chart before it is drawn, and which attempt of its seed it is."""

    chart: str
    index: int
    attempt: int
    data: dict[str, Any]
    style: dict[str, Any]
    text_sha: str


def plan(
    chart: str,
    index: int,
    families: Sequence[str],
    source: TextSource,
    seen: set[str],
    first_attempt: int = 0,
) -> ChartPlan:
    """The first attempt, from `first_attempt` on, whose data can be drawn, asked about, and is not in `seen`.

    Adds the data to `seen`. Raises ValueError when the texts run out of different charts.
    """
    for attempt in range(first_attempt, first_attempt + MOST_ATTEMPTS):
        rng = Random(f"{source.seed}/{source.split}/{chart}/{index}/{attempt}")
        proposal = _PROPOSE[chart](rng, source)
        if proposal is None:
            continue
        data, text_sha = proposal
        key = canonical(data)
        if key in seen:
            continue
        # What is asked of a cloud depends on what is drawn; its families are checked afterwards.
        if chart != "cloud" and not all(askable(family, data) for family in families):
            continue
        style = _STYLE[chart](rng, data)
        if chart == "pie" and not pies.legible(data, style):
            continue
        seen.add(key)
        return ChartPlan(chart, index, attempt, data, style, text_sha)
    raise ValueError(
        f"text {source.name!r} gives only {index} different {chart} charts for the split {source.split!r} "
        f"(more are wanted; {MOST_ATTEMPTS} tries found no other): lower size, leave {chart!r} out of "
        "charts, or give a longer text"
    )
