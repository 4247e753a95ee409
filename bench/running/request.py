"""What one `bench run` was asked for, and who is told how it goes."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.serving.model import ServedModel

Ready = Callable[[ServedModel], Awaitable[None]]
"""Awaited once a model has started, before its first sample."""


class Show(Protocol):
    """Where a run says what it is doing."""

    def say(self, line: str) -> None:
        """One line for the person who waits."""

    def samples(self, label: str, total: int) -> contextlib.AbstractContextManager[Callable[[], None]]:
        """A progress bar over ``total`` samples; call what it yields once a sample."""


@dataclass(frozen=True)
class RunRequest:
    """One ``bench run``: names as the user gave them, and what overrides the declarations."""

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    log_dir: Path = Path("logs")
    limit: int | None = None
    sample_ids: tuple[str, ...] = ()
    epochs: int | None = None
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    resume: bool = False
    fail_on_error: bool = False
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    trust_remote_code: bool = False
    log_images: bool = True

    def generation(self) -> dict[str, Any]:
        """The generation settings given on the command line."""
        given = {"seed": self.seed, "temperature": self.temperature, "max_tokens": self.max_tokens}
        return {name: value for name, value in given.items() if value is not None}
