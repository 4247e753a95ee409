"""`nano` is trained when it is first asked for, once, and kept; `nano-untrained` is what it begins with."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("torch")

import bench.declarations.recipes
import bench.serving.nano
from bench.serving.checkpoint import find_checkpoint
from trainers.loop.run_folder import UNFINISHED


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped recipe, cut to two steps, and a cache of its own."""
    declared: dict[str, Any] = yaml.safe_load(bench.declarations.recipes.recipe_file("nano").read_text())
    declared["data"]["args"]["size"] = 40
    declared["batch"]["size"] = 8
    declared |= {"steps": 2, "validation": {"size": 8, "every": 1, "blind": True}, "save": {"every": 1}}
    home = tmp_path / "recipes"
    home.mkdir()
    (home / "nano.yaml").write_text(yaml.safe_dump(declared))
    monkeypatch.setattr(bench.declarations.recipes, "_home", lambda: home)
    monkeypatch.setattr(bench.serving.nano, "_TEXTS", 40)
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    return home / "nano.yaml"


def test_it_is_trained_once_though_two_ask(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Path] = []
    train = bench.serving.nano._train
    monkeypatch.setattr(bench.serving.nano, "_train", lambda folder: (trained.append(folder), train(folder)))
    found: list[Path] = []
    asking = [
        threading.Thread(target=lambda: found.append(bench.serving.nano.nano("nano"))) for _ in range(2)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()

    assert len(trained) == 1 and found == [trained[0]] * 2
    lineage = json.loads((found[0] / "lineage.json").read_text())
    assert lineage["recipe"]["name"] == "nano" and lineage["steps"] == 2
    assert any("validation_blind" in point for point in lineage["loss_history"])
    before, after = find_checkpoint("nano-untrained"), find_checkpoint("nano")
    assert before.digest == lineage["base_digest"] != after.digest
    assert before.parameters == after.parameters
    assert 1_000_000 <= (after.parameters or 0) <= 2_000_000


def test_a_changed_recipe_is_another_model(small: Path) -> None:
    before = bench.serving.nano.trained_folder(bench.declarations.recipes.find_recipe("nano"))
    small.write_text(small.read_text().replace("steps: 2", "steps: 3"))

    assert bench.serving.nano.trained_folder(bench.declarations.recipes.find_recipe("nano")) != before


def test_an_interrupted_training_goes_on(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trainers.loop import loop

    write = loop.Loop._save_checkpoint

    def killed(self: Any, model: Any, trial: Any) -> None:
        write(self, model, trial)
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.Loop, "_save_checkpoint", killed)
    with pytest.raises(KeyboardInterrupt):
        bench.serving.nano.nano("nano")
    monkeypatch.setattr(loop.Loop, "_save_checkpoint", write)
    folder = bench.serving.nano.trained_folder(bench.declarations.recipes.find_recipe("nano"))
    assert folder.with_name(folder.name + UNFINISHED).is_dir() and not folder.exists()

    assert bench.serving.nano.nano("nano") == folder
    points = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert [point["step"] for point in points if "validation_exact" in point] == [1, 2]


def test_a_dry_run_trains_nothing_and_says_so(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vllm")
    from bench.running.dry_run import describe
    from bench.running.run import RunRequest

    monkeypatch.setattr(bench.serving.nano, "_train", None)
    request = RunRequest(("chart_vqa",), ("nano",), log_dir=small.parent, dataset_args={"size": 2})
    described = describe(request)
    assert "trained on its first use" in described["note"]
    assert [model["model"] for model in described["models"]] == ["nano-untrained"]
    assert described["prompts"][0]["rendered"]
