"""What a solver knows of the run around it: completions that exist already, and who counts samples."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol

from inspect_ai.model import ModelOutput


class Journal(Protocol):
    """Completions by (sample id, epoch); one that was put is found again after a kill."""

    def get(self, sample_id: str, epoch: int) -> ModelOutput | None:
        """The completion recorded for a sample, or None."""

    def put(self, sample_id: str, epoch: int, output: ModelOutput) -> None:
        """Record a completion."""


# Set by the run around an evaluation; inspect's sample tasks inherit them.
current_journal: ContextVar[Journal | None] = ContextVar("current_journal", default=None)
# Called once for each sample that has its completion or its error.
current_progress: ContextVar[Callable[[], None] | None] = ContextVar("current_progress", default=None)
