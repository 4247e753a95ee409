"""Examples as tokens: what the model is asked, what it learns, and what is left out instead of cut."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers")

from trainers.data.collator import IGNORED, Collator
from trainers.data.encoding import EncodedData, ExampleEncoder, chat_messages, encode, read_image
from trainers.data.examples import TrainExample
from trainers.data.pixels import MappedStore
from trainers.machine.watch import Silent
from trainers.models.base import Base

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def processor(tiny_checkpoint: Path, recipe: Any) -> Any:
    return Base(recipe(), tiny_checkpoint).processor


def encoded(processor: Any, examples: list[TrainExample], folder: Path, **options: Any) -> EncodedData:
    options = {"end_ids": [processor.tokenizer.eos_token_id], "max_tokens": 2048, **options}
    return ExampleEncoder(processor, **options).encode(examples, MappedStore(folder, "d"))


def test_prompts_are_the_processors_own_and_the_rest_is_trained(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    made = encoded(processor, examples, tmp_path)

    assert not made.dropped and [row.id for row in made.rows] == [one.id for one in examples]
    for row, example in zip(made.rows, examples, strict=True):
        text = processor.apply_chat_template(chat_messages(example)[:-1], add_generation_prompt=True)
        whole = processor(text=[text], images=[[read_image(example.images[0])]], return_tensors="np")
        assert row.ids[: row.prompt_length].tolist() == whole["input_ids"][0].tolist()
        assert processor.tokenizer.decode(row.trained) == f" {example.completion}<end_of_utterance>"
        pixels = made.pixels.arrays(row.picture)
        np.testing.assert_array_equal(pixels["pixel_values"], whole["pixel_values"])


@pytest.mark.parametrize(
    ("architecture", "trained"),
    [
        ("idefics3", " {}<end_of_utterance>"),
        ("smolvlm2", " {}<end_of_utterance>"),
        ("qwen2_5_vl", "{}<|im_end|>"),
        ("llava_next", " {}</s>"),
    ],
)
def test_what_is_trained_is_the_completion_and_its_end_in_every_template(
    random_checkpoint: Any,
    recipe: Any,
    examples: list[TrainExample],
    tmp_path: Path,
    architecture: str,
    trained: str,
) -> None:
    example = replace(examples[0], completion="Three: \\boxed{3}.")
    loaded = Base(recipe(), random_checkpoint(architecture)).processor

    [row] = encoded(loaded, [example], tmp_path).rows

    assert loaded.tokenizer.decode(row.trained) == trained.format(example.completion)
    prompt = loaded.tokenizer.decode(row.ids[: row.prompt_length])
    assert "How many bars?" in prompt and "boxed" not in prompt


def test_prompts_that_cannot_be_spliced_are_processed_whole(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    """A processor that changes the text around the picture: the shortcut is seen to be wrong."""

    class Merging:
        image_token = processor.image_token
        apply_chat_template = processor.apply_chat_template

        def __init__(self) -> None:
            self.tokenizer = processor.tokenizer

        def __call__(self, text: list[str], **options: Any) -> Any:
            return processor(text=[text[0].replace("User:", "Us:")], **options)

    made = encoded(Merging(), examples[:3], tmp_path)

    assert "Us:" in processor.tokenizer.decode(made.rows[0].ids)
    assert made.rows[0].prompt_length == len(made.rows[0].ids) - len(made.rows[0].trained)


def test_two_pictures_and_a_system_message(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    both = replace(examples[0], images=(*examples[0].images, *examples[1].images), system="Be brief.")

    made = encoded(processor, [both, examples[2]], tmp_path)
    batch = Collator(made, pad_id=0)([0, 1])

    row = made.rows[0]
    assert row.images == 2 and (row.ids == processor.image_token_id).sum() == 32
    assert processor.tokenizer.decode(row.ids).startswith("<|im_start|>System: Be brief.<end_of_utterance>")
    assert tuple(batch["pixel_values"].shape) == (2, 2, 3, 112, 112)
    # A missing second picture is all zeros, which the model takes for padding.
    assert (
        float(batch["pixel_values"][1, 1].abs().sum()) == 0 != float(batch["pixel_values"][1, 0].abs().sum())
    )


def test_what_cannot_be_trained_on_is_left_out_with_its_reason(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    wrong = [
        replace(examples[0], id="long", prompt="word " * 400),
        replace(examples[0], id="broken", images=(broken,)),
        replace(examples[0], id="token", prompt="What is <image> here?"),
        replace(examples[0], id="end", completion=""),
        examples[1],
    ]

    made = encoded(processor, wrong, tmp_path, max_tokens=200)

    assert [row.id for row in made.rows] == [examples[1].id]
    assert "tokens, and 200 are allowed" in made.dropped["long"]
    assert "broken.png cannot be read" in made.dropped["broken"]
    assert "2 places for 1 images" in made.dropped["token"]
    assert made.dropped["end"] == "the completion is empty"


def test_the_exact_limit_is_kept_whole(processor: Any, examples: list[TrainExample], tmp_path: Path) -> None:
    [row] = encoded(processor, examples[:1], tmp_path).rows

    assert len(encoded(processor, examples[:1], tmp_path, max_tokens=len(row.ids)).rows) == 1
    assert len(encoded(processor, examples[:1], tmp_path, max_tokens=len(row.ids) - 1).rows) == 0


def test_a_template_without_an_end_would_never_stop(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    made = encoded(processor, examples[:2], tmp_path, end_ids=[5])

    assert not made.rows and "never learn to stop" in made.dropped[examples[0].id]


def test_nothing_to_train_on_is_an_error(
    tiny_checkpoint: Path, examples: list[TrainExample], recipe: Any
) -> None:
    few = recipe(max_tokens=16)
    with pytest.raises(ValueError, match="no example can be trained on: 24 too long"):
        encode(few, examples, Base(few, tiny_checkpoint), Silent())
    with pytest.raises(ValueError, match="max_tokens: 4096 are more than the base's context of 2048"):
        much = recipe(max_tokens=4096)
        encode(much, examples, Base(much, tiny_checkpoint), Silent())


def test_the_image_size_is_the_recipes_and_is_written_for_the_server(
    tiny_checkpoint: Path, examples: list[TrainExample], recipe: Any, tmp_path: Path
) -> None:
    small = Base(recipe(image={"longest_edge": 56}), tiny_checkpoint)
    small.copy_processor_files(tmp_path)

    written = json.loads((tmp_path / "preprocessor_config.json").read_text())
    assert written["size"] == {"longest_edge": 56} == dict(small.processor.image_processor.size)
    assert not (tmp_path / "model.safetensors").exists() and not (tmp_path / "config.json").exists()
    Base(recipe(), tiny_checkpoint).copy_processor_files(tmp_path)
    for name in ("preprocessor_config.json", "tokenizer.json", "chat_template.jinja"):
        assert (tmp_path / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_a_picture_of_one_size_takes_no_other(tiny_checkpoint: Path, recipe: Any, tmp_path: Path) -> None:
    base = shutil.copytree(tiny_checkpoint, tmp_path / "base")
    file = base / "preprocessor_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "size": {"height": 112, "width": 112}}))

    with pytest.raises(ValueError, match=r"image\.longest_edge: the base's pictures have one size"):
        Base(recipe(image={"longest_edge": 56}), base)


def test_batches_are_padded_and_labels_cover_completions_only(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    made = encoded(processor, examples, tmp_path)

    batch = Collator(made, pad_id=0)([0, 1, 2])

    assert batch["input_ids"].shape == batch["labels"].shape == batch["attention_mask"].shape
    for at, (ids, labels, mask) in enumerate(
        zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True)
    ):
        row = made.rows[at]
        assert ids[mask == 1].tolist() == row.ids.tolist()
        assert labels[labels != IGNORED].tolist() == row.trained.tolist()
        assert (ids[mask == 0] == 0).all() and (labels[mask == 0] == IGNORED).all()


def test_a_row_without_a_trained_token_is_refused(
    processor: Any, examples: list[TrainExample], tmp_path: Path
) -> None:
    made = encoded(processor, examples[:1], tmp_path)
    stub = replace(made.rows[0], prompt_length=len(made.rows[0].ids))

    with pytest.raises(ValueError, match=f"no trained token in {stub.id}"):
        Collator(replace(made, rows=[stub]), pad_id=0)([0])
