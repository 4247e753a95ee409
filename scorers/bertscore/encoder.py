"""The text encoder of BERTScore: which one, at which layer, and the vectors of a text's tokens.

An encoder is named and pinned: a hub id at a commit, or a folder, whose weights are hashed. The vectors are
`hidden_states[layer]` of the full stack, as the layers of `bert-score` were tuned on; a final norm that comes
after the last layer is never taken by accident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    import torch

Dtype: TypeAlias = Literal["float32", "bfloat16"]

DEFAULT_MODEL = "roberta-large"
"""What `bert-score` takes for English."""

_REVISIONS = {"roberta-large": "722cf37b1afa9454edce342e7895e588b6ff1d59"}
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "config.json", "tokenizer.json", "vocab.txt")
# Byte-level vocabularies in which a word in front, without a space before it, is another token.
_SPACE_BEFORE_WORDS = ("roberta", "gpt2", "longformer", "bart", "led")
# Plain stacks whose output after k layers is hidden_states[k], so that the rest need not run.
_CUT = ("bert", "roberta", "xlm-roberta", "camembert", "electra")
_NO_LIMIT = 1 << 20
# Larger batches fall out of the processor's caches: measured, see docs/decisions/0010-text-metrics.md.
_TOKENS_PER_BATCH = {"cpu": 512, "cuda": 32768}


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder found on disk. pin: a commit, or the first of a hash over the weights."""

    folder: Path
    name: str
    pin: str
    layer: int
    dtype: Dtype = "float32"

    @property
    def key(self) -> str:
        """What two sets of vectors must share to be the same, as one string."""
        return f"{self.name}@{self.pin}_L{self.layer}_{self.dtype}"


def choose_encoder(
    model: str = DEFAULT_MODEL,
    *,
    num_layers: int | None = None,
    revision: str | None = None,
    dtype: Dtype = "float32",
) -> EncoderChoice:
    """The encoder of a folder or hub id, downloaded when it is not there; nothing is loaded yet.

    num_layers: the layer whose vectors count, from 1; by default the one that `bert-score` tuned for the
    model's name (or the folder's). ValueError with what to do when the encoder, its layer or its number
    format is not to be had.
    """
    if dtype not in get_args(Dtype):
        raise ValueError(f"dtype {dtype!r} is not one of {', '.join(get_args(Dtype))}")
    if dtype == "bfloat16" and not has_bfloat16():
        raise ValueError("dtype bfloat16: this machine has no instructions for it; use float32")
    path = Path(model).expanduser()
    name = path.name if path.is_dir() else model
    layer = _tuned_layer(name) if num_layers is None else num_layers
    if layer is None:
        raise ValueError(
            f"BERTScore encoder {model!r}: bert-score names no layer for it; give num_layers (at the command "
            f"line: --bertscore-model {model}:LAYER)"
        )
    if path.is_dir():
        folder, pin = path, _weights_hash(path)
    elif path.is_absolute() or model.startswith((".", "~")):
        raise ValueError(f"BERTScore encoder {model}: no such folder")
    else:
        folder, pin = _download(model, revision or _REVISIONS.get(model))
    most = _layers(folder)
    if not 1 <= layer <= most:
        raise ValueError(f"BERTScore encoder {model!r} has layers 1 to {most}, not {layer}")
    return EncoderChoice(folder, name, pin, layer, dtype)


def has_bfloat16() -> bool:
    """Whether this machine computes in bfloat16; elsewhere it is emulated, and slower than float32."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _tuned_layer(name: str) -> int | None:
    from bert_score.utils import model2layers

    layer: int | None = model2layers.get(name)
    return layer


def _layers(folder: Path) -> int:
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise ValueError(f"BERTScore encoder {folder}: no model that transformers reads: {error}") from error
    config = config.get_text_config(encoder=True)
    return int(config.num_hidden_layers)


def _download(model: str, revision: str | None) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download

    others = ["*.json", "*.txt", "*.model"]
    try:
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=["*.safetensors", *others]))
        if not any(folder.glob("*.safetensors")):
            snapshot_download(model, revision=revision, allow_patterns=["pytorch_model*.bin", *others])
    except Exception as error:  # the hub's client has no common error: network, names, access
        raise ValueError(
            f"BERTScore encoder {model!r} is not on this machine and cannot be downloaded "
            f"({type(error).__name__}); give the folder of one with --bertscore-model PATH:LAYER, or "
            "go without BERTScore: --bertscore-model none"
        ) from error
    # The folder of a snapshot is its commit.
    return folder, revision[:12] if revision else folder.name[:12]


def _weights_hash(folder: Path) -> str:
    files = sorted({file for pattern in _WEIGHTS for file in folder.glob(pattern)})
    if not any(file.suffix in (".safetensors", ".bin") for file in files):
        raise ValueError(f"BERTScore encoder {folder}: no weights (*.safetensors or pytorch_model.bin) in it")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Tokens:
    """A text as the encoder reads it. truncated: it was longer than the encoder takes, and was cut."""

    ids: tuple[int, ...]
    truncated: bool
    empty: bool


class Encoder:
    """A loaded encoder; its vectors have length 1, so that a product is a cosine."""

    def __init__(self, choice: EncoderChoice) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        self.choice = choice
        self._device = "cuda" if _room_on_gpu(choice.folder) else "cpu"
        # A bar for the 1 s that loading takes would break the one that shows the scores.
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        model = AutoModel.from_pretrained(choice.folder, dtype=getattr(torch, choice.dtype))
        if shown:
            logging.enable_progress_bar()
        kind = str(model.config.model_type)
        spaced = {"add_prefix_space": True} if kind in _SPACE_BEFORE_WORDS else {}
        self._tokenizer = AutoTokenizer.from_pretrained(choice.folder, **spaced)
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        self._cut = kind in _CUT
        if self._cut:
            model.encoder.layer = model.encoder.layer[: choice.layer]
            model.pooler = None  # of the last layer, which is not there
        self._model = model.eval().to(self._device)
        if self._cut and self._device == "cpu":
            from scorers.bertscore.packed_linear import pack_linears

            if choice.dtype == "bfloat16":
                from scorers.bertscore.bfloat16_attention import NAME

                self._model.set_attn_implementation(NAME)
            pack_linears(self._model)
        self._longest = _longest(self._tokenizer, model.config)

    @cached_property
    def unweighted(self) -> frozenset[int]:
        """The tokens at a text's ends, which count for nothing but may be matched, as in `bert-score`."""
        ends = (self._tokenizer.cls_token_id, self._tokenizer.sep_token_id)
        return frozenset(number for number in ends if number is not None)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of texts, without white space around them; empty where only the ends are left."""
        if not texts:
            return []
        stripped = [text.strip() for text in texts]
        rows = self._tokenizer(stripped, add_special_tokens=True, truncation=False, verbose=False)[
            "input_ids"
        ]
        if max(map(len, rows)) <= self._longest:
            cut = rows
        else:
            cut = self._tokenizer(stripped, truncation=True, max_length=self._longest)["input_ids"]
        ends = len(self._tokenizer("")["input_ids"])
        return [
            Tokens(tuple(kept), len(kept) < len(whole), not text or len(kept) <= ends)
            for text, kept, whole in zip(stripped, cut, rows, strict=True)
        ]

    def vectors(self, rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """For each row of token ids its vectors: float32, tokens x dimensions, on the CPU."""
        import torch

        batches = self._batches(rows)
        cores = torch.get_num_threads() if self._cut and self._device == "cpu" else 1
        if cores == 1 or len(batches) < cores:
            made = [self._encode(batch, rows) for batch in batches]
        else:
            # A batch for each core: cores that share a batch wait for each other at every layer.
            with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                made = list(pool.map(lambda batch: self._encode(batch, rows), batches))
        found = {
            index: vectors
            for batch, several in zip(batches, made, strict=True)
            for index, vectors in zip(batch, several, strict=True)
        }
        return [found[index] for index in range(len(rows))]

    def _batches(self, rows: Sequence[Sequence[int]]) -> list[list[int]]:
        """Places in rows, those of like length together, as many as a batch takes with their padding."""
        batches: list[list[int]] = []
        for index in sorted(range(len(rows)), key=lambda index: len(rows[index])):
            wide = len(rows[index])
            if batches and (len(batches[-1]) + 1) * wide <= _TOKENS_PER_BATCH[self._device]:
                batches[-1].append(index)
            else:
                batches.append([index])
        return batches

    def _encode(self, batch: Sequence[int], rows: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        import torch

        with torch.inference_mode():
            states = self._states([rows[index] for index in batch])
            return [
                torch.nn.functional.normalize(state[: len(rows[index])].float(), dim=-1).cpu()
                for index, state in zip(batch, states, strict=True)
            ]

    def _states(self, rows: Sequence[Sequence[int]]) -> Any:
        import torch

        length = max(map(len, rows))
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([[*row, *[pad] * (length - len(row))] for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows], device=self._device)
        if self._cut:
            return self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        output = self._model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        return output.hidden_states[self.choice.layer]


def _longest(tokenizer: Any, config: Any) -> int:
    """Most tokens of a text: what the tokenizer says, and no more than there are positions."""
    said = int(min(tokenizer.model_max_length, _NO_LIMIT))
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None or positions <= 0:
        return said
    # RoBERTa's positions start after the padding token's.
    offset = tokenizer.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    return min(said, int(positions) - offset)


def _room_on_gpu(folder: Path) -> bool:
    """Whether a GPU has room for the encoder and its batches; an engine may have taken it all."""
    import torch

    if not torch.cuda.is_available():
        return False
    size = sum(file.stat().st_size for pattern in _WEIGHTS[:2] for file in folder.glob(pattern))
    free, _ = torch.cuda.mem_get_info()
    return bool(free > 2 * size + (2 << 30))
