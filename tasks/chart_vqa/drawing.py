"""From recipes to pictures in the cache, on one core or on all."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tasks.chart_vqa import kept_picture as cache
from tasks.chart_vqa.kinds import bars, clouds, grouped, lines, pies
from tasks.drawing.picture_files import is_whole, picture_path

Recipe = Mapping[str, Any]

# Rough seconds per picture on one core, by which it is decided whether starting processes (each imports
# matplotlib, about a second) pays.
_SECONDS = {"bar": 0.006, "pie": 0.006, "cloud": 0.025, "line": 0.006, "grouped": 0.006}
_WORTH_PROCESSES = 3.0
_CHUNK = 16


def render(recipe: Recipe) -> tuple[bytes, list[list[Any]] | None]:
    """The PNG file of a recipe and, for a word cloud, the words that were really drawn."""
    data, style = recipe["data"], recipe["style"]
    width, height = recipe["size"]
    match recipe["chart"]:
        case "bar":
            return bars.draw(data, style, width, height), None
        case "pie":
            return pies.draw(data, style, width, height), None
        case "line":
            return lines.draw(data, style, width, height), None
        case "grouped":
            return grouped.draw(data, style, width, height), None
        case "cloud":
            return clouds.draw(data, style, width, height)
        case other:
            raise ValueError(f"no drawing for chart {other!r}")


def draw_missing(
    recipes: Sequence[Recipe],
    folder: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Paths of all pictures, after drawing those that are not in the cache or broken there.

    `workers` is the number of processes; by default all cores where there is enough to draw, else this one.
    `progress` is called with the number of pictures ready and of all.
    """
    paths = [picture_path(folder, recipe) for recipe in recipes]
    todo = [(recipe, path) for recipe, path in zip(recipes, paths, strict=True) if not _ready(recipe, path)]
    done = len(recipes) - len(todo)
    if progress is not None:
        progress(done, len(recipes))
    if workers is None:
        cost = sum(_SECONDS[recipe["chart"]] for recipe, _ in todo)
        workers = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1
        # Workers of somebody else's pool may not have children of their own.
        alone = multiprocessing.current_process().daemon
        workers = workers if cost > _WORTH_PROCESSES and not alone else 1
    if workers > 1 and len(todo) > 1:
        # Forked children of a process that may hold threads (torch, Arrow) can deadlock.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=workers, mp_context=context) as pool:
            for _ in pool.map(_draw, todo, chunksize=_CHUNK):
                done += 1
                if progress is not None:
                    progress(done, len(recipes))
    else:
        for item in todo:
            _draw(item)
            done += 1
            if progress is not None:
                progress(done, len(recipes))
    return paths


def _ready(recipe: Recipe, path: Path) -> bool:
    return is_whole(path) and (recipe["chart"] != "cloud" or cache.read_drawn(path) is not None)


def _draw(item: tuple[Recipe, Path]) -> None:
    recipe, path = item
    png, drawn = render(recipe)
    cache.write(path, png, drawn)
