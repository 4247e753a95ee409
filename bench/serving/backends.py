"""Which backends serve checkpoints on this machine."""

from __future__ import annotations

from bench.serving.local_provider import LocalProvider
from bench.serving.transformers_engine.provider import TransformersAPI
from bench.serving.vllm_engine.provider import EngineAPI

BACKENDS: tuple[type[LocalProvider], ...] = (EngineAPI, TransformersAPI)
"""The first serves names without a prefix: folders, hub ids and the built-in models."""


def prefixed(name: str) -> tuple[type[LocalProvider], str] | None:
    """(backend, checkpoint) of a name such as ``transformers/some/folder``, or None."""
    for backend in BACKENDS:
        if name.startswith(f"{backend.prefix}/"):
            return backend, name.removeprefix(f"{backend.prefix}/")
    return None
