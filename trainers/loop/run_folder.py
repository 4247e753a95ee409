"""The folder of a training while it runs: what it is called, what is in it, and whether it can go on.

While it trains, everything is in `<out>.unfinished`: the curve, checkpoint-<step> folders, and run.json,
which says what the training was begun with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainers.loop import curve_file
from trainers.recipe import TrainRecipe

UNFINISHED = ".unfinished"
"""What the name of a folder ends with while its checkpoint is being made."""

RUN = "run.json"


def opened(folder: Path, out: Path, identity: Mapping[str, Any], recipe: TrainRecipe, resume: bool) -> int:
    """Make or enter the unfinished folder; the step that training goes on after, 0 for a new one.

    ValueError when `out` or the folder is taken, or was begun with another identity.
    """
    if out.exists():
        raise ValueError(f"{out}: exists already; give another folder, or remove it")
    run = folder / RUN
    if not run.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise ValueError(f"{folder}: exists and is no unfinished training; give another folder")
        folder.mkdir(parents=True, exist_ok=True)
        run.write_text(json.dumps({**identity, "recipe": recipe.as_plain()}, indent=2))
        return 0
    if not resume:
        raise ValueError(f"{folder}: an unfinished training; continue with --resume, or remove the folder")
    before = json.loads(run.read_text())
    changed = [name for name, value in identity.items() if before.get(name) != value]
    if changed:
        raise ValueError(
            f"{folder}: begun with another {' and '.join(name.split('_')[0] for name in changed)}"
            f"{_changed_keys(before['recipe'], recipe.as_plain())}; give the same, or another folder"
        )
    step = last_step(folder)
    curve_file.cut_after(folder, step)
    return step


def last_step(folder: Path) -> int:
    """The step of the newest intermediate checkpoint, 0 without one."""
    found = intermediate(folder)
    return step_of(found[-1]) if found else 0


def intermediate(folder: Path) -> list[Path]:
    """The checkpoint-<step> folders, oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if path.name.partition("-")[2].isdigit()]
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    """The step of a checkpoint-<step> folder."""
    return int(checkpoint.name.partition("-")[2])


def _changed_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """` (optimizer.learning_rate: 0.001, now 0.002)` for what differs."""
    said = [f"{key}: {old}, now {new}" for key, old, new in _differences(before, now, "")]
    return f" ({'; '.join(said)})" if said else ""


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], place: str) -> list[tuple[str, Any, Any]]:
    found = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _differences(old, new, f"{place}{key}.")
        elif old != new:
            found.append((f"{place}{key}", old, new))
    return found
