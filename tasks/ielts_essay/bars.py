"""Bar charts of one or several series, upright or lying; every bar carries its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.drawing.canvas import INK, Canvas, text_size
from tasks.ielts_essay.chart import Chart
from tasks.ielts_essay.frame import GRID, Area, colors_of, framed, plain_number, steps, with_legend, wrapped


def draw(chart: Chart, style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file."""
    canvas, area = framed(chart.title, style, width, height)
    colors = colors_of(style, len(chart.series))
    if len(chart.series) > 1:
        area = with_legend(canvas, area, chart.series, colors, style)
    if style["lying"] or not _labels_fit(canvas, chart, area):
        _lying(canvas, chart, area, style, colors)
    else:
        _upright(canvas, chart, area, style, colors)
    return canvas.png()


def _labels_fit(canvas: Canvas, chart: Chart, area: Area) -> bool:
    """Whether the longest word of a label is narrower than its place below the bars."""
    size = canvas.type_size(11)
    slot = (area.right - area.left - canvas.px(44)) / len(chart.labels) - canvas.px(6)
    return all(text_size(word, size)[0] <= slot for label in chart.labels for word in label.split())


def _upright(canvas: Canvas, chart: Chart, area: Area, style: Mapping[str, Any], colors: Any) -> None:
    small = canvas.type_size(11)
    marks = steps(max(map(max, chart.values)) * 1.04)
    left, right = area.left + canvas.px(40), area.right
    slot = (right - left) / len(chart.labels)
    labels = [wrapped(label, small, slot - canvas.px(4)) for label in chart.labels]
    upper = area.top + small * 2.2
    lower = area.bottom - max(map(len, labels)) * small * 1.3 - canvas.px(4)

    def along(value: float) -> float:
        return lower - (lower - upper) * value / marks[-1]

    canvas.text(area.left, area.top + small * 0.7, chart.unit, small, anchor="lm")
    for mark in marks:
        if style["grid"]:
            canvas.line([(left, along(mark)), (right, along(mark))], GRID, snap=True)
        canvas.text(left - canvas.px(6), along(mark), plain_number(mark), small, anchor="rm")
    thick = slot * style["thickness"] / len(chart.series)
    for place, lines in enumerate(labels):
        middle = left + slot * (place + 0.5)
        for number, line in enumerate(lines):
            canvas.text(middle, lower + canvas.px(5) + small * (0.7 + 1.3 * number), line, small)
        for series, row in enumerate(chart.values):
            near = middle + thick * (series - len(chart.series) / 2)
            canvas.box(near, along(row[place]), near + thick, lower, colors[series], edge=style_edge(style))
            value = chart.number(row[place])
            fits = min(small, max(8, int(small * thick * 1.15 / max(1.0, text_size(value, small)[0]))))
            canvas.text(near + thick / 2, along(row[place]) - canvas.px(3), value, fits, anchor="ms")
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)


def _lying(canvas: Canvas, chart: Chart, area: Area, style: Mapping[str, Any], colors: Any) -> None:
    small = canvas.type_size(11)
    longest = canvas.px(150)
    labels = [wrapped(label, small, longest) for label in chart.labels]
    wide = max(text_size(line, small)[0] for lines in labels for line in lines)
    left = area.left + wide + canvas.px(8)
    highest = max(map(max, chart.values))
    room = text_size(chart.number(highest), small)[0] + canvas.px(12)
    marks = steps(highest)
    right = area.right - (room if marks[-1] < highest * 1.1 else canvas.px(6))
    upper, lower = area.top + canvas.px(2), area.bottom - small * 3
    slot = (lower - upper) / len(chart.labels)

    def along(value: float) -> float:
        return left + (right - left) * value / marks[-1]

    for mark in marks:
        if style["grid"]:
            canvas.line([(along(mark), upper), (along(mark), lower)], GRID, snap=True)
        text = plain_number(mark)
        canvas.text(along(mark), lower + small, text, small)
    canvas.text(right, lower + small * 2.4, chart.unit, small, anchor="rm")
    thick = slot * style["thickness"] / len(chart.series)
    for place, lines in enumerate(labels):
        middle = upper + slot * (place + 0.5)
        for number, line in enumerate(lines):
            y = middle + small * 1.3 * (number - (len(lines) - 1) / 2)
            canvas.text(left - canvas.px(6), y, line, small, anchor="rm")
        for series, row in enumerate(chart.values):
            near = middle + thick * (series - len(chart.series) / 2)
            canvas.box(left, near, along(row[place]), near + thick, colors[series], edge=style_edge(style))
            canvas.text(
                along(row[place]) + canvas.px(4),
                near + thick / 2,
                chart.number(row[place]),
                small,
                anchor="lm",
            )
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)


def style_edge(style: Mapping[str, Any]) -> Any:
    """The colour around bars and slices, or None."""
    return INK if style["edge"] else None
