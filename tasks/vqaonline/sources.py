"""Where VQAonline's rows and pictures are: a folder in its layout, or the hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from tasks.hub import hub

HUB = "ChongyanChen/VQAonline"
REVISION = "3e0b8ae7bc1fa8dec7c71785222940e8ba0463aa"

Progress: TypeAlias = Callable[[int, int], None]

_HOW_TO_GET_IT = (
    f"git clone https://huggingface.co/datasets/{HUB} (with git-lfs) and -T path=FOLDER; or, with a network, "
    "pip install 'tunebench[hub]' and no path"
)
_DOWNLOADS = 8


@dataclass(frozen=True)
class Source:
    """Rows as they are published, and where the pictures of some of them lie (None: there is none)."""

    name: str
    rows: Sequence[object]
    pictures: Callable[[Sequence[str], Progress | None], Mapping[str, Path | None]]


def folder_source(folder: Path, split: str) -> Source:
    """SPLIT.json and the pictures in folders named images… of a folder."""
    file = folder / f"{split}.json"
    if not file.is_file():
        raise FileNotFoundError(f"no {split}.json in {folder}; get the data set: {_HOW_TO_GET_IT}")
    places = {
        picture.name: picture
        for images in sorted(folder.glob("images*"))
        if images.is_dir()
        for picture in images.rglob("*")
        if picture.is_file()
    }

    def pictures(names: Sequence[str], progress: Progress | None) -> dict[str, Path | None]:
        # A picture that is not there is named where it should be: its sample is counted as unreadable.
        return {name: places.get(PurePosixPath(name).name, folder / "images" / name) for name in names}

    return Source(file.name, _rows(file), pictures)


def hub_source(revision: str, split: str) -> Source:
    """The same from the hub: SPLIT.json, and of the pictures only those that are asked for."""
    try:
        from huggingface_hub import HfApi, hf_hub_download
    except ModuleNotFoundError as error:
        raise FileNotFoundError(f"VQAonline is not here; get it: {_HOW_TO_GET_IT}") from error
    fetch = partial(hf_hub_download, HUB, repo_type="dataset", revision=revision)

    def fetched(name: str) -> Path:
        try:
            with hub():
                return Path(fetch(filename=name))
        except Exception as error:  # the hub's client has no common error: network, names, access
            raise FileNotFoundError(
                f"{HUB} at {revision[:12]}: {name} cannot be downloaded ({type(error).__name__}); check the "
                f"network, or get the data set: {_HOW_TO_GET_IT}"
            ) from error

    def pictures(names: Sequence[str], progress: Progress | None) -> dict[str, Path | None]:
        try:
            with hub():
                listed = HfApi().list_repo_files(HUB, repo_type="dataset", revision=revision)
        except Exception as error:
            raise FileNotFoundError(
                f"{HUB} at {revision[:12]}: its pictures cannot be listed ({type(error).__name__}); check "
                f"the network, or get the data set: {_HOW_TO_GET_IT}"
            ) from error
        places = {PurePosixPath(path).name: path for path in listed if path.startswith("images")}
        wanted = list(dict.fromkeys(names))
        found: dict[str, Path | None] = {}
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            paths = [places.get(PurePosixPath(name).name) for name in wanted]
            for name, file in zip(wanted, pool.map(lambda p: fetched(p) if p else None, paths), strict=True):
                found[name] = file
                if progress is not None:
                    progress(len(found), len(wanted))
        return found

    file = fetched(f"{split}.json")
    return Source(f"{HUB} {file.name}", _rows(file), pictures)


def _rows(file: Path) -> list[Any]:
    """The list in a JSON file, or its one object a line."""
    text = file.read_text(encoding="utf-8-sig")
    if text.startswith("version https://git-lfs"):
        raise ValueError(
            f"{file.name} is a pointer of git-lfs, not the data; run `git lfs pull` in its folder"
        )
    try:
        found = (
            json.loads(text) if text.lstrip().startswith("[") else list(map(json.loads, text.splitlines()))
        )
    except ValueError as error:
        raise ValueError(f"{file.name} is neither a JSON list nor JSON lines: {error}") from error
    return list(found)
