"""Line charts over time: the letters in consecutive runs of words of a text."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tasks.chart_vqa.letter_counts import tokens
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import INK, WHITE, Canvas, Color
from tasks.drawing.palettes import SERIES_COLORS
from tasks.drawing.scales import ticks
from tasks.splits import canonical, digest, split_of

FEWEST_POINTS = 5
MOST_POINTS = 12

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_GRID: Color = (0.87, 0.87, 0.87)


def propose(rng: Random, source: TextSource) -> tuple[dict[str, Any], str] | None:
    """Data `{"times": [label], "values": [int]}` and the hash of its text; None when it cannot be drawn."""
    text = source.draw(rng)
    lengths = [len(word.replace("'", "")) for word in tokens(text)]
    run = rng.randint(1, 4)
    most = min(MOST_POINTS, len(lengths) // run)
    if most < FEWEST_POINTS:
        return None
    times = _times(rng, rng.randint(FEWEST_POINTS, most))
    values = [sum(lengths[run * index : run * (index + 1)]) for index in range(len(times))]
    if max(values) - min(values) < 3:
        return None
    data = {"times": times, "values": values}
    if split_of("line:" + canonical(data)) != source.split:
        return None
    return data, digest(text)


def _times(rng: Random, count: int) -> list[str]:
    """`count` consecutive time labels, or fewer where the scheme has fewer."""
    scheme = rng.choice(("months", "years", "weekdays", "hours", "weeks"))
    if scheme == "months":
        return list(_MONTHS[(first := rng.randint(0, 12 - count)) : first + count])
    if scheme == "years":
        first = rng.randint(1960, 2030 - count)
        return [str(first + index) for index in range(count)]
    if scheme == "weekdays":
        return list(_WEEKDAYS[:count])
    if scheme == "hours":
        first = rng.randint(0, 24 - count)
        return [f"{first + index}:00" for index in range(count)]
    first = rng.randint(1, 40)
    return [f"W{first + index}" for index in range(count)]


def style(rng: Random, data: Mapping[str, Any]) -> dict[str, Any]:
    """What varies from chart to chart without changing an answer."""
    palette = rng.randrange(len(SERIES_COLORS))
    return {
        "color": list(SERIES_COLORS[palette][rng.choice((0, 0, 2, 3))]),
        "dash": rng.choice(("solid", "solid", "dashed", "dotted")),
        "thickness": rng.choice((1.5, 2.0, 2.5)),
        "mark": rng.choice(("disc", "square", "diamond")),
        "hollow": rng.random() < 0.4,
        "grid": rng.choice(("none", "across", "both")),
        "filled": rng.random() < 0.25,
        "from_zero": rng.random() < 0.6,
        "frame": rng.random() < 0.5,
    }


def draw(data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file; every point carries its value."""
    canvas = Canvas(width, height)
    times: list[str] = data["times"]
    values: list[int] = data["values"]
    steps = ticks(max(values))
    if not style["from_zero"]:
        steps = [step for step in steps if step >= min(values) - (steps[1] - steps[0])]
    # Half a step of air on both sides keeps labels above peaks and below valleys inside.
    air = (steps[1] - steps[0]) * 0.5
    low, high = steps[0] - (air if min(values) <= steps[0] + air else 0.0), max(steps[-1], max(values) + air)
    left, right = canvas.px(38), width - canvas.px(16)
    upper, lower = canvas.px(22), height - canvas.px(30)
    small = canvas.type_size(11)
    color: Color = (style["color"][0], style["color"][1], style["color"][2])
    slot = (right - left) / len(times)

    def across(index: int) -> float:
        return left + slot * (index + 0.5)

    def along(value: float) -> float:
        return lower - (lower - upper) * (value - low) / (high - low)

    for step in steps:
        if style["grid"] != "none":
            canvas.line([(left, along(step)), (right, along(step))], _GRID, snap=True)
        canvas.line([(left - canvas.px(4), along(step)), (left, along(step))], INK, snap=True)
        canvas.text(left - canvas.px(7), along(step), str(step), small, anchor="rm")
    points = [(across(index), along(value)) for index, value in enumerate(values)]
    for (x, _), time in zip(points, times, strict=True):
        if style["grid"] == "both":
            canvas.line([(x, upper), (x, lower)], _GRID, snap=True)
        canvas.line([(x, lower), (x, lower + canvas.px(4))], INK, snap=True)
        canvas.text(x, lower + canvas.px(14), time, small)
    if style["filled"]:
        area = [(points[0][0], lower), *points, (points[-1][0], lower)]
        canvas.polygon(area, color, alpha=0.18, snap=False)
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)
    if style["frame"]:
        canvas.line([(left, upper), (right, upper), (right, lower)], INK, snap=True)
    canvas.line(points, color, width=canvas.px(style["thickness"]), dash=style["dash"])
    for index, (x, y) in enumerate(points):
        canvas.mark(x, y, canvas.px(3.5), style["mark"], WHITE if style["hollow"] else color, color)
        side = -1 if _above(values, index) else 1
        canvas.text(x, y + side * canvas.px(13), str(values[index]), small, halo=WHITE)
    return canvas.png()


def _above(values: list[int], index: int) -> bool:
    """Whether the value is printed above its point: the side on which the line leaves more room."""
    before = values[max(0, index - 1)] - values[index]
    after = values[min(len(values) - 1, index + 1)] - values[index]
    return before + after <= 0
