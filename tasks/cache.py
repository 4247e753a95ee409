"""Where generated data and engine files go: ``$TUNEBENCH_CACHE``, else the platform's user cache."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_dir


def cache_folder(*parts: str) -> Path:
    """The cache folder, or one inside it; it exists afterwards."""
    root = os.environ.get("TUNEBENCH_CACHE") or user_cache_dir("tunebench")
    folder = Path(root).expanduser().joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
