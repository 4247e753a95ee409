"""Low-rank adapters on a frozen base: attached, kept in four bits where asked, and merged into the base.

Sources: LoRA (arXiv:2106.09685), DoRA (arXiv:2402.09353), QLoRA (arXiv:2305.14314), all as peft has them.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

from trainers.lineage import Digest, git_commit, is_of, read_lineage, versions, write_lineage
from trainers.machine.reasons import machine_reason
from trainers.models.model_parts import part_of
from trainers.models.video_stand_in import stand_in_for_video

# Left in their own precision where the base is in four bits: the pictures' way in, and the head.
_NOT_IN_FOUR_BITS = (
    "vision_model",
    "vision_tower",
    "visual",
    "connector",
    "multi_modal_projector",
    "lm_head",
)


class AdapterSettings(Protocol):
    """What :func:`attach` reads; a recipe's ``adapter`` section has it.

    targets: regular expression over module names, or None for every linear layer of the text model.
    """

    @property
    def kind(self) -> str: ...
    @property
    def r(self) -> int: ...
    @property
    def alpha(self) -> int: ...
    @property
    def dropout(self) -> float: ...
    @property
    def targets(self) -> str | None: ...


def attach(model: Any, settings: AdapterSettings) -> Any:
    """The model as a ``PeftModel`` in which only a new adapter is trained.

    Raises ValueError when no linear layer has a name that the targets match.
    """
    from peft import LoraConfig, get_peft_model

    targets = settings.targets or text_layers(model)
    if not any(re.fullmatch(targets, name) for name in _linear_layers(model)):
        raise ValueError(
            f"adapter.targets: {targets!r} matches no linear layer; the text model's are matched by "
            f"{text_layers(model)!r}"
        )
    return get_peft_model(
        model,
        LoraConfig(
            r=settings.r,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=targets,
            use_dora=settings.kind in ("dora", "qdora"),
            task_type="CAUSAL_LM",
        ),
    )


def name_base(folder: Path, base: str, revision: str | None) -> None:
    """Let a saved adapter name its base by its hub id, which holds on every machine, and not by a folder."""
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(
        json.dumps({**config, "base_model_name_or_path": base, "revision": revision}, indent=2) + "\n"
    )


def text_layers(model: Any) -> str:
    """A regular expression that matches the linear layers of the text model, its output head aside."""
    head = model.get_output_embeddings()
    names = [
        name
        for name, module in _linear_layers(model).items()
        if module is not head and part_of(name) == "text"
    ]
    if not names:
        raise ValueError("adapter: the model has no linear layer in a text model")
    prefix = names[0].partition(".layers.")[0]
    kinds = "|".join(sorted({re.escape(name.rpartition(".")[2]) for name in names}))
    return rf"{re.escape(prefix)}.*\.({kinds})"


def four_bits() -> Any:
    """transformers' setting for a base in NF4 with double quantisation, computing in bfloat16.

    The vision tower and what joins it to the text model stay as they are: bitsandbytes would quantise them
    too. Raises ValueError without bitsandbytes.
    """
    try:
        import bitsandbytes  # noqa: F401 - transformers imports it, with a longer message
    except ImportError as error:
        raise ValueError(
            f"adapter.kind: four bits need {error.name}; install tunebench[qlora], or take lora or dora"
        ) from error
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=[rf".*\b{name}\b.*" for name in _NOT_IN_FOUR_BITS],
    )


def merge(adapter: Path, base: Path, out: Path, *, digest: Digest | None = None) -> Path:
    """Write the base with the adapter added to its weights, in the base's own numeric type; returns `out`.

    Everything the adapter does not touch keeps its bytes. The folder appears whole or not at all. An adapter
    trained on a base in four bits is added to the base as it is, which differs from what it saw by the
    quantisation's rounding. digest: names checkpoints in the lineage. Raises ValueError when `out` exists, or
    adapter and base do not fit together.
    """
    if out.exists():
        raise ValueError(f"{out}: exists already; give another folder, or remove it")
    merged = _merged(adapter, base)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        merged.save_pretrained(unfinished)
        _copy_beside(base, unfinished)
        _copy_beside(adapter, unfinished)
        write_lineage(unfinished, _lineage(adapter, base, unfinished, digest))
        unfinished.chmod(0o755)  # mkdtemp's folders are for their owner alone
        unfinished.replace(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return out


def _linear_layers(model: Any) -> dict[str, Any]:
    import torch

    # bitsandbytes' layers are linear layers too.
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}


def _merged(adapter: Path, base: Path) -> Any:
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText

    stand_in_for_video()
    try:
        model = AutoModelForImageTextToText.from_pretrained(base, dtype="auto")
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        if machine_reason(error):
            raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{adapter} cannot be merged into {base}: {said}") from error


def _copy_beside(source: Path, folder: Path) -> None:
    """Copy what is no weight and describes none: tokenizer, processor, templates, the base's own code."""
    for file in sorted(source.iterdir()):
        described = file.name in ("config.json", "generation_config.json", "lineage.json", "README.md")
        weights = file.suffix in (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".png", ".jsonl")
        if file.is_file() and not (
            described or weights or file.name.startswith(("adapter_", ".")) or "index.json" in file.name
        ):
            shutil.copyfile(file, folder / file.name)


def _lineage(adapter: Path, base: Path, made: Path, digest: Digest | None) -> dict[str, Any]:
    """The adapter's own lineage, with how it was merged; without one of its weights, what can be said."""
    named = {
        "weights_digest": digest(made, None) if digest else None,
        "adapter_digest": digest(base, adapter) if digest else None,
        "base_digest": digest(base, None) if digest else None,
    }
    own = read_lineage(adapter)
    if own is None or not is_of(own, named["adapter_digest"]):
        own = {"parent": read_lineage(base)}
    return {
        **own,
        "weights_digest": named["weights_digest"],
        "merged": {
            "adapter_digest": named["adapter_digest"],
            "base_digest": named["base_digest"],
            "commit": git_commit(Path(__file__).parent),
            "versions": versions(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    }
