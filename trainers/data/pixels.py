"""Prepared pictures on disk: each is opened, resized and normalised once, and then read by memory map.

What a processor makes of a picture is float32, but it takes few different values: 256 levels of a channel,
scaled and shifted. So an array is kept as one byte a number and the table of its values, which gives back
the same floats bit by bit; two bytes where there are more values (a mean for each channel), and as it is
where there are more than 65,536. A mask of ones costs nothing.

A store is one file of numbers and one of JSON that says what stands where. It appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trainers.data.examples import image_key

Arrays: TypeAlias = dict[str, NDArray[Any]]
Images: TypeAlias = tuple[Path, ...]
Prepare: TypeAlias = Callable[[Images], tuple[Arrays, Arrays]]
"""Images → (values per token, pixels), or ValueError."""


class Pixels(Protocol):
    """Prepared pictures, by key."""

    @property
    def mistakes(self) -> Mapping[str, str]:
        """Key → why a picture could not be prepared."""

    def key(self, images: Images) -> str:
        """The key of these pictures."""

    def tokens(self, key: str) -> Arrays:
        """The tokens that stand for the pictures, and what else has one value a token."""

    def cells(self, key: str) -> int:
        """How many numbers the pixels are."""

    def arrays(self, key: str) -> Arrays:
        """The model's inputs besides tokens, as the processor made them."""


class PixelStore(Protocol):
    """A place that prepared pictures can be kept in."""

    def filled(
        self, images: Iterable[Images], prepare: Prepare, progress: Callable[[int, int], None] | None
    ) -> Pixels:
        """The pictures, prepared; each only once."""


class MappedStore:
    """A store in two files under `folder`, named by `digest`; made on first use.

    A store larger than `limit` bytes is not made: `filled` then returns pictures that are prepared each time.
    """

    def __init__(self, folder: Path, digest: str, *, limit: int | None = None) -> None:
        self._numbers = folder / f"{digest}.bin"
        self._index = folder / f"{digest}.json"
        self._limit = limit

    def filled(
        self, images: Iterable[Images], prepare: Prepare, progress: Callable[[int, int], None] | None
    ) -> Pixels:
        """The pictures, from the files where these are there already. OSError when they cannot be written."""
        wanted = {picture_key(pictures): pictures for pictures in images if pictures}
        if not wanted:
            return FreshPixels({}, prepare)
        if not self._index.is_file():
            limit = self._limit if self._limit is not None else _room(self._index.parent)
            if not self._write(wanted, prepare, limit, progress):
                return FreshPixels(wanted, prepare)
        os.utime(self._index)  # what was used last is the last to be swept
        return MappedPixels(self._numbers, json.loads(self._index.read_text()))

    def _write(
        self,
        wanted: Mapping[str, Images],
        prepare: Prepare,
        limit: int,
        progress: Callable[[int, int], None] | None,
    ) -> bool:
        """Write both files; False when they would be larger than `limit`."""
        part = self._numbers.with_name(f".{self._numbers.name}.{os.getpid()}")
        entries: dict[str, Any] = {}
        mistakes: dict[str, str] = {}
        try:
            with part.open("wb") as file:
                prepared = _in_threads(wanted, prepare)
                for done, (key, made) in enumerate(prepared, start=1):
                    if isinstance(made, str):
                        mistakes[key] = made
                    else:
                        entries[key] = _written(file, *made)
                    # A few pictures say early whether all will fit; more of them say it better.
                    if done in (8, 64, 512) and file.tell() / done * len(wanted) > limit:
                        return False
                    if progress is not None:
                        progress(done, len(wanted))
            part.replace(self._numbers)
            index = self._index.with_name(f".{self._index.name}.{os.getpid()}")
            index.write_text(json.dumps({"entries": entries, "mistakes": mistakes}))
            index.replace(self._index)
        finally:
            part.unlink(missing_ok=True)
        return True


class MappedPixels:
    """Pictures read from a store's files."""

    def __init__(self, numbers: Path, index: Mapping[str, Any]) -> None:
        self._entries: Mapping[str, Any] = index["entries"]
        self.mistakes: Mapping[str, str] = index["mistakes"]
        empty = numbers.stat().st_size == 0
        self._bytes: NDArray[np.uint8] = (
            np.zeros(0, dtype=np.uint8) if empty else np.memmap(numbers, dtype=np.uint8, mode="r")
        )
        self._tokens: dict[str, Arrays] = {}

    def key(self, images: Images) -> str:
        return picture_key(images)

    def tokens(self, key: str) -> Arrays:
        entry = self._entries[key]["tokens"]
        return {name: np.array(values, dtype=np.int64) for name, values in entry.items()}

    def cells(self, key: str) -> int:
        return sum(int(np.prod(array["shape"])) for array in self._entries[key]["pixels"].values())

    def arrays(self, key: str) -> Arrays:
        return {name: self._array(array) for name, array in self._entries[key]["pixels"].items()}

    def _array(self, entry: Mapping[str, Any]) -> NDArray[Any]:
        shape = tuple(entry["shape"])
        values = self._read(entry["values"], entry["dtype"], entry["count"])
        if entry["code"] is None:
            return values.reshape(shape)
        if entry["count"] == 1:
            return np.full(shape, values[0], dtype=entry["dtype"])
        codes = self._read(entry["start"], entry["code"], int(np.prod(shape)))
        return np.take(values, codes).reshape(shape)

    def _read(self, start: int, dtype: str, count: int) -> NDArray[Any]:
        end = start + count * np.dtype(dtype).itemsize
        return np.frombuffer(self._bytes[start:end].tobytes(), dtype=dtype)


class FreshPixels:
    """Pictures prepared each time they are asked for, where a store would not fit the disk."""

    def __init__(self, images: Mapping[str, Images], prepare: Prepare) -> None:
        self.mistakes: dict[str, str] = {}
        self._images = images
        self._prepare = prepare
        self._known: dict[str, tuple[Arrays, int]] = {}
        self._lock = threading.Lock()

    def key(self, images: Images) -> str:
        key = picture_key(images)
        if key not in self._known and key not in self.mistakes:
            try:
                tokens, pixels = self._prepare(images)
            except ValueError as error:
                self.mistakes[key] = str(error)
            else:
                self._known[key] = tokens, sum(array.size for array in pixels.values())
        return key

    def tokens(self, key: str) -> Arrays:
        return self._known[key][0]

    def cells(self, key: str) -> int:
        return self._known[key][1]

    def arrays(self, key: str) -> Arrays:
        with self._lock:
            return self._prepare(self._images[key])[1]


def picture_key(images: Images) -> str:
    """The key of one picture or several: the digests of their bytes."""
    return "+".join(map(image_key, images))


def _in_threads(
    wanted: Mapping[str, Images], prepare: Prepare
) -> Iterable[tuple[str, tuple[Arrays, Arrays] | str]]:
    """Pictures prepared on all cores, in order; a mistake as its text."""

    def one(item: tuple[str, Images]) -> tuple[str, tuple[Arrays, Arrays] | str]:
        try:
            tokens, pixels = prepare(item[1])
        except ValueError as error:
            return item[0], str(error)
        return item[0], (tokens, pixels)

    items = list(wanted.items())
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(items), 64):  # what is prepared and not yet written stays small
            yield from pool.map(one, items[start : start + 64])


def _written(file: BinaryIO, tokens: Arrays, pixels: Arrays) -> dict[str, Any]:
    """Write a picture's arrays, and return where they are."""
    return {
        "tokens": {name: values.tolist() for name, values in tokens.items()},
        "pixels": {name: _coded(file, array) for name, array in pixels.items()},
    }


def _coded(file: BinaryIO, array: NDArray[Any]) -> dict[str, Any]:
    values = np.unique(array)
    code = "uint8" if len(values) <= 256 else "uint16" if len(values) <= 65_536 else None
    if code is None:
        values = np.ascontiguousarray(array).reshape(-1)
    start = file.tell()
    file.write(values.tobytes())
    entry = {
        "shape": list(array.shape),
        "dtype": array.dtype.str,
        "values": start,
        "count": len(values),
        "code": code,
        "start": file.tell(),
    }
    if code is not None and len(values) > 1:
        file.write(np.searchsorted(values, array.reshape(-1)).astype(code).tobytes())
    return entry


def _room(folder: Path) -> int:
    """Half of what is free on the disk."""
    return shutil.disk_usage(folder).free // 2


def sweep(folder: Path, keep_bytes: int) -> None:
    """Delete the stores that were used longest ago, until what is left is at most `keep_bytes`."""
    stores: Sequence[Path] = sorted(folder.glob("*.json"), key=lambda file: -file.stat().st_mtime)
    total = 0
    for index in stores:
        numbers = index.with_suffix(".bin")
        total += numbers.stat().st_size if numbers.is_file() else 0
        if total > keep_bytes:
            index.unlink(missing_ok=True)
            numbers.unlink(missing_ok=True)
