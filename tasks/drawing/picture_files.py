"""Drawn pictures on disk, named by a hash of everything that determines the picture."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tasks.splits import canonical, digest

_START = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"


@lru_cache(maxsize=1)
def libraries() -> dict[str, str]:
    """Versions of the packages that put pixels and bytes into a picture."""
    return {name: version(name) for name in ("matplotlib", "numpy", "pillow", "wordcloud")}


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


def store(path: Path, content: bytes) -> None:
    """Write a file. Readers and other writers see the old state or the whole new file, nothing between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
