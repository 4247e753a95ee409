"""Tables: labels down the side, series across the top, a value in each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.drawing.canvas import INK, Color, text_size
from tasks.ielts_essay.chart import Chart
from tasks.ielts_essay.frame import framed, wrapped

_HEAD: Color = (0.90, 0.92, 0.95)
_STRIPE: Color = (0.965, 0.97, 0.98)
_RULE: Color = (0.70, 0.72, 0.75)


def draw(chart: Chart, style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file."""
    canvas, area = framed(chart.title, style, width, height)
    size = canvas.type_size(12)
    pad = canvas.px(8)
    unit = f"({chart.unit})"
    first = max(text_size(text, size)[0] for text in (*chart.labels, unit)) + 2 * pad
    first = min(first, (area.right - area.left) * 0.45)
    column = (area.right - area.left - first) / len(chart.series)
    heads = [wrapped(name or "Value", size, column - pad) for name in chart.series]
    sides = [wrapped(label, size, first - pad) for label in chart.labels]
    tall = size * 1.3
    head = max(map(len, heads)) * tall + pad
    rows = [max(1, len(lines)) * tall + pad for lines in sides]
    # A table of few rows uses some of the room that is left.
    spare = min(2.2, max(1.0, (area.bottom - area.top - head) / sum(rows)))
    rows = [row * spare for row in rows]
    y = area.top
    canvas.box(area.left, y, area.right, y + head, _HEAD)
    canvas.text(area.left + pad / 2, y + head / 2, unit, size, anchor="lm")
    for place, lines in enumerate(heads):
        for number, line in enumerate(lines):
            middle = y + head / 2 + tall * (number - (len(lines) - 1) / 2)
            canvas.text(area.left + first + column * (place + 0.5), middle, line, size)
    y += head
    for place, (lines, row) in enumerate(zip(sides, rows, strict=True)):
        if style["grid"] and place % 2:
            canvas.box(area.left, y, area.right, y + row, _STRIPE)
        canvas.line([(area.left, y), (area.right, y)], _RULE, snap=True)
        for number, line in enumerate(lines):
            middle = y + row / 2 + tall * (number - (len(lines) - 1) / 2)
            canvas.text(area.left + pad / 2, middle, line, size, anchor="lm")
        for series, values in enumerate(chart.values):
            x = area.left + first + column * (series + 0.5)
            canvas.text(x, y + row / 2, chart.number(values[place]), size)
        y += row
    corners = [
        (area.left, area.top),
        (area.right, area.top),
        (area.right, y),
        (area.left, y),
        (area.left, area.top),
    ]
    canvas.line(corners, INK if style["edge"] else _RULE, snap=True)
    return canvas.png()
