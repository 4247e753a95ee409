"""The built-in small model: Idefics3 (the SmolVLM layout) at about a million parameters, made by code.

Nothing is downloaded: the tokenizer is trained on the sentence below, the weights are drawn from a seed.
The folder is an ordinary Hugging Face checkpoint, so vLLM serves it and transformers loads it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Enough English for byte-level BPE to learn the common merges; every other text falls back to bytes.
_TOKENIZER_TEXT = (
    "Look at the chart and answer the question. How many letters are shown? What is the mean, the median, "
    "the value, the total, the share or the percentage? Which word, letter, series, group, month or year has "
    "the highest, the lowest, the largest, the smallest or the most frequent bar, slice, line or point? "
    "Is the word in the cloud, True or False? Put the final answer inside a box, as in \\boxed{7}. "
)
_VOCABULARY = 768
_IMAGE_SIDE = 112
_PATCH = 14
_SCALE = 2
_IMAGE_TOKENS = (_IMAGE_SIDE // _PATCH) ** 2 // _SCALE**2
_SPECIAL = (
    "<pad>",
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
)
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %} {{ part['text'] }}{% endif %}{% endfor %}{% endif %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>Assistant:{% endif %}"
)


def write_untrained(folder: Path, *, seed: int = 0) -> Path:
    """Write an untrained checkpoint (float32, about 1.2 M parameters) and return its folder.

    The same seed gives the same weights. The folder appears whole or not at all, so that two
    processes may make it at once. Needs torch and transformers (the ``train`` or ``cpu`` extra).
    """
    if (folder / "config.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with _quiet_transformers():
            _write_tokenizer_and_processor(unfinished)
            _write_weights(unfinished, seed)
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


def _write_tokenizer_and_processor(folder: Path) -> None:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        # One token per digit, so that numbers are spelled and never memorised whole.
        [pre_tokenizers.Split(Regex(r"\d"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        [_TOKENIZER_TEXT],
        trainers.BpeTrainer(
            vocab_size=_VOCABULARY,
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
    fast.save_pretrained(folder)
    Idefics3ImageProcessorPil(
        do_image_splitting=False,
        size={"longest_edge": _IMAGE_SIDE},
        max_image_size={"longest_edge": _IMAGE_SIDE},
    ).save_pretrained(folder)
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "Idefics3Processor", "image_seq_len": _IMAGE_TOKENS}, indent=2) + "\n"
    )
    (folder / "chat_template.jinja").write_text(_CHAT_TEMPLATE)


def _write_weights(folder: Path, seed: int) -> None:
    import torch
    from transformers import AutoTokenizer, GenerationConfig, Idefics3Config, Idefics3ForConditionalGeneration

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in _SPECIAL}
    config = Idefics3Config(
        image_token_id=ids["<image>"],
        pad_token_id=ids["<pad>"],
        tie_word_embeddings=True,
        scale_factor=_SCALE,
        vision_config={
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "image_size": _IMAGE_SIDE,
            "patch_size": _PATCH,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": len(tokenizer),
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
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
