"""Training itself, on the tiny model: the right loss, the same curve every time, folders that are whole."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file

from trainers.data.collator import IGNORED, Collator
from trainers.data.encoding import encode
from trainers.data.examples import TrainData, TrainExample
from trainers.data.shared_examples import OverlapError
from trainers.lineage import read_lineage
from trainers.loop import curve_file
from trainers.loop.loop import trained_logits
from trainers.machine.watch import Silent
from trainers.models.base import Base
from trainers.training import TrainingStopped, TrainResult, train

pytestmark = pytest.mark.slow


def losses(result: TrainResult) -> list[float]:
    return [point["loss"] for point in result.points if "loss" in point]


def weights(result: TrainResult) -> dict[str, Any]:
    found: dict[str, Any] = load_file(result.folder / "model.safetensors")
    return found


@pytest.fixture(scope="module")
def data(examples: list[TrainExample], held_back: list[TrainExample]) -> TrainData:
    return TrainData(examples, held_back)


@pytest.fixture(scope="module")
def trained(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path_factory: pytest.TempPathFactory
) -> TrainResult:
    """What most tests compare with: 4 steps of 8 examples."""
    out = tmp_path_factory.mktemp("trained") / "run"
    return train(recipe(), data, base=tiny_checkpoint, out=out, base_digest="b" * 64)


def test_the_loss_is_the_models_own(tiny_checkpoint: Path, data: TrainData, recipe: Any) -> None:
    """The head is applied to trained columns only; the model's own loss takes them all."""
    base = Base(recipe(), tiny_checkpoint)
    rows = encode(recipe(), data.train, base, Silent())
    model = base.model().eval()
    batch = Collator(rows, pad_id=0)(range(8))

    logits, targets = trained_logits(model, batch)

    assert len(targets) == int((batch["labels"] != IGNORED).sum()) < batch["labels"].numel() / 4
    ours = torch.nn.functional.cross_entropy(logits, targets)
    theirs = model(**batch).loss
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)


def test_the_folder_is_served_and_tells_where_it_comes_from(
    trained: TrainResult, tiny_checkpoint: Path, recipe: Any
) -> None:
    from transformers import AutoModelForImageTextToText

    names = {path.name for path in trained.folder.iterdir()}
    assert names == {path.name for path in tiny_checkpoint.iterdir()} | {
        "lineage.json",
        "curve.jsonl",
        "curve.png",
    }
    loaded = AutoModelForImageTextToText.from_pretrained(trained.folder)
    assert loaded.num_parameters() == sum(size for size, _ in trained.lineage["parameters"].values())
    for name in ("tokenizer.json", "chat_template.jinja", "preprocessor_config.json"):
        assert (trained.folder / name).read_bytes() == (tiny_checkpoint / name).read_bytes()
    lineage = read_lineage(trained.folder)
    assert lineage == trained.lineage and lineage is not None
    assert lineage["recipe_digest"] == recipe().digest and lineage["base_digest"] == "b" * 64
    assert lineage["recipe"]["optimizer"]["learning_rate"] == 1e-3
    assert (lineage["steps"], lineage["seed"], lineage["examples"], lineage["dropped"]) == (4, 0, 24, 0)
    assert lineage["precision"] == "float32" and lineage["processes"] == 1 and lineage["parent"] is None
    assert lineage["commit"] is None or len(lineage["commit"]) >= 40
    assert lineage["tokens"] > 4 * 8 * 20 and lineage["seconds"] > 0
    assert [point["step"] for point in lineage["loss_history"] if "loss" in point] == [1, 2, 3, 4]
    assert (trained.folder / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_validation_is_the_mean_over_tokens(
    trained: TrainResult, tiny_checkpoint: Path, data: TrainData, recipe: Any
) -> None:
    from transformers import AutoModelForImageTextToText

    rows = encode(recipe(), data.validation, Base(recipe(), tiny_checkpoint), Silent())
    model = AutoModelForImageTextToText.from_pretrained(trained.folder).eval()
    with torch.no_grad():
        expected = float(model(**Collator(rows, pad_id=0)(range(len(rows.rows)))).loss)

    [point] = [point for point in trained.points if "validation_loss" in point]
    assert point["step"] == 4
    assert point["validation_loss"] == pytest.approx(expected, abs=1e-5)
    assert point["validation_exact"] == 0.0


def test_the_same_seed_gives_the_same_losses_and_weights(
    trained: TrainResult, tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    again = train(recipe(), data, base=tiny_checkpoint, out=tmp_path / "again")
    other = train(recipe(seed=1), data, base=tiny_checkpoint, out=tmp_path / "other")

    assert losses(again) == losses(trained) != losses(other)
    assert all(torch.equal(one, weights(trained)[name]) for name, one in weights(again).items())


def test_accumulation_equals_the_big_batch(
    trained: TrainResult, tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    """Completions differ in length, so that a mean of means would differ."""
    small = train(
        recipe(batch={"size": 8, "per_device": 2}), data, base=tiny_checkpoint, out=tmp_path / "small"
    )

    assert losses(small) == pytest.approx(losses(trained), abs=1e-5)
    apart = max(float((one - weights(trained)[name]).abs().max()) for name, one in weights(small).items())
    moved = max(
        float((one - load_file(tiny_checkpoint / "model.safetensors")[name]).abs().max())
        for name, one in weights(small).items()
    )
    assert apart < 0.05 * moved


def test_frozen_parts_keep_their_bytes(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    made = train(recipe(frozen=["vision", "connector"]), data, base=tiny_checkpoint, out=tmp_path / "frozen")

    before = load_file(tiny_checkpoint / "model.safetensors")
    assert weights(made).keys() == before.keys()
    for name, after in weights(made).items():
        same = torch.equal(after, before[name])
        assert same == ("vision_model" in name or "connector" in name), name
    assert made.lineage["parameters"]["vision"][1] == made.lineage["parameters"]["connector"][1] == 0


def test_it_learns_what_it_is_shown(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    """Greedy decoding of transformers writes every completion that validation counts as exact."""
    from transformers import AutoModelForImageTextToText

    same = replace(data, train=data.train[:3], validation=data.train[:3])
    made = train(
        recipe(steps=120, batch={"size": 3}, save={"every": 120}, optimizer={"learning_rate": 3e-3}),
        same,
        base=tiny_checkpoint,
        out=tmp_path / "learned",
        allow_overlap=True,
    )

    assert losses(made)[-1] < 0.1 < losses(made)[0]
    assert [point["validation_exact"] for point in made.points if "validation_exact" in point] == [1.0]
    assert made.lineage["overlap_allowed"] == {"validation": 3}
    base = Base(recipe(), made.folder)
    rows = encode(recipe(), same.train, base, Silent())
    model = AutoModelForImageTextToText.from_pretrained(made.folder).eval()
    for row, example in zip(rows.rows, same.train, strict=True):
        inputs = {name: torch.from_numpy(value) for name, value in rows.pixels.arrays(row.picture).items()}
        ids = torch.from_numpy(row.ids[None, : row.prompt_length])
        written = model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False, **inputs
        )
        assert written[0, row.prompt_length :].tolist() == row.trained.tolist()
        assert example.completion in base.tokenizer.decode(written[0])


RUN = """
import json, sys
from pathlib import Path
from trainers.data.examples import TrainData, TrainExample
from trainers.recipe import TrainRecipe
from trainers.training import train

told = json.loads(Path(sys.argv[1]).read_text())
rows = [[TrainExample(r["id"], tuple(map(Path, r["images"])), r["prompt"], r["completion"]) for r in part]
        for part in told["data"]]
train(TrainRecipe.model_validate(told["recipe"]), TrainData(*rows), base=Path(told["base"]),
      out=Path(told["out"]), resume=told["resume"])
"""


def in_a_process(file: Path, made: Any, data: TrainData, base: Path, out: Path, *, resume: bool) -> Any:
    content = {
        "recipe": made.model_dump(mode="json"),
        "data": [
            [{**vars(one), "images": [str(path) for path in one.images]} for one in part]
            for part in (data.train, data.validation)
        ],
        "base": str(base),
        "out": str(out),
        "resume": resume,
    }
    file.write_text(json.dumps(content, default=str))
    return subprocess.Popen([sys.executable, "-c", RUN, str(file)], cwd=Path(__file__).parents[2])


@pytest.mark.process
def test_killed_and_resumed_it_reaches_the_same_weights(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    """kill -9 between two checkpoints; what comes out is bit-identical to a training left alone."""
    long = recipe(
        steps=9,
        save={"every": 3, "keep": 2},
        batch={"size": 4, "per_device": 2},
        schedule={"warmup_steps": 3},
        validation={"every": 4},
    )
    alone = train(long, data, base=tiny_checkpoint, out=tmp_path / "alone")
    out = tmp_path / "killed"
    unfinished = tmp_path / "killed.unfinished"

    process = in_a_process(tmp_path / "told.json", long, data, tiny_checkpoint, out, resume=False)
    deadline = time.monotonic() + 120
    while (
        len(curve_file.read_points(unfinished)) < 5 and process.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists() and (unfinished / "checkpoint-3" / "model.safetensors").is_file()
    with pytest.raises(ValueError, match="an unfinished training; continue with --resume"):
        train(long, data, base=tiny_checkpoint, out=out)
    with pytest.raises(ValueError, match=r"another recipe \(optimizer.learning_rate: 0.001, now 0.002\)"):
        changed = long.model_copy(
            update={"optimizer": long.optimizer.model_copy(update={"learning_rate": 2e-3})}
        )
        train(changed, data, base=tiny_checkpoint, out=out, resume=True)

    again = train(long, data, base=tiny_checkpoint, out=out, resume=True)

    assert not unfinished.exists()
    steps = [(point["step"], "loss" in point) for point in again.points]
    assert steps == [(point["step"], "loss" in point) for point in alone.points]
    assert losses(again) == losses(alone)
    assert all(torch.equal(one, weights(alone)[name]) for name, one in weights(again).items())


def test_a_folder_in_use_is_left_alone(
    trained: TrainResult, tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="exists already"):
        train(recipe(), data, base=tiny_checkpoint, out=trained.folder)
    (tmp_path / "mine.unfinished").mkdir()
    (tmp_path / "mine.unfinished" / "notes.txt").write_text("keep")
    with pytest.raises(ValueError, match="is no unfinished training"):
        train(recipe(), data, base=tiny_checkpoint, out=tmp_path / "mine", resume=True)


def test_splits_that_share_an_example_are_refused(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    tested = replace(data, held_out=[replace(data.train[3], id="test-7"), data.validation[0]])

    with pytest.raises(OverlapError) as refused:
        train(recipe(), tested, base=tiny_checkpoint, out=tmp_path / "run")

    assert str(refused.value).splitlines() == [
        "1 examples of test are also in train: test-7 (same image as bars-3)",
        "1 examples of validation and test are also in validation: bars-30 (same image as bars-30)",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_last_checkpoint(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trainers.loop.loop

    written = trainers.loop.loop.Loop._save_optimizer_and_scheduler

    def full(self: Any, folder: str) -> None:
        if self.state.global_step > 2:
            raise OSError(errno.ENOSPC, "No space left on device", folder)
        written(self, folder)

    monkeypatch.setattr(trainers.loop.loop.Loop, "_save_optimizer_and_scheduler", full)
    out = tmp_path / "run"

    with pytest.raises(TrainingStopped, match=r"the disk is full .*checkpoint-2 is kept; --resume goes on"):
        train(recipe(), data, base=tiny_checkpoint, out=out)

    unfinished = tmp_path / "run.unfinished"
    assert not out.exists() and not (unfinished / ".saving").exists()
    assert [path.name for path in unfinished.glob("checkpoint-*")] == ["checkpoint-2"]
    monkeypatch.undo()
    assert train(recipe(), data, base=tiny_checkpoint, out=out, resume=True).steps == 4


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
            "out of memory",
        ),
        (torch.OutOfMemoryError("CUDA out of memory."), "out of memory: lower batch.per_device"),
        (MemoryError(), "out of memory"),
    ],
)
def test_out_of_memory_is_one_line(
    tiny_checkpoint: Path,
    data: TrainData,
    recipe: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    said: str,
) -> None:
    import trainers.loop.loop

    def fail(*_: Any) -> None:
        raise raised

    monkeypatch.setattr(trainers.loop.loop, "trained_logits", fail)
    with pytest.raises(TrainingStopped, match=said) as stopped:
        train(recipe(), data, base=tiny_checkpoint, out=tmp_path / "run")
    assert str(stopped.value).endswith("no checkpoint was written yet")


def test_a_loss_that_is_no_number_ends_the_training(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    wild = recipe(optimizer={"learning_rate": 1e30, "max_grad_norm": 0})

    with pytest.raises(TrainingStopped, match=r"the loss is (nan|inf) at step"):
        train(wild, data, base=tiny_checkpoint, out=tmp_path / "run")
    point = curve_file.read_points(tmp_path / "run.unfinished")[-1]
    assert not math.isfinite(point["loss"])


def test_a_mistake_in_the_request_is_not_a_machine_failure(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="its processor cannot be loaded"):
        train(recipe(), data, base=tmp_path, out=tmp_path / "run")
