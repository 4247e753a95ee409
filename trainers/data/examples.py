"""What is trained on: one picture or more, a prompt, and the completion that the model learns to write.

    example = TrainExample(id="bar-00001", images=(Path("bar.png"),), prompt="How many bars?", completion="7")

`examples_hash` names a list of examples by its content; `image_key` names a picture by its bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainExample:
    """One example.

    images: files, in the order in which the model sees them, before the prompt. system: a system message.
    groups: the report's fields (chart, family, topic, …). sources: digests of what the example was made from
    (a text behind a chart), which no other split may share.
    """

    id: str
    images: tuple[Path, ...]
    prompt: str
    completion: str
    system: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainData:
    """The examples of a training.

    held_out: those of the test splits it will be scored on, which it may share nothing with. left_out: id →
    why a row of the source is not among the examples. described: where they come from, for the lineage.
    """

    train: Sequence[TrainExample]
    validation: Sequence[TrainExample] = ()
    held_out: Sequence[TrainExample] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=200_000)  # the split, the hash, the overlap and the store of pixels all ask
def image_key(path: Path) -> str:
    """SHA-256 of an image file's bytes; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def examples_hash(examples: Iterable[TrainExample]) -> str:
    """SHA-256 over the examples' ids, texts and pictures, whatever their order and wherever the files lie.

    Files call it `data_hash` (lineage.json, run.json, a training folder's provenance.json). It is not that of
    logs, which is over records (`bench.records.identity`).
    """
    digest = hashlib.sha256()
    for example in sorted(examples, key=lambda example: example.id):
        content = [
            example.id,
            [image_key(path) for path in example.images],
            example.system,
            example.prompt,
            example.completion,
        ]
        digest.update(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()
