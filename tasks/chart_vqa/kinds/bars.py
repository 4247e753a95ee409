"""Bar charts of letter counts, upright and lying."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tasks.chart_vqa.text_splits import drawable_letters
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import INK, WHITE, Canvas, Color
from tasks.drawing.palettes import COLOR_MAPS, darkened, spread
from tasks.drawing.scales import ticks
from tasks.splits import digest

_GRID: Color = (0.86, 0.86, 0.86)


def propose(rng: Random, source: TextSource) -> tuple[dict[str, Any], str] | None:
    """Data `{"letters": {letter: count}}` and the hash of its text; None when the text cannot be drawn."""
    text = source.draw(rng)
    kept = drawable_letters(text)
    return ({"letters": kept}, digest(text)) if kept else None


def style(rng: Random, data: Mapping[str, Any]) -> dict[str, Any]:
    """What varies from chart to chart without changing an answer."""
    return {
        "lying": rng.random() < 0.5,
        "thickness": round(rng.uniform(0.5, 0.9), 2),
        "align": rng.choice(("center", "edge")),
        "alpha": round(rng.uniform(0.65, 1.0), 2),
        "colors": rng.choice(COLOR_MAPS),
        "one_color": rng.random() < 0.3,
        "edge": rng.random() < 0.5,
        "grid": rng.random() < 0.5,
        "frame": rng.random() < 0.5,
        "background": rng.choice(("white", "white", "tinted")),
    }


def draw(data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The picture as a PNG file; every bar carries its count."""
    tinted: Color = (0.965, 0.965, 0.98)
    canvas = Canvas(width, height, tinted if style["background"] == "tinted" else WHITE)
    letters: dict[str, int] = data["letters"]
    steps = ticks(max(letters.values()))
    # Room beyond the longest bar for its count.
    top = max(letters.values()) * 1.08
    top = max(top, steps[-1]) if steps[-1] < top * 1.15 else top
    colors = tuple(darkened(color, 0.82) for color in spread(style["colors"], len(letters)))
    if style["one_color"]:
        colors = (colors[len(colors) // 2],) * len(letters)
    left, right = canvas.px(38), width - canvas.px(22)
    upper, lower = canvas.px(22), height - canvas.px(30)
    lying: bool = style["lying"]
    slot = ((lower - upper) if lying else (right - left)) / len(letters)
    thick = slot * style["thickness"]
    # "edge" puts a bar at the start of its slot, as matplotlib's align="edge" does.
    start = (slot - thick) / 2 if style["align"] == "center" else slot * 0.03
    label = canvas.type_size(13)
    small = canvas.type_size(11)

    def along(value: float) -> float:
        return left + (right - left) * value / top if lying else lower - (lower - upper) * value / top

    for step in steps:
        if step > top:
            continue
        place = along(step)
        if lying:
            if style["grid"]:
                canvas.line([(place, upper), (place, lower)], _GRID, snap=True)
            canvas.line([(place, lower), (place, lower + canvas.px(4))], INK, snap=True)
            canvas.text(place, lower + canvas.px(14), str(step), small)
        else:
            if style["grid"]:
                canvas.line([(left, place), (right, place)], _GRID, snap=True)
            canvas.line([(left - canvas.px(4), place), (left, place)], INK, snap=True)
            canvas.text(left - canvas.px(7), place, str(step), small, anchor="rm")
    for index, (letter, count) in enumerate(letters.items()):
        edge = INK if style["edge"] else None
        if lying:
            # The first letter is at the bottom, as matplotlib's barh puts it.
            near = lower - slot * index - start
            canvas.box(left, near - thick, along(count), near, colors[index], alpha=style["alpha"], edge=edge)
            canvas.text(left - canvas.px(14), near - thick / 2, letter, label)
            canvas.text(along(count) + canvas.px(5), near - thick / 2, str(count), small, anchor="lm")
        else:
            near = left + slot * index + start
            far = near + thick
            canvas.box(near, along(count), far, lower, colors[index], alpha=style["alpha"], edge=edge)
            canvas.text(near + thick / 2, lower + canvas.px(17), letter, label, anchor="ms")
            canvas.text(near + thick / 2, along(count) - canvas.px(5), str(count), small, anchor="ms")
    canvas.line([(left, upper), (left, lower), (right, lower)], INK, snap=True)
    if style["frame"]:
        canvas.line([(left, upper), (right, upper), (right, lower)], INK, snap=True)
    return canvas.png()
