"""The checkpoint that training begins with: its processor, its model, and what is copied from it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from trainers.models.model_parts import freeze
from trainers.models.video_stand_in import stand_in_for_video
from trainers.recipe import TrainRecipe

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx")
_OF_THE_WEIGHTS = ("config.json", "generation_config.json", "lineage.json", "adapter_config.json")
_MANY_PIXELS = 10_000
"""A `longest_edge` beyond this is a number of pixels (Qwen), not a length."""


class Base:
    """The checkpoint in a folder, as a recipe trains it. The processor is loaded now, the model when asked.

    processor: with the recipe's image size. tokenizer: the processor's, or the processor itself. ValueError
    when there is no processor, or not one of that size.
    """

    def __init__(self, recipe: TrainRecipe, folder: Path) -> None:
        self.folder = folder
        self._recipe = recipe
        self.processor = _processor(recipe, folder)
        self.tokenizer: Any = getattr(self.processor, "tokenizer", self.processor)

    @property
    def pad_id(self) -> int:
        """The token that fills rows up."""
        own = self.tokenizer.pad_token_id
        return int(own if own is not None else self.tokenizer.eos_token_id)

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end a completion: the generation settings' and the tokenizer's."""
        from transformers import GenerationConfig

        try:
            given = GenerationConfig.from_pretrained(self.folder).eos_token_id
        except OSError:  # an older checkpoint without generation_config.json
            given = None
        ids = {*(given if isinstance(given, Iterable) else (given,)), self.tokenizer.eos_token_id}
        return frozenset(token for token in ids if token is not None)

    @cached_property
    def context_length(self) -> int | None:
        """The longest context that the configuration declares, in tokens."""
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        for part in (config.get("text_config"), config.get("llm_config"), config):
            if isinstance(part, dict) and isinstance(part.get("max_position_embeddings"), int):
                return int(part["max_position_embeddings"])
        return None

    @cached_property
    def processor_digest(self) -> str:
        """Names how pictures are prepared: the processor's settings, the size, the library that does it."""
        import transformers

        digest = hashlib.sha256(f"{transformers.__version__}/{self._recipe.image.longest_edge}".encode())
        for name in ("preprocessor_config.json", "processor_config.json", "tokenizer.json"):
            file = self.folder / name
            digest.update(file.read_bytes() if file.is_file() else b"-")
        return digest.hexdigest()

    def model(self) -> Any:
        """The model, loaded anew, with what the recipe trains set to be trained, and nothing else.

        Raises ValueError when it cannot be loaded, has no part of a frozen name, or takes no adapter.
        """
        import torch
        from transformers import AutoModelForImageTextToText, set_seed

        recipe = self._recipe
        set_seed(recipe.seed)
        options: dict[str, Any] = {}
        if recipe.adapter is not None and recipe.adapter.kind in ("qlora", "qdora"):
            from trainers.models.adapters import four_bits

            options["quantization_config"] = four_bits()
        try:
            model = AutoModelForImageTextToText.from_pretrained(
                self.folder,
                dtype=getattr(torch, recipe.base.dtype),
                attn_implementation=recipe.attention,
                trust_remote_code=recipe.base.trust_remote_code,
                **options,
            )
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise ValueError(f"base {recipe.base.checkpoint}: cannot be loaded: {_said(error)}") from error
        model.config.use_cache = False
        if recipe.adapter is not None:
            from trainers.models.adapters import attach

            return attach(model, recipe.adapter)
        freeze(model, recipe.frozen)
        return model

    def copy_processor_files(self, folder: Path) -> None:
        """Copy tokenizer, processor, templates and the checkpoint's own code, with the recipe's image size.

        Copied and not saved anew: saving a processor writes fields that loading it elsewhere trips over.
        """
        for file in sorted(self.folder.iterdir()):
            if not file.is_file() or file.name in _OF_THE_WEIGHTS or file.name.endswith(".index.json"):
                continue
            if file.suffix in (*_WEIGHTS, ".md") or file.name.startswith("."):
                continue
            shutil.copyfile(file, folder / file.name)
        declared, longest_edge = self._recipe.base, self._recipe.image.longest_edge
        name = declared.checkpoint
        if (folder / "adapter_config.json").is_file() and "/" in name and not Path(name).exists():
            from trainers.models.adapters import name_base

            name_base(folder, name, declared.revision)
        if longest_edge is not None:
            _write_size(folder / "preprocessor_config.json", None, longest_edge)
            _write_size(folder / "processor_config.json", "image_processor", longest_edge)


def _processor(recipe: TrainRecipe, folder: Path) -> Any:
    from transformers import AutoProcessor

    stand_in_for_video()
    try:
        processor = AutoProcessor.from_pretrained(folder, trust_remote_code=recipe.base.trust_remote_code)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ValueError(
            f"base {recipe.base.checkpoint}: its processor cannot be loaded: {_said(error)}"
        ) from error
    if getattr(processor, "image_processor", None) is not None:
        sizes = _sized(dict(processor.image_processor.size), recipe.image.longest_edge)
        processor.image_processor.size = sizes
    return processor


def _write_size(file: Path, below: str | None, longest_edge: int) -> None:
    if not file.is_file():
        return
    content = json.loads(file.read_text(encoding="utf-8"))
    section = content if below is None else content.get(below)
    if isinstance(section, dict) and isinstance(section.get("size"), dict):
        section["size"] = _sized(section["size"], longest_edge)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _sized(size: dict[str, int], longest_edge: int | None) -> dict[str, int]:
    """A processor's `size` with another longest edge; where that is a number of pixels, its square."""
    if longest_edge is None:
        return size
    if "longest_edge" not in size:
        raise ValueError(
            f"image.longest_edge: the base's pictures have one size, {size}; leave longest_edge out"
        )
    pixels = size["longest_edge"] > _MANY_PIXELS
    return {**size, "longest_edge": longest_edge**2 if pixels else longest_edge}


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
