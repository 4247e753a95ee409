"""Line graphs over time of one or several series; every point carries its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.drawing.canvas import INK, WHITE, Mark, text_size
from tasks.ielts_essay.chart import Chart
from tasks.ielts_essay.frame import GRID, colors_of, framed, plain_number, steps, with_legend

_MARKS: tuple[Mark, ...] = ("disc", "square", "diamond")

Box = tuple[float, float, float, float]


def draw(chart: Chart, style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file."""
    canvas, area = framed(chart.title, style, width, height)
    colors = colors_of(style, len(chart.series))
    if len(chart.series) > 1:
        area = with_legend(canvas, area, chart.series, colors, style)
    small = canvas.type_size(11)
    marks = steps(max(map(max, chart.values)) * 1.06)
    left, right = area.left + canvas.px(40), area.right - canvas.px(4)
    upper, lower = area.top + small * 2.2, area.bottom - small * 1.6
    slot = (right - left) / len(chart.labels)

    def along(value: float) -> float:
        return lower - (lower - upper) * value / marks[-1]

    canvas.text(area.left, area.top + small * 0.7, chart.unit, small, anchor="lm")
    for mark in marks:
        if style["grid"]:
            canvas.line([(left, along(mark)), (right, along(mark))], GRID, snap=True)
        canvas.text(left - canvas.px(6), along(mark), plain_number(mark), small, anchor="rm")
    across = [left + slot * (place + 0.5) for place in range(len(chart.labels))]
    for x, label in zip(across, chart.labels, strict=True):
        canvas.line([(x, lower), (x, lower + canvas.px(4))], INK, snap=True)
        canvas.text(x, lower + small, label, small)
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)
    radius = canvas.px(3.2)
    drawn: list[Box] = []
    for series, row in enumerate(chart.values):
        points = [(x, along(value)) for x, value in zip(across, row, strict=True)]
        canvas.line(points, colors[series], width=canvas.px(2))
        for x, y in points:
            canvas.mark(x, y, radius, _MARKS[series % 3], colors[series], INK)
            drawn.append((x - radius, y - radius, x + radius, y + radius))
    for place, x in enumerate(across):
        # The highest first: its number goes above, and leaves the room below to the next.
        for row in sorted(chart.values, key=lambda row: -row[place]):
            text = chart.number(row[place])
            beside, y, box = _free_place(x, along(row[place]), text, small, radius, drawn)
            drawn.append(box)
            canvas.text(beside, y, text, small, halo=WHITE)
    return canvas.png()


def _free_place(
    x: float, y: float, text: str, size: int, radius: float, taken: list[Box]
) -> tuple[float, float, Box]:
    """The middle of a number beside its point at (x, y): where it covers least of what is there already."""
    half = text_size(text, size)[0] / 2
    away, aside = radius + size * 0.62, radius + half + size * 0.2
    places = [(x, y - away), (x, y + away), (x + aside, y), (x - aside, y)]
    places += [(x, y - 2 * away), (x, y + 2 * away), (x + aside, y - away), (x + aside, y + away)]
    found = []
    for order, (across, down) in enumerate(places):
        box = (across - half, down - size * 0.5, across + half, down + size * 0.5)
        found.append((sum(_overlap(box, other) for other in taken), order, across, down, box))
    _, _, across, down, box = min(found)
    return across, down, box


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, tall)
