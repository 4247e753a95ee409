"""Where ScienceQA comes from: a folder in its official layout, or the hub at a fixed commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.hub import hub

HUB = "derek-thomas/ScienceQA"
REVISION = "f18b0a70359ebfb41f658fd564208d0355b013f4"
"""The hub's commit of the published data: its last, of 2023, as the hub's pages of it show."""

_HOW_TO_GET = (
    "get the official folder (problems.json, pid_splits.json and the images; see "
    "https://scienceqa.github.io) and give it with -T path=FOLDER, or allow the hub once "
    f"(pip install 'tunebench[hub]', HF_HUB_OFFLINE unset): {HUB} is downloaded and kept"
)
_FOLDER_NAMES = {"train": ("train",), "validation": ("val", "validation"), "test": ("test",)}
_BATCH = 64


@dataclass(frozen=True)
class SourceRow:
    """One question as its source has it. image: the file, its bytes, or None for a text question."""

    id: str
    image: Path | bytes | None
    fields: Mapping[str, object]

    @property
    def has_image(self) -> bool:
        """Whether the question has a picture."""
        return self.image is not None


def folder_rows(folder: Path, split: str) -> list[SourceRow]:
    """The questions of a split in the official layout, in the order of pid_splits.json.

    OSError when a file is missing, ValueError when one is not what it should be; both say which.
    """
    folder = folder.expanduser()
    problems = _json(folder / "problems.json")
    splits = _json(folder / "pid_splits.json")
    name = next((name for name in _FOLDER_NAMES[split] if name in splits), None)
    if name is None:
        raise ValueError(f"{folder / 'pid_splits.json'} has no split {split!r} but {', '.join(splits)}")
    ids = splits[name]
    absent = [pid for pid in ids if str(pid) not in problems]
    if absent:
        raise ValueError(
            f"{folder / 'problems.json'} lacks {len(absent)} of the {len(ids)} questions of {name!r}, "
            f"such as {absent[0]}"
        )
    return [_folder_row(folder, name, str(pid), problems[str(pid)]) for pid in ids]


def hub_rows(revision: str, split: str) -> list[SourceRow]:
    """The questions of a split from the hub; OSError with how to get them when that cannot be."""
    try:
        import datasets
    except ImportError:
        raise OSError(
            f"ScienceQA is not here and the datasets library is not installed; {_HOW_TO_GET}"
        ) from None
    try:
        with hub():
            found = datasets.load_dataset(HUB, revision=revision, split=split)
    except Exception as error:  # the hub's client has no common error: network, names, access, formats
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OSError(
            f"ScienceQA is not here and the hub download failed ({first}); {_HOW_TO_GET}"
        ) from error
    rows: list[SourceRow] = []
    for piece in found.with_format("arrow").iter(batch_size=_BATCH):
        for fields in piece.to_pylist():
            image = fields.pop("image", None)
            content = (image["bytes"] or Path(image["path"])) if image else None
            rows.append(SourceRow(f"{split}-{len(rows)}", content, fields))
    return rows


def _folder_row(folder: Path, split: str, pid: str, fields: Mapping[str, object]) -> SourceRow:
    named = fields.get("image")
    if not named:
        return SourceRow(pid, None, fields)
    # The official download unpacks the pictures into images/.
    homes = (folder / split, folder / "images" / split)
    files = [home / pid / str(named) for home in homes]
    return SourceRow(pid, next((file for file in files if file.is_file()), files[0]), fields)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"no file {file}; {_HOW_TO_GET}") from None
    except ValueError as error:
        raise ValueError(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{file} holds a {type(found).__name__}, not an object")
    return found
