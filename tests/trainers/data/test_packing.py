"""Examples about one picture in one row: the same loss and the same gradients as apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers")

from trainers.data.collator import IGNORED, Collator
from trainers.data.encoding import EncodedData, encode
from trainers.data.examples import TrainData, TrainExample
from trainers.data.packing import Packed, PackedCollator, packed
from trainers.machine.watch import Silent
from trainers.models.base import Base
from trainers.training import train

pytestmark = pytest.mark.slow

QUESTIONS = ("How many bars?", "How many bars are there? Count them all.", "Which bar is the tallest one?")


@pytest.fixture(scope="module")
def data(tiny_checkpoint: Path, recipe: Any, examples: list[TrainExample]) -> EncodedData:
    asked = [
        replace(example, id=f"{example.id}/{number}", prompt=question, completion=f"\\boxed{{{number}}}")
        for example in examples[:3]
        for number, question in enumerate(QUESTIONS[: 1 + len(example.prompt) % 3])
    ]
    plain = recipe()
    return encode(plain, asked, Base(plain, tiny_checkpoint), Silent())


def test_loss_and_gradients_are_those_of_separate_examples(
    data: EncodedData, tiny_checkpoint: Path, recipe: Any
) -> None:
    import torch

    from trainers.loop.loop import trained_logits

    model = Base(recipe(), tiny_checkpoint).model()
    together = packed(data, model.config.image_token_id)

    def gradients(collator: Collator, rows: int) -> tuple[float, dict[str, Any]]:
        model.zero_grad()
        logits, targets = trained_logits(model, collator(range(rows)))
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        loss.backward()
        return loss.item(), {name: one.grad.clone() for name, one in model.named_parameters()}

    apart, wanted = gradients(Collator(data, pad_id=0), len(data.rows))
    loss, found = gradients(PackedCollator(together, pad_id=0), len(together.rows))

    assert len(together.rows) == 3 < len(data.rows)
    assert loss == pytest.approx(apart, rel=1e-5)
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-4, msg=name)


def test_every_trained_token_stays_and_shared_ones_stand_once(data: EncodedData) -> None:
    rows = [row for row in packed(data, None).rows if isinstance(row, Packed)]

    for row in rows:
        assert (
            row.labels[row.labels != IGNORED].tolist()
            == np.concatenate([r.trained for r in row.rows]).tolist()
        )
        assert len(row.ids) == sum(len(r.ids) for r in row.rows) - (len(row.rows) - 1) * row.shared
        assert row.shared < min(r.prompt_length for r in row.rows)
        for number, one in enumerate(row.rows, start=1):
            own = row.members == number
            assert row.ids[own].tolist() == one.ids[row.shared :].tolist()
            assert row.positions[own].tolist() == list(range(row.shared, len(one.ids)))


def test_more_than_tokens_is_refused(data: EncodedData) -> None:
    grid = replace(data.rows[0], aligned={"mm_token_type_ids": data.rows[0].ids})

    with pytest.raises(ValueError, match="mm_token_type_ids"):
        packed(replace(data, rows=[grid]), None)


def test_a_packed_training_counts_examples_and_ends_with_the_blind_control(
    tiny_checkpoint: Path,
    recipe: Any,
    examples: list[TrainExample],
    held_back: list[TrainExample],
    tmp_path: Path,
) -> None:
    twice = [
        replace(one, id=f"{one.id}/{again}", prompt=one.prompt + again) for one in examples for again in "ab"
    ]
    packing = recipe(batch={"size": 4, "packed": True}, validation={"every": 1, "blind": True}, steps=2)

    made = train(packing, TrainData(twice, held_back), base=tiny_checkpoint, out=tmp_path / "run")

    assert made.lineage["examples"] == len(twice)
    points = [point for point in made.points if "validation_exact" in point]
    assert [("validation_blind" in point) for point in points] == [False, True]
    assert 0 <= points[-1]["validation_blind"] <= 1
