"""Drawn charts on disk, named by a hash of everything that determines the picture."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks.chart_vqa.splits import canonical, digest

GENERATOR = 2
"""Version of the drawing code: to be raised by every change that changes a picture."""

_START = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


@lru_cache(maxsize=1)
def libraries() -> dict[str, str]:
    """Versions of the packages that put pixels and bytes into a picture."""
    return {name: version(name) for name in ("matplotlib", "numpy", "pillow", "wordcloud")}


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


def picture_path(folder: Path, recipe: Mapping[str, Any]) -> Path:
    """Where the picture of a recipe belongs."""
    name = digest(canonical(recipe))
    return folder / name[:2] / f"{name}.png"


def is_whole(path: Path) -> bool:
    """Whether a complete PNG file is there (its first and last bytes, not its pixels, are looked at)."""
    try:
        with path.open("rb") as file:
            if file.read(len(_START)) != _START:
                return False
            file.seek(-len(_END), os.SEEK_END)
            return file.read() == _END
    except OSError:
        return False


def read_drawn(path: Path) -> list[list[Any]] | None:
    """What the picture at `path` shows where drawing decided it, or None when that is missing or broken."""
    try:
        found = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, list) else None


def write(path: Path, png: bytes, drawn: list[list[Any]] | None) -> None:
    """Store a picture. Readers and other writers see the old state or the whole new file, nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if drawn is not None:
        _replace(path.with_suffix(".json"), json.dumps(drawn, ensure_ascii=False).encode())
    _replace(path, png)


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
