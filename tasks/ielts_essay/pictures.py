"""From charts to pictures in the cache, the same bytes anywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tasks.cache import cache_folder
from tasks.drawing.picture_files import is_whole, libraries, picture_path, store
from tasks.ielts_essay import bars, lines, pies, tables
from tasks.ielts_essay.chart import Chart

GENERATOR = 1
"""Version of the drawing code: to be raised by every change that changes a picture."""

SIZE = (640, 480)

_COLORS = ("tab10", "Set2", "viridis", "plasma", "coolwarm", "Spectral")


def style_of(rng: Random) -> dict[str, Any]:
    """What varies from chart to chart without changing what it says."""
    return {
        "tinted": rng.random() < 0.3,
        "title": rng.choice(("middle", "left")),
        "legend": rng.choice(("top", "bottom")),
        "colors": rng.choice(_COLORS),
        "grid": rng.random() < 0.7,
        "edge": rng.random() < 0.4,
        "lying": rng.random() < 0.3,
        "thickness": round(rng.uniform(0.6, 0.82), 2),
        "start": rng.randrange(0, 360, 15),
        "clockwise": rng.random() < 0.5,
    }


def picture(chart: Chart, style: Mapping[str, Any], width: int, height: int) -> bytes:
    """The PNG file of a chart of width x height pixels."""
    draw = {"bar": bars.draw, "line": lines.draw, "pie": pies.draw, "table": tables.draw}[chart.kind]
    return draw(chart, style, width, height)


def draw_missing(
    charts: Sequence[tuple[Chart, Mapping[str, Any]]],
    folder: Path,
    width: int,
    height: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Paths of the charts' pictures, after drawing those that are not in the folder or broken there.

    `progress` is called with the number of pictures ready and of all.
    """
    paths = []
    for chart, style in charts:
        recipe = {
            "generator": f"ielts_essay {GENERATOR}",
            "libraries": libraries(),
            "chart": chart.data(),
            "style": dict(style),
            "size": [width, height],
        }
        path = picture_path(folder, recipe)
        if not is_whole(path):
            store(path, picture(chart, style, width, height))
        paths.append(path)
        if progress is not None:
            progress(len(paths), len(charts))
    return paths


def draw_example(chart: Chart) -> Path:
    """The picture of a worked example, in the cache; its style follows from its title."""
    style = style_of(Random(chart.title))
    [path] = draw_missing([(chart, style)], cache_folder("ielts_essay"), *SIZE)
    return path
