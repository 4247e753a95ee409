"""Which split content belongs to, as a function of the content alone: the same for every size and seed."""

from __future__ import annotations

import hashlib
import json
from typing import Literal, get_args

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_TRAIN_PERCENT = 70
_VALIDATION_PERCENT = 15


def canonical(data: object) -> str:
    """One text for JSON-able data, the same on every machine."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def split_of(content: str) -> Split:
    """The split that content belongs to: 70% train, 15% validation, 15% test."""
    percent = int(digest("split:" + content)[:15], 16) % 100
    if percent < _TRAIN_PERCENT:
        return "train"
    return "validation" if percent < _TRAIN_PERCENT + _VALIDATION_PERCENT else "test"
