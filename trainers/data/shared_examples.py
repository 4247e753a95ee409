"""Examples that training and evaluation share: the same picture, the same source text, the same question.

Two examples share something when they have

- a picture in common, by the bytes of its file or by its pixels,
- a source in common (the text behind a chart),
- without pictures, the same prompt. A prompt about a picture may repeat: it is the picture that counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from trainers.data.examples import TrainData, TrainExample


class OverlapError(ValueError):
    """Examples to train on are also examples to evaluate on."""


@dataclass(frozen=True)
class Overlap:
    """Two examples of different splits, and what they share: image, source or prompt."""

    train_id: str
    other_id: str
    what: str


def overlaps(train: Sequence[TrainExample], other: Sequence[TrainExample]) -> list[Overlap]:
    """Every example of `other` that shares something with one of `train`, with the first such one."""
    with ThreadPoolExecutor() as pool:  # decoding pictures releases the interpreter's lock
        list(pool.map(_pixel_key, {path for one in (*train, *other) for path in one.images}))
    known: dict[tuple[str, str], str] = {}
    for example in train:
        for key in _keys(example):
            known.setdefault(key, example.id)
    found = []
    for example in other:
        shared = next((key for key in _keys(example) if key in known), None)
        if shared is not None:
            found.append(Overlap(known[shared], example.id, shared[0]))
    return found


def check_overlap(data: TrainData, allow: bool) -> dict[str, int]:
    """How many examples of validation and test training shares; OverlapError unless that is allowed."""
    found = {
        "validation": overlaps(data.train, data.validation),
        "test": overlaps(data.train, data.held_out),
        "validation and test": overlaps(data.validation, data.held_out),
    }
    if any(found.values()) and not allow:
        lines = [
            f"{len(pairs)} examples of {split} are also in {'validation' if ' ' in split else 'train'}: "
            + ", ".join(f"{one.other_id} (same {one.what} as {one.train_id})" for one in pairs[:5])
            + (", …" if len(pairs) > 5 else "")
            for split, pairs in found.items()
            if pairs
        ]
        raise OverlapError("\n".join(lines))
    return {split: len(pairs) for split, pairs in found.items() if pairs}


def _keys(example: TrainExample) -> Iterator[tuple[str, str]]:
    for path in example.images:
        yield "image", _pixel_key(path)
    for source in example.sources:
        yield "source", source
    if not example.images:
        yield "prompt", " ".join(example.prompt.split())


@lru_cache(maxsize=200_000)
def _pixel_key(path: Path) -> str:
    """Digest of a picture's size and pixels, whatever its file format; of its bytes if it is broken."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
            return hashlib.sha256(f"{rgb.size}".encode() + rgb.tobytes()).hexdigest()
    except Exception:  # Pillow's readers raise whatever a broken file makes them trip over
        return hashlib.sha256(path.read_bytes()).hexdigest()
