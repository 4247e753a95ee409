"""The shipped recipes, each on a tiny random model of the architecture it is for: dry run, and real steps.

Data that would need the hub or a teacher comes from a training folder in the format that `bench distill`
writes, made here.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from PIL import Image, ImageDraw
from safetensors.torch import load_file

from bench.declarations.recipes import builtin_recipes, find_recipe, recipe_file
from bench.errors import RequestError
from bench.training.training_run import TrainRequest, describe_training, run_training

pytestmark = pytest.mark.slow

STAGED = (
    "<SUMMARY>Two bars are to be compared.</SUMMARY>\n<CAPTION>Two bars, {0} and {1} long.</CAPTION>\n"
    "<REASONING>{1} is more than {0}.</REASONING>\n<CONCLUSION>B</CONCLUSION>"
)
STRUCTURED = (
    '1. <Describe a graph>:\n"The chart compares two bars."\n\n'
    '2. <Find the key points and trends>:\nParagraph 1:\n"The first is {0} long, the second {1}."\n\n'
    '3. <Write a summary of presented data>:\n"Overall, the second is longer."'
)
PLAIN = (
    "The chart compares two bars.\n\nThe first is {0} long, the second {1}.\n\nOverall, the second is longer."
)


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


class Show:
    def __init__(self) -> None:
        self.points: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def preparing(self, done: int, total: int) -> None: ...

    def records(self, done: int, total: int) -> None: ...

    def point(self, point: Any) -> None:
        self.points.append(dict(point))


def write_folder(folder: Path, completion: str, rows: int = 24) -> Path:
    """A training folder: parquet, pictures inside."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table: list[dict[str, Any]] = []
    for number in range(rows):
        first, second = 10 + number, 30 + number
        picture = Image.new("RGB", (96, 64), "white")
        draw = ImageDraw.Draw(picture)
        draw.rectangle((8, 60 - first, 30, 60), "navy")
        draw.rectangle((50, 60 - second, 80, 60), "teal")
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        table.append(
            {
                "images": [{"bytes": stream.getvalue(), "path": f"{number}.png"}],
                "prompt": f"Which bar is longer? A. the first B. the second ({number})",
                "completion": completion.format(first, second),
                "task": "made_up",
                "sample_id": f"row-{number:03}",
                "groups": {"topic": "bars"},
            }
        )
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(table), folder / "train-00000-of-00001.parquet")
    return folder


CHARTS: dict[str, object] = {"data.args": {"size": 12, "seed": 0, "charts": "bar,pie"}}
SMALL: dict[str, object] = {
    "validation.size": 6,
    "validation.every": 2,
    "save.every": 2,
    "log_every": 1,
    "schedule.warmup_steps": 0,
}

RECIPES: dict[str, tuple[str, str | None, dict[str, object]]] = {
    # recipe → architecture, what its folder holds, and what is changed for a small model on a CPU
    "chart_answer_only": ("smolvlm2", None, CHARTS),
    "chart_reasoning_qlora": (
        "qwen2_5_vl",
        None,
        {**CHARTS, "batch.size": 4, "image.longest_edge": 112, "optimizer.name": "adamw"},
    ),
    "svrd": ("idefics3", STAGED, {"batch.size": 4, "max_tokens": 1024}),
    "ielts_structured": (
        "idefics3",
        STRUCTURED,
        {"batch.size": 4, "batch.per_device": 2, "max_tokens": 1024, "optimizer.name": "adamw"},
    ),
    "ielts_unstructured": (
        "idefics3",
        PLAIN,
        {"batch.size": 4, "batch.per_device": 2, "max_tokens": 1024, "optimizer.name": "adamw"},
    ),
}
FOUR_BITS = {"chart_reasoning_qlora", "ielts_structured", "ielts_unstructured"}


@pytest.fixture
def request_for(random_checkpoint: RandomCheckpoint, tmp_path: Path) -> Callable[..., TrainRequest]:
    """The request of a recipe on its small model, as `bench train RECIPE --set …` makes it."""

    def made(recipe: str, architecture: str | None = None, **changed: object) -> TrainRequest:
        if recipe in FOUR_BITS:
            pytest.importorskip("bitsandbytes")
        shipped, completion, changes = RECIPES[recipe]
        base = random_checkpoint(architecture or shipped)
        placed: dict[str, object] = {"base.checkpoint": str(base), **SMALL, **changes, **changed}
        if completion is not None:
            placed["data.folder"] = str(write_folder(tmp_path / "distilled", completion))
        return TrainRequest(recipe, placed, out=tmp_path / "checkpoint", max_steps=3)

    return made


def test_every_shipped_recipe_of_the_experiments_is_tested_here() -> None:
    assert set(RECIPES) <= set(builtin_recipes())
    assert set(builtin_recipes()) - set(RECIPES) <= {"nano", "nano_blind"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_runs_dry_with_every_figure(recipe: str, request_for: Callable[..., TrainRequest]) -> None:
    described = describe_training(request_for(recipe), Show())
    text = described["example"]["text"]
    trained = re.search("⟦(.*)⟧", text, re.DOTALL)
    assert trained is not None
    assert "Which bar" not in trained[1]
    if recipe == "svrd":
        assert trained[1].strip().startswith("<SUMMARY>")
        assert "<CONCLUSION>B</CONCLUSION>" in trained[1]
    json.dumps(described)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_trains_what_it_says_and_nothing_else(
    recipe: str, request_for: Callable[..., TrainRequest], random_checkpoint: RandomCheckpoint
) -> None:
    show = Show()
    result = run_training(request_for(recipe), show)
    losses = [point["loss"] for point in show.points if "loss" in point]
    assert len(losses) == 3
    assert all(0 < loss < 20 for loss in losses)
    lineage = json.loads((result.folder / "lineage.json").read_text())
    assert lineage["steps"] == 3
    assert lineage["recipe"]["name"] == recipe

    base = random_checkpoint(RECIPES[recipe][0])
    if find_recipe(recipe).adapter is not None:
        config = json.loads((result.folder / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == str(base)
        weights = load_file(result.folder / "adapter_model.safetensors")
        assert any(tensor.abs().max() > 0 for name, tensor in weights.items() if "lora_B" in name)
        assert not [name for name in weights if re.search("vision|visual|connector|merger", name)]
        return
    before, after = load_file(base / "model.safetensors"), load_file(result.folder / "model.safetensors")
    assert before.keys() == after.keys()
    same = {name for name in before if before[name].numpy().tobytes() == after[name].numpy().tobytes()}
    outside = {name for name in before if re.search("vision_model|connector", name)}
    if recipe == "svrd":
        assert same >= outside
    # A key's bias changes no attention weight, so its gradient is 0 but for rounding.
    assert {name for name in before if name not in same} >= {n for n in before if "text_model.layers" in n}
    if recipe == "chart_answer_only":
        assert {name for name in outside if name.endswith("proj.weight")}.isdisjoint(same)


def test_svrd_trains_llava_next_as_well(
    request_for: Callable[..., TrainRequest], random_checkpoint: RandomCheckpoint
) -> None:
    result = run_training(request_for("svrd", "llava_next"), Show())
    base = load_file(random_checkpoint("llava_next") / "model.safetensors")
    after = load_file(result.folder / "model.safetensors")
    # Under the names that vLLM looks for.
    assert base.keys() == after.keys()
    for name, tensor in base.items():
        frozen = re.search("vision_tower|projector|image_newline", name) is not None
        assert (tensor.numpy().tobytes() == after[name].numpy().tobytes()) == frozen, name


def test_a_recipe_whose_data_is_not_there_says_who_writes_it() -> None:
    with pytest.raises(RequestError, match="bench distill"):
        describe_training(TrainRequest("svrd", {"base.checkpoint": "nano-untrained"}), Show())


def test_paths_of_the_command_line_and_of_our_recipes_are_from_where_bench_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipe("svrd").data.folder == tmp_path / "distilled" / "svrd"
    changed = find_recipe("svrd", {"data.folder": "mine", "base.checkpoint": "./student"})
    assert changed.data.folder == tmp_path / "mine"
    assert changed.base.checkpoint == str(tmp_path / "student")
    (tmp_path / "sub").mkdir()
    text = recipe_file("svrd").read_text()
    (tmp_path / "sub" / "own.yaml").write_text(text)
    # In a file of the user's own, paths are from that file; those of --set are not.
    assert find_recipe("sub/own.yaml").data.folder == tmp_path / "sub" / "distilled" / "svrd"
    assert find_recipe("sub/own.yaml", {"data.folder": "mine"}).data.folder == tmp_path / "mine"
