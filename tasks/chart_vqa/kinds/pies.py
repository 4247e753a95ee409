"""Pie charts of letter counts; every slice is labelled with letter, count and share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

from tasks.chart_vqa.rounding import decimals
from tasks.chart_vqa.text_splits import drawable_letters
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import INK, REFERENCE, WHITE, Canvas, Color, text_size
from tasks.drawing.palettes import COLOR_MAPS, darkened, spread
from tasks.splits import digest

MOST_SLICES = 10

_RADIUS = 130
_TYPE = 12
_START_ANGLES = range(0, 360, 5)


def propose(rng: Random, source: TextSource) -> tuple[dict[str, Any], str] | None:
    """Data `{"letters": {letter: count}}` and the hash of its text; None when the text cannot be drawn."""
    text = source.draw(rng)
    kept = drawable_letters(text)
    if not kept or len(kept) > MOST_SLICES:
        return None
    return {"letters": kept}, digest(text)


def share(count: int, counts: Sequence[int]) -> str:
    """Percentage of the kept letters with one decimal, as it is printed and as it is asked for."""
    return decimals(Fraction(100 * count, sum(counts)), 1)


def labels(letters: Mapping[str, int]) -> list[str]:
    """What stands beside the slices."""
    counts = list(letters.values())
    return [f"{letter} ({count}, {share(count, counts)}%)" for letter, count in letters.items()]


def style(rng: Random, data: Mapping[str, Any]) -> dict[str, Any]:
    """What varies from chart to chart without changing an answer."""
    letters: dict[str, int] = data["letters"]
    angles = list(_START_ANGLES)
    rng.shuffle(angles)
    clockwise = rng.random() < 0.5
    texts = labels(letters)
    return {
        "clockwise": clockwise,
        "start": max(angles, key=lambda angle: round(_room(letters, texts, angle, clockwise), 3)),
        "explode": rng.choice(("none", "none", "one", "all")),
        "exploded": rng.randrange(len(letters)),
        "shadow": rng.random() < 0.4,
        "edge": rng.choice(("thin", "white", "dark")),
        "colors": rng.choice(COLOR_MAPS),
    }


def _middles(letters: Mapping[str, int], start: float, clockwise: bool) -> list[tuple[float, float, float]]:
    """Start, middle and end angle of each slice in degrees, counted from the right against the clock."""
    total = sum(letters.values())
    turned = 0
    angles = []
    sign = -1 if clockwise else 1
    for count in letters.values():
        angles.append(
            (
                start + sign * 360 * turned / total,
                start + sign * 360 * (turned + count / 2) / total,
                start + sign * 360 * (turned + count) / total,
            )
        )
        turned += count
    return angles


def _label_boxes(
    letters: Mapping[str, int], texts: Sequence[str], start: float, clockwise: bool
) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of the labels around a centre at (0, 0), at the reference size."""
    boxes = []
    for text, (_, middle, _) in zip(texts, _middles(letters, start, clockwise), strict=True):
        x, y = _label_place(middle)
        # A little more than half an em per character: near enough to keep labels apart without the font.
        length = 0.58 * _TYPE * len(text)
        left = x if x >= 0 else x - length
        boxes.append((left, y - _TYPE / 2, left + length, y + _TYPE / 2))
    return boxes


def _label_place(middle: float) -> tuple[float, float]:
    turn = math.radians(middle)
    distance = _RADIUS * 1.16
    return distance * math.cos(turn), -distance * math.sin(turn)


def _room(letters: Mapping[str, int], texts: Sequence[str], start: float, clockwise: bool) -> float:
    """How far apart the closest two labels are in pixels; negative when they overlap."""
    boxes = _label_boxes(letters, texts, start, clockwise)
    room = math.inf
    for index, one in enumerate(boxes):
        for other in boxes[:index]:
            across = max(one[0], other[0]) - min(one[2], other[2])
            down = max(one[1], other[1]) - min(one[3], other[3])
            room = min(room, max(across, down))
        room = min(room, REFERENCE[0] / 2 - 4 - max(abs(one[0]), abs(one[2])))
    return min(room, 6.0)


def legible(data: Mapping[str, Any], style: Mapping[str, Any]) -> bool:
    """Whether no two labels touch."""
    return _room(data["letters"], labels(data["letters"]), style["start"], style["clockwise"]) >= 2


def draw(data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file."""
    canvas = Canvas(width, height)
    letters: dict[str, int] = data["letters"]
    colors = [darkened(color, 0.85) for color in spread(style["colors"], len(letters))]
    # Every slice has an edge: a colour map of few colours may give the first and the last slice the same one.
    edges: dict[str, tuple[Color, float]] = {"thin": (WHITE, 0.7), "white": (WHITE, 1.4), "dark": (INK, 1.1)}
    edge, edge_width = edges[style["edge"]]
    radius = canvas.px(_RADIUS)
    slices = _middles(letters, style["start"], style["clockwise"])
    size = canvas.type_size(_TYPE)

    def outline(index: int, dx: float, dy: float) -> list[tuple[float, float]]:
        first, middle, last = slices[index]
        apart = 0.0
        if style["explode"] == "all" or (style["explode"] == "one" and style["exploded"] == index):
            apart = radius * 0.05
        x = width / 2 + apart * math.cos(math.radians(middle)) + dx
        y = height / 2 - apart * math.sin(math.radians(middle)) + dy
        steps = max(2, math.ceil(abs(last - first) / 2))
        turns = [math.radians(first + (last - first) * step / steps) for step in range(steps + 1)]
        return [(x, y), *((x + radius * math.cos(turn), y - radius * math.sin(turn)) for turn in turns)]

    if style["shadow"]:
        for index in range(len(letters)):
            canvas.polygon(outline(index, -canvas.px(3), canvas.px(4)), (0.72, 0.72, 0.72), snap=False)
    for index, color in enumerate(colors):
        canvas.polygon(outline(index, 0, 0), color, edge=edge, edge_width=canvas.px(edge_width), snap=False)
    for text, (_, middle, _) in zip(labels(letters), slices, strict=True):
        x, y = _label_place(middle)
        left = width / 2 + canvas.px(x)
        length, _ = text_size(text, size)
        left = min(left, width - 2 - length) if x >= 0 else max(left, length + 2)
        canvas.text(left, height / 2 + canvas.px(y), text, size, anchor="lm" if x >= 0 else "rm")
    return canvas.png()
