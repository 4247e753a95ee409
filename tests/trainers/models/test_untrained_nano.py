"""The built-in model: the same files from the same arguments, and whole phrases as tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("transformers")

from trainers.models.untrained_nano import Shape, chat_tokenizer, write_untrained

pytestmark = pytest.mark.slow

PROMPT = " How many letters are shown? Put the final answer, and nothing else, inside \\boxed{}."


def test_the_same_arguments_give_the_same_bytes(tiny_checkpoint: Path, tmp_path: Path) -> None:
    again = write_untrained(tmp_path / "again")
    other = write_untrained(tmp_path / "other", seed=1)

    weights = "model.safetensors"
    assert (again / weights).read_bytes() == (tiny_checkpoint / weights).read_bytes()
    assert (other / weights).read_bytes() != (tiny_checkpoint / weights).read_bytes()
    assert (again / "tokenizer.json").read_bytes() == (tiny_checkpoint / "tokenizer.json").read_bytes()


def test_without_texts_digits_stay_single() -> None:
    pieces = chat_tokenizer(512).tokenize("\\boxed{1024}")

    assert pieces[-5:] == ["1", "0", "2", "4", "}"]


def test_what_returns_in_the_texts_becomes_a_token() -> None:
    tokenizer = chat_tokenizer(512, [PROMPT, " \\boxed{17}"] * 20)

    assert len(tokenizer.tokenize(" \\boxed{17}")) == len(tokenizer.tokenize(PROMPT)) == 1
    assert len(tokenizer.tokenize(" \\boxed{18}")) > 1
    text = "Übung: \u00bd of λ\n"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_the_shape_decides_side_and_tokens_of_a_picture(tmp_path: Path) -> None:
    shape = Shape(image_side=128, patch=16, vocabulary=512)
    folder = write_untrained(tmp_path / "nano", shape=shape)

    assert shape.image_tokens == 16
    assert json.loads((folder / "processor_config.json").read_text())["image_seq_len"] == 16
    config = json.loads((folder / "config.json").read_text())
    assert config["vision_config"]["image_size"] == 128
    assert config["text_config"]["head_dim"] == 32


def test_a_white_picture_is_no_padding(tiny_checkpoint: Path) -> None:
    """Idefics3 drops a picture whose normalised pixels are all 0."""
    from PIL import Image
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_checkpoint)
    made = processor(text=["<image>"], images=[[Image.new("RGB", (64, 48), "white")]], return_tensors="pt")

    assert made["pixel_values"].abs().min() > 0
