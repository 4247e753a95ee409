"""What tests of training share: small pictures, examples about them, a short recipe for the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from trainers.data.examples import TrainExample
from trainers.recipe import TrainRecipe


def picture(file: Path, number: int, size: tuple[int, int] = (112, 84)) -> Path:
    """A picture of `number` bars, in a colour of its own; no two numbers give the same one."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for bar in range(number % 9 + 1):
        draw.rectangle((4 + 12 * bar, 10 + bar, 10 + 12 * bar, 80), fill=(number * 5 % 256, 90, 40))
    image.save(file)
    return file


def examples_in(folder: Path, count: int, first: int = 0) -> list[TrainExample]:
    """Examples about as many pictures; lengths of prompts and completions differ."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        TrainExample(
            id=f"bars-{number}",
            images=(picture(folder / f"{number}.png", number),),
            prompt="How many bars?" + " Count them all." * (number % 3),
            completion=f"\\boxed{{{number % 9 + 1}}}" + " bars" * (number % 2),
        )
        for number in range(first, first + count)
    ]


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[TrainExample]:
    return examples_in(tmp_path_factory.mktemp("pictures"), 24)


@pytest.fixture(scope="session")
def held_back(tmp_path_factory: pytest.TempPathFactory) -> list[TrainExample]:
    return examples_in(tmp_path_factory.mktemp("held-back"), 6, first=30)


@pytest.fixture(scope="session")
def recipe() -> Callable[..., TrainRecipe]:
    """Makes a recipe of a few steps in float32, so that sums can be compared, with these sections changed."""
    return _recipe


def _recipe(**changes: Any) -> TrainRecipe:
    declared: dict[str, Any] = {
        "name": "tiny",
        "summary": "Count bars.",
        "base": {"checkpoint": "nano-untrained"},
        "data": {"jsonl": Path("bars.jsonl")},
        "target": {"form": "answer_only"},
        "optimizer": {"learning_rate": 1e-3},
        "batch": {"size": 8},
        "precision": "float32",
        "steps": 4,
        "save": {"every": 2},
        "log_every": 1,
        **changes,
    }
    return TrainRecipe.model_validate(declared)
