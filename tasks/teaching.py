"""What a task has whose teacher is asked by code of its own: a conversation, and what is accepted of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Turn:
    """A message to the teacher; its images come before its text."""

    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Teacher:
    """A task's own way of asking.

    messages: a record → what the teacher is sent. refusal: why a completion may not be learned from, or None;
    in words that stay the same from sample to sample, for equal causes are counted. lessons: an accepted
    completion → what students learn of it, by the name of the variant.
    """

    messages: Callable[[Mapping[str, object]], Sequence[Turn]]
    refusal: Callable[[Mapping[str, object], str], str | None]
    lessons: Callable[[Mapping[str, object], str], Mapping[str, str]]
