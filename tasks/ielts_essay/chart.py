"""A chart's content, apart from how it is drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

ChartKind: TypeAlias = Literal["bar", "line", "pie", "table"]
CHART_KINDS: tuple[ChartKind, ...] = get_args(ChartKind)

Layout: TypeAlias = Literal["times", "parts", "groups"]
"""What the labels are: points in time, parts of one whole, or groups that are compared."""


@dataclass(frozen=True)
class Chart:
    """Titles, labels and values of a chart.

    labels: along the axis, around the pie or down the table. series: one name per row of `values`, at least
    one; a single series may have the name "". values: per series a value for each label, in `unit` (as it is
    printed: "%", "million tonnes"), with `decimals` digits after the point.
    """

    kind: ChartKind
    layout: Layout
    title: str
    subject: str
    unit: str
    decimals: int
    labels: tuple[str, ...]
    series: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.values}
        if len(self.values) != len(self.series) or widths != {len(self.labels)}:
            raise ValueError(
                f"{self.title}: {len(self.series)} series of {len(self.labels)} labels do not fit values of "
                f"{len(self.values)} rows of {sorted(widths)}"
            )

    def number(self, value: float) -> str:
        """A value as the chart prints it, without its unit."""
        return f"{value:,.{self.decimals}f}"

    def amount(self, value: float) -> str:
        """A value as a sentence has it: `12.5%`, `340 million tonnes`."""
        return f"{self.number(value)}{self.unit if self.unit == '%' else f' {self.unit}'}"

    def data(self) -> dict[str, Any]:
        """The content as JSON-able data."""
        return {
            "kind": self.kind,
            "layout": self.layout,
            "title": self.title,
            "subject": self.subject,
            "unit": self.unit,
            "decimals": self.decimals,
            "labels": list(self.labels),
            "series": list(self.series),
            "values": [list(row) for row in self.values],
        }

    @classmethod
    def of(cls, data: dict[str, Any]) -> Chart:
        """The chart of what `data` gave."""
        lists = {name: tuple(data[name]) for name in ("labels", "series")}
        return cls(**{**data, **lists, "values": tuple(map(tuple, data["values"]))})


def chart_data(
    title: str,
    unit: str,
    labels: Sequence[str],
    series: Sequence[str],
    values: Sequence[Sequence[float | None]],
) -> str:
    """What scorers are told of a chart, as JSON in a record's field `chart_data`."""
    table = {"title": title, "unit": unit, "labels": labels, "series": series, "values": values}
    return json.dumps(table, ensure_ascii=False, separators=(",", ":"))
