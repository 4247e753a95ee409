"""Where a checkpoint comes from, in one file beside its weights: lineage.json.

`bench run` reads `commit` from it into the log, so that a row of a table leads back to the recipe. A parent's
lineage stands inside its child's. `weights_digest` names the weights that it is about: where a folder's are
others by now, it tells nothing of them.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

LINEAGE_FILE = "lineage.json"

Digest: TypeAlias = Callable[[Path, Path | None], str]
"""Names a checkpoint by its bytes: a model's folder, and the folder of an adapter on it or None."""

_LIBRARIES = (
    "tunebench",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "tokenizers",
    "datasets",
    "bitsandbytes",
)


def write_lineage(folder: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint's lineage."""
    (folder / LINEAGE_FILE).write_text(
        json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read_lineage(folder: Path) -> dict[str, Any] | None:
    """A checkpoint's lineage, or None where there is none that can be read."""
    try:
        found = json.loads((folder / LINEAGE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_of(lineage: Mapping[str, Any], weights_digest: str | None) -> bool:
    """Whether a lineage is about these weights, as far as is known: one of an older version does not say."""
    said = lineage.get("weights_digest")
    return said is None or weights_digest is None or said == weights_digest


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape the weights, of those installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out where `folder` is, with `-dirty` where files differ from it; or None."""
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None if said.returncode == 0 else None
