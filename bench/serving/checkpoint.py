"""What a checkpoint is: a folder or hub id, or a LoRA adapter on a base."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from bench.errors import RequestError, first_line
from bench.serving import nano
from bench.serving.digests import checkpoint_digest
from tasks.hub import hub
from trainers.lineage import is_of, read_lineage


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files are on this machine.

    name: what the user said. folder: the model's files. adapter: the LoRA folder, when the name is one.
    revision: the hub revision the files came from, or None for a folder. What is read from the files is read
    once: what changes them makes another checkpoint, to be found anew.
    """

    name: str
    folder: Path
    adapter: Path | None = None
    revision: str | None = None

    @property
    def _folders(self) -> list[Path]:
        return [self.folder] if self.adapter is None else [self.folder, self.adapter]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the bytes of base and adapter; equal bytes give equal digests under any name."""
        return checkpoint_digest(self.folder, self.adapter)

    @cached_property
    def parameters(self) -> int | None:
        """Number of weights in the safetensors files (base and adapter), or None without such files."""
        files = [file for folder in self._folders for file in sorted(folder.glob("*.safetensors"))]
        return sum(_tensor_elements(file) for file in files) if files else None

    @cached_property
    def recipe_commit(self) -> str | None:
        """The git commit that the lineage file of these weights names, if there is one."""
        lineage = read_lineage(self.adapter or self.folder)
        if lineage is None or not is_of(lineage, self.digest):
            return None
        commit = lineage.get("commit")
        return commit if isinstance(commit, str) else None


def find_checkpoint(name: str, *, revision: str | None = None) -> Checkpoint:
    """The checkpoint of a folder or hub id; a hub id's files are fetched when they are not here yet.

    Raises RequestError when the folder holds no model, or the hub id is unavailable.
    """
    if name in nano.NAMES:
        return Checkpoint(name, nano.nano(name))
    path = Path(name).expanduser()
    if path.is_dir():
        return _local_checkpoint(name, path)
    if path.exists():
        raise RequestError(f"--model {name}: a file; give the folder that holds config.json and the weights")
    if not _looks_like_hub_id(name):
        raise RequestError(
            f"--model {name}: no such folder, and neither a hub id (owner/name) nor an inspect model "
            "(provider/name). Give a checkpoint folder, nano, nano-untrained, or a name such as "
            "HuggingFaceTB/SmolVLM-Instruct or openai/gpt-4o"
        )
    return Checkpoint(name, _fetched(name, revision), revision=revision)


def _local_checkpoint(name: str, path: Path) -> Checkpoint:
    adapter_config = path / "adapter_config.json"
    if adapter_config.is_file():
        base, revision = _base_of(adapter_config)
        if base is None:
            raise RequestError(
                f"--model {name}: adapter_config.json is not JSON with a base_model_name_or_path; "
                "give the folder that peft's save_pretrained wrote"
            )
        near = path / base
        try:
            found = find_checkpoint(str(near)) if near.is_dir() else find_checkpoint(base, revision=revision)
        except RequestError as error:
            raise RequestError(
                f"--model {name}: an adapter, and its base model is unavailable: {error}"
            ) from error
        return Checkpoint(name, found.folder, adapter=path, revision=found.revision)
    if not (path / "config.json").is_file():
        raise RequestError(
            f"--model {name}: the folder has neither config.json (a model) nor adapter_config.json "
            "(an adapter); give the folder that save_pretrained wrote"
        )
    return Checkpoint(name, path)


def _base_of(adapter_config: Path) -> tuple[str | None, str | None]:
    """(base, its revision) as peft names them."""
    try:
        config = json.loads(adapter_config.read_text())
        base, revision = config["base_model_name_or_path"], config.get("revision")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, None
    revision = revision if isinstance(revision, str) and revision else None
    return (base if isinstance(base, str) and base else None), revision


def _looks_like_hub_id(name: str) -> bool:
    parts = name.split("/")
    return len(parts) == 2 and all(parts) and not name.startswith((".", "/", "~"))


@cache  # a run asks several times, and each time would cost seconds of the hub's answers
def _fetched(name: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise RequestError(
            f"--model {name}: the hub needs huggingface_hub; install tunebench[vllm] or [cpu]"
        ) from error
    try:
        with hub():
            return Path(snapshot_download(name, revision=revision))
    except Exception as error:  # the hub's client raises many kinds, offline more than anything
        raise RequestError(
            f"--model {name}: not a folder here, and the hub download failed: {first_line(error)}. "
            "Check the name, or download it elsewhere and give its folder"
        ) from error


def _tensor_elements(file: Path) -> int:
    """Elements of all tensors of a safetensors file, from its header alone."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > file.stat().st_size:
                raise ValueError("it is shorter than its header says")
            header: dict[str, Any] = json.loads(stream.read(length))
        return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RequestError(
            f"{file}: not a safetensors file ({error or type(error).__name__}); save or copy it again"
        ) from error


def declared_context(folder: Path) -> int | None:
    """The longest context the checkpoint's configuration declares, in tokens, or None."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return None
    for part in (config.get("text_config"), config.get("llm_config"), config):
        if isinstance(part, Mapping) and isinstance(part.get("max_position_embeddings"), int):
            return int(part["max_position_embeddings"])
    return None
