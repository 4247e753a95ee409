"""Grouped and stacked bars: how often some letters occur in several texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

from tasks.chart_vqa.letter_counts import tell_apart
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import INK, WHITE, Canvas, Color, text_size
from tasks.drawing.palettes import SERIES_COLORS, readable_on
from tasks.drawing.scales import ticks
from tasks.splits import canonical, digest, split_of

_GROUPS = (
    ("Mon", "Tue", "Wed", "Thu"),
    ("Q1", "Q2", "Q3", "Q4"),
    ("2021", "2022", "2023", "2024"),
    ("north", "east", "south", "west"),
    ("spring", "summer", "autumn", "winter"),
    ("page 1", "page 2", "page 3", "page 4"),
)
_GRID: Color = (0.87, 0.87, 0.87)
# A segment of a stack must be tall enough for its number: a share of the tallest stack.
_SMALLEST_SEGMENT = 0.055


def propose(rng: Random, source: TextSource) -> tuple[dict[str, Any], str] | None:
    """Data `{"groups", "series", "values", "stacked"}` and the hash of its texts; None when unsuitable.

    `values` has a row for each group and in it a whole number for each series.
    """
    groups = list(rng.choice(_GROUPS)[: rng.randint(2, 4)])
    if len(source.pool) < len(groups):
        return None
    texts = rng.sample(source.pool, len(groups))
    counts = [Counter(text) for text in texts]
    shared = sorted(letter for letter in counts[0] if letter.isalpha() and letter.islower())
    shared = [letter for letter in shared if min(count[letter] for count in counts) >= 1]
    if len(shared) < 2:
        return None
    series = rng.sample(shared, min(len(shared), rng.randint(2, 4)))
    values = [[count[letter] for letter in series] for count in counts]
    data = {"groups": groups, "series": series, "values": values, "stacked": rng.random() < 0.5}
    smallest = min(map(min, values))
    if not tell_apart(dict.fromkeys(series, 1)):
        return None
    if data["stacked"] and smallest < _SMALLEST_SEGMENT * max(map(sum, values)):
        return None
    if split_of("grouped:" + canonical(data)) != source.split:
        return None
    return data, digest("\n".join(texts))


def style(rng: Random, data: Mapping[str, Any]) -> dict[str, Any]:
    """What varies from chart to chart without changing an answer."""
    return {
        "palette": rng.randrange(len(SERIES_COLORS)),
        "thickness": round(rng.uniform(0.6, 0.85), 2),
        "edge": rng.choice(("none", "white", "dark")),
        "grid": rng.random() < 0.6,
        "frame": rng.random() < 0.5,
        "legend": rng.choice(("top", "right")),
    }


def draw(data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file; every cell carries its value, the legend lies beside the bars."""
    canvas = Canvas(width, height)
    values: list[list[int]] = data["values"]
    stacked: bool = data["stacked"]
    colors = SERIES_COLORS[style["palette"]]
    edges: dict[str, Color | None] = {"none": None, "white": WHITE, "dark": INK}
    edge = edges[style["edge"]]
    tallest = max(map(sum, values)) if stacked else max(map(max, values))
    steps = ticks(tallest)
    highest = max(steps[-1], tallest * 1.06)
    left, right = canvas.px(38), width - canvas.px(72 if style["legend"] == "right" else 16)
    upper, lower = canvas.px(46 if style["legend"] == "top" else 20), height - canvas.px(30)
    small, label = canvas.type_size(11), canvas.type_size(13)
    slot = (right - left) / len(values)

    def along(value: float) -> float:
        return lower - (lower - upper) * value / highest

    for step in steps:
        if style["grid"]:
            canvas.line([(left, along(step)), (right, along(step))], _GRID, snap=True)
        canvas.line([(left - canvas.px(4), along(step)), (left, along(step))], INK, snap=True)
        canvas.text(left - canvas.px(7), along(step), str(step), small, anchor="rm")
    for group, (name, row) in enumerate(zip(data["groups"], values, strict=True)):
        middle = left + slot * (group + 0.5)
        canvas.text(middle, lower + canvas.px(15), name, label)
        if stacked:
            half = min(slot * style["thickness"], canvas.px(90)) / 2
            below = 0
            for value, color in zip(row, colors, strict=False):
                canvas.box(middle - half, along(below + value), middle + half, along(below), color, edge=edge)
                height_of = (along(below) + along(below + value)) / 2
                canvas.text(middle, height_of, str(value), small, color=readable_on(color))
                below += value
        else:
            thick = slot * style["thickness"] / len(row)
            for index, (value, color) in enumerate(zip(row, colors, strict=False)):
                near = middle + thick * (index - len(row) / 2)
                canvas.box(near, along(value), near + thick, lower, color, edge=edge)
                canvas.text(near + thick / 2, along(value) - canvas.px(5), str(value), small, anchor="ms")
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)
    if style["frame"]:
        canvas.line([(left, upper), (right, upper), (right, lower)], INK, snap=True)
    _legend(canvas, data["series"], colors, style["legend"])
    return canvas.png()


def _legend(canvas: Canvas, series: list[str], colors: tuple[Color, ...], where: str) -> None:
    """A patch and a letter for each series, in the order of the bars."""
    size, patch = canvas.type_size(14), canvas.px(14)
    for index, (letter, color) in enumerate(zip(series, colors, strict=False)):
        if where == "right":
            x, y = canvas.width - canvas.px(54), canvas.px(34) + canvas.px(26) * index
        else:
            x, y = canvas.px(70) + canvas.px(72) * index, canvas.px(20)
        canvas.box(x, y - patch / 2, x + patch, y + patch / 2, color, edge=INK, edge_width=0.8)
        canvas.text(x + patch + canvas.px(7) + text_size(letter, size)[0] / 2, y, letter, size)
