"""A frozen vision encoder runs once a picture, and the model computes what it would have computed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from trainers.data.collator import Collator  # noqa: E402
from trainers.data.encoding import encode  # noqa: E402
from trainers.data.examples import TrainData, TrainExample  # noqa: E402
from trainers.data.picture_features import PictureFeatures, can_be_kept  # noqa: E402
from trainers.loop.loop import trained_logits  # noqa: E402
from trainers.machine.watch import Silent  # noqa: E402
from trainers.models.base import Base  # noqa: E402 - after the check that it is there
from trainers.training import train  # noqa: E402

pytestmark = pytest.mark.slow

FROZEN = {"frozen": ["vision", "connector"]}


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


class Counted:
    """What a function was asked, how often."""

    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, **arguments: Any) -> Any:
        self.calls += 1
        return self.function(**arguments)


def counted(features: PictureFeatures) -> Counted:
    counter = features._encode = Counted(features._encode)
    return counter


@pytest.mark.parametrize("architecture", ["idefics3", "smolvlm2", "qwen2_5_vl", "llava_next"])
@pytest.mark.parametrize("limit", [None, 0])
def test_features_stand_for_pixels_in_each_architecture(
    architecture: str,
    limit: int | None,
    random_checkpoint: RandomCheckpoint,
    recipe: Any,
    examples: list[TrainExample],
) -> None:
    base = random_checkpoint(architecture)
    plain = recipe(**FROZEN)
    # The picture of the first example twice; one example without any.
    asked = [*examples[:3], replace(examples[0], id="again", prompt="Which?")]
    data = encode(plain, asked, Base(plain, base), Silent())
    model = Base(plain, base).model().eval()
    whole = Collator(data, pad_id=0)
    expected, labels = trained_logits(model, whole([0, 1, 2, 3]))

    assert can_be_kept(model, "NO")
    features = PictureFeatures(model, contextlib.nullcontext, limit)
    encoder = counted(features)
    short = Collator(data, pad_id=0)
    short.pixels = False
    for order in ([0, 1], [2, 3, 1], [0, 1, 2, 3]):
        batch = features.added(short(order), data)
        assert not any(name.startswith("pixel") for name in batch)
        found, targets = trained_logits(model, batch)
    assert targets.tolist() == labels.tolist()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    assert encoder.calls == (3 if limit is None else 9)


def test_training_goes_the_same_way(
    tiny_checkpoint: Path,
    recipe: Any,
    examples: list[TrainExample],
    held_back: list[TrainExample],
    tmp_path: Path,
) -> None:
    losses = []
    said: list[str] = []

    class Told(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    for cache in (True, False):
        plain = recipe(
            **FROZEN,
            gradient_checkpointing=True,
            image={"cache": cache},
            validation={"size": 6, "every": 2},
            batch={"size": 8, "per_device": 4},
        )
        data = TrainData(examples[:8], validation=held_back)
        made = train(plain, data, base=tiny_checkpoint, out=tmp_path / f"{cache}", watch=Told())
        losses.append([point.get("loss", point.get("validation_loss")) for point in made.points])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert said.count("the vision encoder is frozen: each picture is encoded once") == 1


def test_what_is_trained_dropped_or_spread_is_not_kept(tiny_checkpoint: Path, recipe: Any) -> None:
    frozen = Base(recipe(**FROZEN), tiny_checkpoint).model()
    assert can_be_kept(frozen, "NO")
    assert can_be_kept(frozen, "MULTI_CPU")
    assert not can_be_kept(frozen, "FSDP")
    assert not can_be_kept(Base(recipe(), tiny_checkpoint).model(), "NO")
    assert not can_be_kept(Base(recipe(frozen=["vision"]), tiny_checkpoint).model(), "NO")
    frozen.config.vision_config.attention_dropout = 0.1
    assert not can_be_kept(frozen, "NO")


def test_adapters_of_the_text_model_leave_pictures_as_they_are(tiny_checkpoint: Path, recipe: Any) -> None:
    pytest.importorskip("peft")
    adapter = {"kind": "lora", "r": 2}
    model = Base(recipe(adapter=adapter), tiny_checkpoint).model()
    assert can_be_kept(model, "NO")
