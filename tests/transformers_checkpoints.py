"""Random models of architectures that only transformers serves, a few ten thousand weights each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE, PATCH = 56, 14
_WORDS = "look at the map picture and answer question which town is farthest north a b c d e arlen bruck holm"
_MLLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<|image|>{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


def mllama(folder: Path) -> None:
    """Llama 3.2 Vision, the architecture of LLaVA-CoT: pictures enter by cross-attention."""
    from transformers import MllamaConfig, MllamaForConditionalGeneration

    ids = _byte_tokenizer(
        folder,
        (
            "<|pad|>",
            "<|begin_of_text|>",
            "<|eot_id|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|image|>",
        ),
        bos="<|begin_of_text|>",
        eos="<|eot_id|>",
        pad="<|pad|>",
        template=_MLLAMA_TEMPLATE,
    )
    _json(
        folder / "preprocessor_config.json",
        image_processor_type="MllamaImageProcessor",
        processor_class="MllamaProcessor",
        size={"height": SIDE, "width": SIDE},
        max_image_tiles=4,
    )
    _json(folder / "processor_config.json", processor_class="MllamaProcessor")
    text = {
        "vocab_size": len(ids) - 1,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "cross_attention_layers": [1, 3],
        "max_position_embeddings": 2048,
        "bos_token_id": ids["<|begin_of_text|>"],
        "eos_token_id": ids["<|eot_id|>"],
        "pad_token_id": ids["<|pad|>"],
    }
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_global_layers": 1,
        "attention_heads": 2,
        "image_size": SIDE,
        "patch_size": PATCH,
        "max_num_tiles": 4,
        "intermediate_layers_indices": [0, 1],
        "vision_output_dim": 96,
    }
    config = MllamaConfig(text_config=text, vision_config=vision, image_token_index=ids["<|image|>"])
    _save(MllamaForConditionalGeneration, config, folder, gates=True)


def kosmos2(folder: Path) -> None:
    """KOSMOS-2: CLIP, a resampler to a fixed number of image tokens, a decoder, no chat template."""
    from transformers import (
        AutoProcessor,
        CLIPImageProcessorPil,
        Kosmos2Config,
        Kosmos2ForConditionalGeneration,
        Kosmos2Processor,
        XLMRobertaTokenizer,
    )

    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("<mask>", 0.0)]
    pieces += [(f"▁{word}", -2.0) for word in dict.fromkeys(_WORDS.split()) if len(word) > 1]
    pieces += [(character, -6.0) for character in "▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    pieces += [(character, -6.0) for character in "0123456789.,?:()"]
    tokenizer = XLMRobertaTokenizer(vocab=pieces, padding_side="left", model_max_length=512)
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, do_center_crop=True
    )
    Kosmos2Processor(images, tokenizer, 4).save_pretrained(folder)
    config = Kosmos2Config(
        text_config={
            "vocab_size": len(AutoProcessor.from_pretrained(folder).tokenizer),
            "embed_dim": 32,
            "layers": 2,
            "ffn_dim": 64,
            "attention_heads": 2,
            "max_position_embeddings": 512,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": PATCH,
        },
        latent_query_num=64,
    )
    _save(Kosmos2ForConditionalGeneration, config, folder)


def vilt(folder: Path) -> None:
    """ViLT with its masked-language-model head: words and picture patches in one encoder of 40 tokens."""
    from transformers import BertTokenizer, ViltConfig, ViltForMaskedLM

    folder.mkdir(parents=True, exist_ok=True)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(_WORDS.split())]
    pieces += [*"abcdefghijklmnopqrstuvwxyz0123456789.,?:()"] + [
        f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"
    ]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(dict.fromkeys(pieces)) + "\n")
    tokenizer = BertTokenizer(vocab=str(vocabulary), model_max_length=40)
    tokenizer.save_pretrained(folder)
    _json(
        folder / "preprocessor_config.json",
        image_processor_type="ViltImageProcessor",
        processor_class="ViltProcessor",
        size={"shortest_edge": SIDE},
        size_divisor=PATCH,
    )
    config = ViltConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
        image_size=SIDE,
        patch_size=PATCH,
    )
    _save(ViltForMaskedLM, config, folder)


WRITERS: dict[str, Callable[[Path], None]] = {"mllama": mllama, "kosmos2": kosmos2, "vilt": vilt}


def _byte_tokenizer(
    folder: Path, special: tuple[str, ...], *, bos: str, eos: str, pad: str, template: str
) -> dict[str, int]:
    """A byte-level tokenizer whose last special token has the highest id; returns every token's id."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([_WORDS], trainer)
    tokenizer.add_special_tokens(list(special))
    folder.mkdir(parents=True, exist_ok=True)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        additional_special_tokens=[special[-1]],
        model_max_length=2048,
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(template)
    vocabulary: dict[str, int] = fast.get_vocab()
    return vocabulary


def _save(kind: Any, config: Any, folder: Path, *, gates: bool = False) -> None:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config)
        for name, weights in model.named_parameters():
            if weights.dim() > 1 and "embed" not in name:
                weights.data.mul_(8)
            # Mllama's cross-attention starts closed: an untrained model would not see its picture.
            if gates and "gate" in name and weights.dim() == 1:
                weights.data.fill_(1.0)
    model.save_pretrained(folder)


def _json(file: Path, **content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n")
