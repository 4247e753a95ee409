"""`nano` is trained when it is first asked for, once, and kept; `nano-untrained` is what it begins with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

pytest.importorskip("torch")

import bench.declarations.recipes
import bench.serving.nano
from bench.errors import IncompleteRunError, RequestError
from bench.serving.checkpoint import find_checkpoint
from bench.serving.parent import PARENT
from trainers.loop.run_folder import UNFINISHED

pytestmark = pytest.mark.slow

# `bench` with the recipe and the texts of the test; `killed` interrupts it at its first checkpoint.
BENCH = """
from pathlib import Path
import bench.declarations.recipes, bench.serving.nano
from bench.cli import main
from trainers.loop import loop

bench.declarations.recipes._home = lambda: Path({home!r})
bench.serving.nano._TEXTS = 40
write = loop.Loop._save_checkpoint

def killed(self, model, trial):
    write(self, model, trial)
    raise KeyboardInterrupt

if Path({killed!r}).exists():
    loop.Loop._save_checkpoint = killed
print("its results")
main()
"""


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
    script = tmp_path / "bench_of_the_test.py"
    script.write_text(BENCH.format(home=str(home), killed=str(tmp_path / "killed")))
    monkeypatch.setattr(bench.serving.nano, "_BENCH", (sys.executable, str(script)))
    return home / "nano.yaml"


@pytest.mark.process
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


@pytest.mark.process
def test_an_interrupted_training_goes_on(small: Path, capfd: pytest.CaptureFixture[str]) -> None:
    killed = small.parents[1] / "killed"
    killed.touch()
    with pytest.raises(IncompleteRunError, match="the same command goes on"):
        bench.serving.nano.nano("nano")
    killed.unlink()
    folder = bench.serving.nano.trained_folder(bench.declarations.recipes.find_recipe("nano"))
    assert folder.with_name(folder.name + UNFINISHED).is_dir() and not folder.exists()

    assert bench.serving.nano.nano("nano") == folder
    points = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert [point["step"] for point in points if "validation_exact" in point] == [1, 2]
    out, err = capfd.readouterr()
    assert out == "" and "going on after step 1" in err


@pytest.mark.process
@pytest.mark.parametrize(
    ("end", "error", "said"),
    [
        ("sys.exit(2)", RequestError, "for the reason above"),
        ("sys.exit(4)", IncompleteRunError, "ended with code 4"),
        ("os.kill(os.getpid(), 9)", IncompleteRunError, "ended by signal 9"),
    ],
)
def test_how_its_training_ended_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, error: type[Exception], said: str
) -> None:
    monkeypatch.setattr(bench.serving.nano, "_BENCH", (sys.executable, "-c", f"import os, sys; {end}"))
    with pytest.raises(error, match=said):
        bench.serving.nano._train(tmp_path / "nano")


@pytest.mark.process
def test_ctrl_c_ends_its_training_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started, ended = tmp_path / "started", tmp_path / "ended"
    code = f"""
import pathlib, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    pathlib.Path({str(started)!r}).touch()
    time.sleep(60)
finally:
    pathlib.Path({str(ended)!r}).touch()
"""
    monkeypatch.setattr(bench.serving.nano, "_BENCH", (sys.executable, "-c", code))
    monkeypatch.setattr(bench.serving.nano, "_SECONDS_TO_HEAR", 0.01)

    def interrupt() -> None:
        while not started.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(IncompleteRunError, match="interrupted while nano"):
            bench.serving.nano._train(tmp_path / "nano")
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.exists()


@pytest.mark.process
def test_its_training_ends_with_the_process_that_waits_for_it(tmp_path: Path) -> None:
    child = (
        "import os, time; from bench.serving.parent import end_as_asked; end_as_asked(); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    code = (
        "import os, subprocess, sys; "
        f"named = {{**os.environ, {PARENT!r}: str(os.getpid())}}; "
        f"subprocess.run([sys.executable, '-c', {child!r}], env=named)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        trainer = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        assert psutil.wait_procs([trainer], timeout=10)[1] == []


def test_a_dry_run_trains_nothing_and_says_so(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vllm")
    from bench.running.dry_run import describe
    from bench.running.request import RunRequest

    monkeypatch.setattr(bench.serving.nano, "_train", None)
    request = RunRequest(("chart_vqa",), ("nano",), log_dir=small.parent, dataset_args={"size": 2})
    described = describe(request)
    assert "trained on its first use" in described["note"]
    assert [model["model"] for model in described["models"]] == ["nano-untrained"]
    assert described["prompts"][0]["rendered"]
