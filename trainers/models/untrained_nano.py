"""The built-in small model: Idefics3 (the SmolVLM layout) at about a million parameters, made by code.

Nothing is downloaded: the tokenizer is trained on given texts or a sentence, the weights are drawn
from a seed. The folder is an ordinary Hugging Face checkpoint, so vLLM serves it and transformers loads it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Enough English for byte-level BPE to learn the common merges; every other text falls back to bytes.
_SOME_ENGLISH = (
    "Look at the chart and answer the question. How many letters are shown? What is the mean, the median, "
    "the value, the total, the share or the percentage? Which word, letter, series, group, month or year has "
    "the highest, the lowest, the largest, the smallest or the most frequent bar, slice, line or point? "
    "Is the word in the cloud, True or False? Put the final answer inside a box, as in \\boxed{7}. "
)


@dataclass(frozen=True)
class Shape:
    """How large the model is. Sides in pixels; `scale` x `scale` patches become one image token.

    The width is that of both parts; heads have 32 dimensions, the least that vLLM serves on a CPU.
    """

    image_side: int = 112
    patch: int = 14
    scale: int = 2
    width: int = 128
    vision_layers: int = 3
    text_layers: int = 3
    vision_inner: int = 256
    text_inner: int = 384
    vocabulary: int = 768

    @property
    def image_tokens(self) -> int:
        """How many tokens a picture becomes."""
        return (self.image_side // self.patch) ** 2 // self.scale**2


NANO = Shape(vocabulary=1000)
"""The shape of `--model nano`; the default one is for tests."""

_SPECIAL = (
    "<pad>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
)
# Digits, a list's separator, and the marks around an answer or a word that is asked about.
_SINGLE = r"\d|;|\\boxed\{|\}|\""
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %} {{ part['text'] }}{% endif %}{% endfor %}{% endif %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>Assistant:{% endif %}"
)


def write_untrained(
    folder: Path, *, seed: int = 0, shape: Shape = Shape(), texts: Iterable[str] | None = None
) -> Path:
    """Write an untrained checkpoint (float32, about 1.2 M parameters) and return its folder.

    texts: what the tokenizer learns its words from, such as the prompts and completions of a training;
    phrases that return become one token, so that sequences are short. Without texts it knows some English.
    The same arguments give the same files. The folder appears whole or not at all, so that two
    processes may make it at once. Needs torch and transformers (the ``train`` or ``cpu`` extra).
    """
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with _quiet_transformers():
            tokenizer = chat_tokenizer(shape.vocabulary, texts)
            tokenizer.save_pretrained(unfinished)
            _write_processor(unfinished, shape)
            _write_weights(unfinished, tokenizer, shape, seed)
        try:
            unfinished.replace(folder)
        except OSError:
            # Another process was first; its bytes are the same.
            if not (folder / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No progress bar over one shard, no warning about Idefics3's default padding token (not ours)."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def chat_tokenizer(vocabulary: int, texts: Iterable[str] | None = None) -> Any:
    """A byte-level BPE tokenizer with the chat template.

    Without texts, digits and the marks around answers stay single. With texts, whatever returns in them may
    become one token: a whole prompt, a whole boxed answer. A small model learns to look at the picture only
    when little else is to be learned (docs/decisions/0005-nano.md).
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=texts is None)
    single = pre_tokenizers.Split(Regex(_SINGLE), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([single, to_bytes] if texts is None else [to_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [_SOME_ENGLISH] if texts is None else texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(_SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        additional_special_tokens=["<fake_token_around_image>", "<image>", "<global-img>"],
        padding_side="left",
        model_max_length=2048,
    )
    fast.chat_template = _CHAT_TEMPLATE
    return fast


def _write_processor(folder: Path, shape: Shape) -> None:
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    Idefics3ImageProcessorPil(
        do_image_splitting=False,
        size={"longest_edge": shape.image_side},
        max_image_size={"longest_edge": shape.image_side},
    ).save_pretrained(folder)
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "Idefics3Processor", "image_seq_len": shape.image_tokens}, indent=2)
        + "\n"
    )
    (folder / "chat_template.jinja").write_text(_CHAT_TEMPLATE)


def _write_weights(folder: Path, tokenizer: Any, shape: Shape, seed: int) -> None:
    import torch
    from transformers import GenerationConfig, Idefics3Config, Idefics3ForConditionalGeneration

    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in _SPECIAL}
    config = Idefics3Config(
        image_token_id=ids["<image>"],
        pad_token_id=ids["<pad>"],
        tie_word_embeddings=True,
        scale_factor=shape.scale,
        vision_config={
            "hidden_size": shape.width,
            "intermediate_size": shape.vision_inner,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": shape.width // 32,
            "image_size": shape.image_side,
            "patch_size": shape.patch,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": shape.width,
            "intermediate_size": shape.text_inner,
            "num_hidden_layers": shape.text_layers,
            "num_attention_heads": shape.width // 32,
            "num_key_value_heads": shape.width // 32,
            # vLLM's CPU attention has no kernel for head dimensions under 32.
            "head_dim": 32,
            "max_position_embeddings": 2048,
            "pad_token_id": ids["<pad>"],
            "bos_token_id": ids["<|im_start|>"],
            "eos_token_id": ids["<end_of_utterance>"],
            "tie_word_embeddings": True,
        },
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Idefics3ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        bos_token_id=ids["<|im_start|>"], eos_token_id=ids["<end_of_utterance>"], pad_token_id=ids["<pad>"]
    )
    model.save_pretrained(folder)
