"""What determines a chart's picture, and beside the picture what drawing decided."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.drawing.picture_files import libraries, store

GENERATOR = 2
"""Version of the drawing code: to be raised by every change that changes a picture."""


def recipe(
    chart: str, data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int
) -> dict[str, Any]:
    """All that determines a picture, as JSON-able data."""
    return {
        "generator": GENERATOR,
        "libraries": libraries(),
        "chart": chart,
        # The order of the letters is the order of the bars, which sorted keys would hide.
        "order": list(data.get("letters", ())),
        "data": dict(data),
        "style": dict(style),
        "size": [width, height],
    }


def read_drawn(path: Path) -> list[list[Any]] | None:
    """What the picture at `path` shows where drawing decided it, or None when that is missing or broken."""
    try:
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) else None


def write(path: Path, png: bytes, drawn: list[list[Any]] | None) -> None:
    """Store a picture, what it shows before it."""
    if drawn is not None:
        store(path.with_suffix(".json"), json.dumps(drawn, ensure_ascii=False).encode())
    store(path, png)
