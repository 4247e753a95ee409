"""Who is told how a training goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Watch(Protocol):
    """Who is told how a training goes."""

    def say(self, line: str) -> None:
        """One line for the person who waits."""

    def preparing(self, done: int, total: int) -> None:
        """Pictures prepared."""

    def point(self, point: Mapping[str, Any]) -> None:
        """A point of the curve; of training points `step`, `steps`, `loss`, speeds and `eta` in seconds."""


class Silent:
    """A watch that is told and says nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def preparing(self, done: int, total: int) -> None:
        """Nothing."""

    def point(self, point: Mapping[str, Any]) -> None:
        """Nothing."""
