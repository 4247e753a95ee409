"""Random models of real architectures, a few hundred thousand weights each: nothing is downloaded.

Each is an ordinary Hugging Face folder with the files, the prompt format and the names of weights that the
architecture's checkpoints on the hub have. Loaded by the fixture `random_checkpoint` (tests/conftest.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TILE, PATCH = 56, 14
# vLLM's CPU attention has no kernel for head dimensions under 32.
HEAD = 32
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
VISION = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}

_SMOLVLM_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}<image>{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
_QWEN_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_LLAVA_TEMPLATE = (
    "<s>{% for message in messages %}{% if message['role'] == 'user' %}[INST] "
    "{% for part in message['content'] | selectattr('type', 'equalto', 'image') %}<image>\n{% endfor %}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %}{{ part['text'] }}"
    "{% endfor %} [/INST]{% else %}"
    "{% for part in message['content'] | selectattr('type', 'equalto', 'text') %} {{ part['text'] }}"
    "{% endfor %}</s>{% endif %}{% endfor %}"
)


def idefics3(folder: Path) -> None:
    """SmolVLM (version 1): the layout of SmolVLM-Instruct, with the picture cut into tiles."""
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    ids = _write_smolvlm_files(folder, "Idefics3")
    _save(Idefics3ForConditionalGeneration, Idefics3Config(**_smolvlm_config(ids)), folder, ids)


def smolvlm2(folder: Path) -> None:
    """SmolVLM2: as version 1, and a processor that also declares videos."""
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    ids = _write_smolvlm_files(folder, "SmolVLM")
    _save(SmolVLMForConditionalGeneration, SmolVLMConfig(**_smolvlm_config(ids)), folder, ids)


def qwen2_5_vl(folder: Path) -> None:
    """Qwen2.5-VL: pictures of any size, window attention, rotary positions over time, height and width."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    ids = _write_tokenizer(
        folder,
        pad="<|endoftext|>",
        end="<|im_end|>",
        others=("<|im_start|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"),
        template=_QWEN_TEMPLATE,
    )
    _write_json(
        folder / "preprocessor_config.json",
        image_processor_type="Qwen2VLImageProcessor",
        processor_class="Qwen2_5_VLProcessor",
        size={"shortest_edge": 28 * 28 * 4, "longest_edge": 28 * 28 * 16},
        patch_size=PATCH,
        temporal_patch_size=2,
        merge_size=2,
        image_mean=[0.48145466, 0.4578275, 0.40821073],
        image_std=[0.26862954, 0.26130258, 0.27577711],
    )
    _write_json(folder / "video_preprocessor_config.json", video_processor_type="Qwen2VLVideoProcessor")
    config = Qwen2_5_VLConfig(
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_heads": 2,
            "out_hidden_size": TEXT["hidden_size"],
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        text_config={
            **TEXT,
            "vocab_size": len(ids),
            "tie_word_embeddings": True,
            # Pairs of a head's dimension for time, height and width.
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]},
            **_end_ids(ids, "<|im_end|>", "<|endoftext|>"),
        },
    )
    _save(Qwen2_5_VLForConditionalGeneration, config, folder, ids, end="<|im_end|>", pad="<|endoftext|>")


def llava_next(folder: Path) -> None:
    """LLaVA-NeXT over Mistral: CLIP, and the picture in tiles of several aspect ratios."""
    from transformers import LlavaNextConfig, LlavaNextForConditionalGeneration

    ids = _write_tokenizer(
        folder, pad="<pad>", end="</s>", others=("<s>", "<image>"), template=_LLAVA_TEMPLATE, start="<s>"
    )
    grid = [[TILE, 2 * TILE], [2 * TILE, TILE], [2 * TILE, 2 * TILE]]
    _write_json(
        folder / "preprocessor_config.json",
        image_processor_type="LlavaNextImageProcessor",
        processor_class="LlavaNextProcessor",
        size={"shortest_edge": TILE},
        crop_size={"height": TILE, "width": TILE},
        image_grid_pinpoints=grid,
    )
    _write_json(
        folder / "processor_config.json",
        processor_class="LlavaNextProcessor",
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    config = LlavaNextConfig(
        image_token_index=ids["<image>"],
        image_grid_pinpoints=grid,
        image_seq_length=(TILE // PATCH) ** 2,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        vision_config={
            "model_type": "clip_vision_model",
            **VISION,
            "image_size": TILE,
            "patch_size": PATCH,
            "projection_dim": 64,
        },
        text_config={
            "model_type": "mistral",
            **TEXT,
            "head_dim": HEAD,
            "vocab_size": len(ids),
            "sliding_window": None,
            **_end_ids(ids, "</s>", "<pad>"),
        },
    )
    _save(LlavaNextForConditionalGeneration, config, folder, ids, end="</s>", pad="<pad>")
    _name_vision_weights_as_on_the_hub(folder / "model.safetensors")


WRITERS: dict[str, Callable[[Path], None]] = {
    "idefics3": idefics3,
    "smolvlm2": smolvlm2,
    "qwen2_5_vl": qwen2_5_vl,
    "llava_next": llava_next,
}


def _write_smolvlm_files(folder: Path, family: str) -> dict[str, int]:
    tiles = tuple(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2))
    ids = _write_tokenizer(
        folder,
        pad="<pad>",
        end="<end_of_utterance>",
        others=("<|im_start|>", "<fake_token_around_image>", "<image>", "<global-img>", *tiles),
        template=_SMOLVLM_TEMPLATE,
    )
    _write_json(
        folder / "preprocessor_config.json",
        image_processor_type=f"{family}ImageProcessor",
        processor_class=f"{family}Processor",
        do_image_splitting=True,
        size={"longest_edge": 2 * TILE},
        max_image_size={"longest_edge": TILE},
    )
    _write_json(
        folder / "processor_config.json",
        processor_class=f"{family}Processor",
        image_seq_len=(TILE // PATCH) ** 2 // 4,
    )
    return ids


def _smolvlm_config(ids: dict[str, int]) -> dict[str, Any]:
    return {
        "image_token_id": ids["<image>"],
        "pad_token_id": ids["<pad>"],
        "tie_word_embeddings": True,
        "scale_factor": 2,
        "vision_config": {**VISION, "image_size": TILE, "patch_size": PATCH},
        "text_config": {
            "model_type": "llama",
            **TEXT,
            "head_dim": HEAD,
            "vocab_size": len(ids),
            "tie_word_embeddings": True,
            **_end_ids(ids, "<end_of_utterance>", "<pad>"),
        },
    }


def _end_ids(ids: dict[str, int], end: str, pad: str) -> dict[str, int]:
    return {"bos_token_id": ids[pad], "eos_token_id": ids[end], "pad_token_id": ids[pad]}


def _write_tokenizer(
    folder: Path, *, pad: str, end: str, others: tuple[str, ...], template: str, start: str | None = None
) -> dict[str, int]:
    """A byte-level tokenizer; returns the id of every token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        ["Look at the chart and answer the question. Put the final answer inside a box: \\boxed{7}."],
        trainers.BpeTrainer(
            vocab_size=384,
            special_tokens=[pad, end, *others],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        eos_token=end,
        bos_token=start,
        additional_special_tokens=list(others),
        padding_side="left",
        model_max_length=2048,
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(template)
    vocabulary: dict[str, int] = fast.get_vocab()
    return vocabulary


def _save(
    kind: Any,
    config: Any,
    folder: Path,
    ids: dict[str, int],
    *,
    end: str = "<end_of_utterance>",
    pad: str = "<pad>",
) -> None:
    import torch
    from transformers import GenerationConfig

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config)
        # The usual 0.02 leaves logits so near each other that two engines may well pick different tokens.
        for name, weights in model.named_parameters():
            if weights.dim() > 1 and "embed_tokens" not in name:
                weights.data.mul_(10)
    model.generation_config = GenerationConfig(eos_token_id=ids[end], pad_token_id=ids[pad])
    model.save_pretrained(folder)


def _name_vision_weights_as_on_the_hub(file: Path) -> None:
    """A LLaVA made from its configuration saves shorter names than every checkpoint there is."""
    from safetensors.torch import load_file, save_file

    weights = {
        name.replace("vision_tower.", "vision_tower.vision_model.", 1)
        if "vision_tower.vision_model" not in name
        else name: tensor
        for name, tensor in load_file(file).items()
    }
    save_file(weights, file, metadata={"format": "pt"})


def _write_json(file: Path, **content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n")
