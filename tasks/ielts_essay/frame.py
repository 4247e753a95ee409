"""What is around a chart: its title, the unit of its axis, its legend, and the room that is left inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.drawing.canvas import INK, WHITE, Canvas, Color, text_size
from tasks.drawing.palettes import darkened, spread

GRID: Color = (0.87, 0.87, 0.87)
_TINTED: Color = (0.97, 0.97, 0.985)


@dataclass(frozen=True)
class Area:
    """Left, top, right and bottom in pixels of what is free for the chart itself."""

    left: float
    top: float
    right: float
    bottom: float


def framed(title: str, style: Mapping[str, Any], width: int, height: int) -> tuple[Canvas, Area]:
    """A canvas with the title on it, and the area below."""
    canvas = Canvas(width, height, _TINTED if style["tinted"] else WHITE)
    size = canvas.type_size(14)
    margin = canvas.px(14)
    top = canvas.px(16)
    for line in wrapped(title, size, width - 2 * margin):
        place = (width / 2, "mm") if style["title"] == "middle" else (margin, "lm")
        canvas.text(place[0], top, line, size, anchor=place[1])
        top += size * 1.35
    return canvas, Area(margin, top + canvas.px(2), width - margin, height - margin)


def wrapped(text: str, pixels: int, width: float) -> list[str]:
    """The text in lines that are at most `width` pixels long, a single longer word apart."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, pixels)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def colors_of(style: Mapping[str, Any], count: int) -> tuple[Color, ...]:
    """So many colours that can be told apart beside each other."""
    return tuple(darkened(color, 0.8) for color in spread(style["colors"], count))


def with_legend(
    canvas: Canvas, area: Area, names: Sequence[str], colors: Sequence[Color], style: Mapping[str, Any]
) -> Area:
    """The area that is left when patches with the names stand above or below it, in rows as needed."""
    size, patch = canvas.type_size(12), canvas.px(11)
    rows: list[list[tuple[str, Color, float]]] = [[]]
    used = 0.0
    for name, color in zip(names, colors, strict=True):
        wide = patch + canvas.px(6) + text_size(name, size)[0] + canvas.px(18)
        if rows[-1] and used + wide > area.right - area.left:
            rows.append([])
            used = 0.0
        rows[-1].append((name, color, wide))
        used += wide
    tall = size * 1.6
    above = style["legend"] == "top"
    y = area.top + tall / 2 if above else area.bottom - tall * (len(rows) - 0.5)
    for row in rows:
        x = (area.left + area.right - sum(wide for *_, wide in row)) / 2 + canvas.px(9)
        for name, color, wide in row:
            canvas.box(x, y - patch / 2, x + patch, y + patch / 2, color, edge=INK, edge_width=0.7)
            canvas.text(x + patch + canvas.px(6), y, name, size, anchor="lm")
            x += wide
        y += tall
    taken = tall * len(rows) + canvas.px(4)
    if above:
        return Area(area.left, area.top + taken, area.right, area.bottom)
    return Area(area.left, area.top, area.right, area.bottom - taken)


def steps(highest: float, wanted: int = 6) -> list[float]:
    """Round values 0, step, 2·step, … of which the last is at or above `highest` (over 0)."""
    scale = 1.0
    while highest * scale < 10:
        scale *= 10
    from tasks.drawing.scales import ticks

    return [tick / scale for tick in ticks(-(-int(highest * scale * 1000) // 1000), wanted)]


def plain_number(value: float) -> str:
    """A tick's value without superfluous digits."""
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"
