"""What a run asks of a provider whose model is on this machine, beyond what inspect asks of any."""

from __future__ import annotations

import asyncio
import importlib.metadata
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from inspect_ai.model import ModelAPI

from bench.errors import IncompleteRunError
from bench.serving.checkpoint import Checkpoint


class LocalProvider(ModelAPI):
    """A backend: it loads a checkpoint at the first request, or at `start`, and answers in this process.

    A new one is a subclass in a folder of its own, a line in `bench.serving.backends` and, so that inspect
    finds it, one in `bench.registry`.

    prefix: of its names, as in ``--model prefix/checkpoint``. engine_name: what logs call the engine.
    distributions: the packages that may bring it; the version of the first that is installed is the engine's.
    checkpoint: what is served. keep_tokens: whether outputs carry the ids of their tokens in
    metadata["token_ids"], for `bench parity`.
    """

    prefix: ClassVar[str]
    engine_name: ClassVar[str]
    distributions: ClassVar[tuple[str, ...]]
    checkpoint: Checkpoint
    keep_tokens: bool = False

    @classmethod
    @abstractmethod
    def model_arguments(
        cls,
        name: str,
        checkpoint: str,
        given: Mapping[str, Any],
        *,
        trust_remote_code: bool,
        log_file: Path | None,
        needed_length: int | None,
    ) -> dict[str, Any]:
        """The arguments for inspect's get_model; RequestError when it cannot serve anything here.

        name: what the user called the checkpoint. given: the user's ``-M``, which come before what is chosen
        here. needed_length: tokens that the longest prompt and its answer can need.
        """

    @property
    @abstractmethod
    def dtype(self) -> str | None:
        """The numeric type it computes in, such as ``bfloat16``; None until it has started."""

    @property
    def seed(self) -> int | None:
        """The engine's own seed, from which requests without one draw; None where it has none."""
        return None

    @property
    def engine_arguments(self) -> Mapping[str, object] | None:
        """The arguments that go to the engine as they are; None where it has only those of the provider."""
        return None

    @abstractmethod
    def starting(self, name: str) -> str:
        """What `start` does, for the person who waits; name: what the user called the model."""

    @abstractmethod
    async def start(self) -> None:
        """Load the model, once however many ask; RequestError or IncompleteRunError when it cannot be."""

    async def gone(self) -> IncompleteRunError:
        """Returns, with the reason, once it has died; what runs in this very process cannot die alone."""
        await asyncio.Event().wait()
        raise AssertionError("nothing sets that event")

    def connection_key(self) -> str:
        """One limit per checkpoint."""
        return self.model_name

    def should_retry(self, ex: BaseException) -> bool:
        """Never: a local model that fails a request will fail it again, or is dead."""
        return False

    async def aclose(self) -> None:
        """Free the model; a later request loads it again."""
        self.close()


def version_of(*distributions: str) -> str | None:
    """The version of the first of these packages that is installed, or None."""
    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
