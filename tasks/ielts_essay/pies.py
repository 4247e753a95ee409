"""Pie charts: one pie per series, the slices in the same colours, their values beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tasks.drawing.canvas import INK, WHITE, Canvas, Color
from tasks.ielts_essay.chart import Chart
from tasks.ielts_essay.frame import colors_of, framed, with_legend


def draw(chart: Chart, style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file."""
    canvas, area = framed(chart.title, style, width, height)
    colors = colors_of(style, len(chart.labels))
    area = with_legend(canvas, area, chart.labels, colors, style)
    size = canvas.type_size(12)
    slot = (area.right - area.left) / len(chart.series)
    named = any(chart.series)
    middle = (area.top + area.bottom + (size * 1.5 if named else 0)) / 2
    radius = min(
        slot / 2 - canvas.px(34), (area.bottom - area.top - (size * 1.5 if named else 0)) / 2 - size * 1.6
    )
    for place, (name, row) in enumerate(zip(chart.series, chart.values, strict=True)):
        x = area.left + slot * (place + 0.5)
        if name:
            canvas.text(x, area.top + size * 0.7, name, size)
        _pie(canvas, chart, row, colors, style, x, middle, radius)
    return canvas.png()


def _pie(
    canvas: Canvas,
    chart: Chart,
    row: tuple[float, ...],
    colors: tuple[Color, ...],
    style: Mapping[str, Any],
    x: float,
    y: float,
    radius: float,
) -> None:
    size, total = canvas.type_size(12), sum(row)
    edge = INK if style["edge"] else WHITE
    turn = math.radians(style["start"])
    sign = -1 if style["clockwise"] else 1
    for value, color in zip(row, colors, strict=True):
        span = sign * 2 * math.pi * value / total
        count = max(2, math.ceil(abs(span) * 30))
        turns = [turn + span * step / count for step in range(count + 1)]
        corners = [(x + radius * math.cos(t), y - radius * math.sin(t)) for t in turns]
        canvas.polygon([(x, y), *corners], color, edge=edge, edge_width=canvas.px(1), snap=False)
        half = turn + span / 2
        text = f"{chart.number(value)}{'%' if chart.unit == '%' else ''}"
        away = radius + size * 1.05
        canvas.text(x + away * 1.04 * math.cos(half), y - away * math.sin(half), text, size)
        turn += span
