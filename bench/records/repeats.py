"""Which samples of a task stand in its train split as well, by text and by picture.

Text: what the prompt shows of the record and its options, normalised (case, spaces, punctuation). Picture:
the bytes of its file, and a perceptual hash that re-encoding and resizing leave nearly as it is.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.declarations.task_spec import TaskSpec
from bench.errors import RequestError
from bench.records.identity import image_digest
from bench.records.loading import Record, image_files, load_records

NEAR = 6
"""Bits of 256 by which two perceptual hashes may differ and still be called near.

A picture scaled by 0.95 is near; of 300 test and 300 train charts none were (docs/decisions/0009).
"""

REPEATS = ("item", "image", "near", "wording")
"""What of a sample the train split may have."""

_SIDE = 16
_BITS = np.asarray([value.bit_count() for value in range(256)], dtype=np.uint8)

Hashes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Repeat:
    """What of one sample the train split has; train: an example of it, or None.

    item: the same text with the same or a nearly same picture; of a question without a picture, the text.
    wording: the same text about other pictures alone, which is another question: of questions that follow a
    pattern nearly all have it.
    """

    id: str
    groups: tuple[str, ...]
    item: bool
    image: bool
    near: bool
    wording: bool
    train: str | None

    @property
    def repeated(self) -> bool:
        """Something that may give the answer away stands in the train split."""
        return self.item or self.image or self.near


def split_repeats(spec: TaskSpec, dataset_args: Mapping[str, object], train: str = "train") -> list[Repeat]:
    """What the train split has of each readable sample, in the samples' order.

    RequestError when the task has no such split, or when it is the one being scored.
    """
    scored = str(dataset_args.get("split", spec.dataset.args.get("split", spec.dataset.split)))
    if scored == train:
        raise RequestError(f"task {spec.name!r}: the split {train!r} cannot be compared with itself")
    samples = _readable(load_records(spec, dataset_args))
    others = _readable(load_records(spec, {**dataset_args, "split": train}))
    return repeats(spec, samples, others)


def repeats(spec: TaskSpec, samples: Sequence[Record], train: Sequence[Record]) -> list[Repeat]:
    """What `train` has of each of `samples`."""
    texts: dict[str, list[int]] = {}
    images: dict[str, list[int]] = {}
    for place, record in enumerate(train):
        texts.setdefault(text_key(spec, record), []).append(place)
        if files := image_files(spec, record):
            images.setdefault(image_digest(files[0]), []).append(place)
    pictured = [(place, files[0]) for place, one in enumerate(train) if (files := image_files(spec, one))]
    hashes = _hashes(file for _, file in pictured)
    found = []
    for record in samples:
        same_text = set(texts.get(text_key(spec, record), ()))
        files = image_files(spec, record)
        same_image = set(images.get(image_digest(files[0]), ())) if files else set()
        close = {pictured[place][0] for place in _near(perceptual_hash(files[0]), hashes)} if files else set()
        items = same_text & (same_image | close) if files else same_text
        example = min(items or same_image or close, default=None)
        found.append(
            Repeat(
                id=str(record["id"]),
                groups=_groups(record, spec.report.by[0]) if spec.report.by else (),
                item=bool(items),
                image=bool(same_image),
                near=bool(close),
                wording=bool(same_text) and not items,
                train=None if example is None else str(train[example]["id"]),
            )
        )
    return found


def counts(found: Sequence[Repeat]) -> dict[str, dict[str, int]]:
    """By group, and for all of them, how many samples repeat what."""
    total: dict[str, Counter[str]] = {"all": Counter()}
    for one in found:
        for group in ("all", *one.groups):
            row = total.setdefault(group, Counter())
            row["n"] += 1
            for what in REPEATS:
                row[what] += bool(getattr(one, what))
    return {
        group: {name: row[name] for name in ("n", *REPEATS)}
        for group, row in sorted(total.items(), key=_all_first)
    }


def text_key(spec: TaskSpec, record: Record) -> str:
    """What the prompt shows of a record: its fields and options without case, spaces and punctuation."""
    shown = [record.get(name) for name in spec.prompt_fields]
    return "\n".join(_normal(value) for value in shown)


@lru_cache(maxsize=100_000)
def perceptual_hash(file: Path) -> bytes:
    """The perceptual hash of a picture: 256 bits of its low frequencies (imagehash.phash)."""
    import imagehash
    from PIL import Image

    with Image.open(file) as image:
        bits = imagehash.phash(image.convert("RGB"), hash_size=_SIDE).hash
    return np.packbits(bits).tobytes()


def _hashes(files: Iterable[Path]) -> Hashes:
    rows = [np.frombuffer(perceptual_hash(file), dtype=np.uint8) for file in files]
    return np.stack(rows) if rows else np.zeros((0, _SIDE * _SIDE // 8), dtype=np.uint8)


def _near(own: bytes, others: Hashes) -> list[int]:
    """The places of the hashes that differ from one in at most `NEAR` bits."""
    different = _BITS[others ^ np.frombuffer(own, dtype=np.uint8)].sum(axis=1)
    return [int(place) for place in np.flatnonzero(different <= NEAR)]


def _normal(value: object) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    folded = (unicodedata.normalize("NFKC", str(part)).casefold() for part in parts)
    # Digits, letters and signs that carry meaning (+, <, %) stay.
    kept = ("".join(" " if _is_punctuation(c) else c for c in text) for text in folded)
    return "\n".join(" ".join(text.split()) for text in kept)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in "%-"


def _groups(record: Record, field: str) -> tuple[str, ...]:
    value = record.get(field)
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _readable(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if "unreadable" not in record]


def _all_first(row: tuple[str, object]) -> tuple[bool, str]:
    return row[0] != "all", row[0]
