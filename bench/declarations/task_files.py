"""Where the declarations of our tasks are, and which version each has; light enough for a leaderboard."""

from __future__ import annotations

from pathlib import Path

import tasks
from bench.declarations.yaml_lines import read_declaration

TASK_FILE = "task.yaml"
"""What the declaration in a task's folder is called; a variant beside it has its own name: NAME.yaml."""


def task_files() -> dict[str, Path]:
    """Each of our declarations by the name of its task."""
    found = _home().glob("*/*.yaml")
    return {path.parent.name if path.name == TASK_FILE else path.stem: path for path in found}


def task_versions() -> dict[str, str]:
    """The version of each of our tasks, as its file says; nothing else in the files is looked at."""
    return {name: str(read_declaration(path).data.get("version")) for name, path in task_files().items()}


def _home() -> Path:
    """The folder of the `tasks` package, in a checkout as in an installed wheel."""
    return Path(next(iter(tasks.__path__)))
