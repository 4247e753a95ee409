"""`bench train --nproc 2`: two real processes over gloo train as one does, and say what really ran."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from rich.console import Console  # noqa: E402
from safetensors.torch import load_file  # noqa: E402 - after the check that there is something to test

from bench.commands.train import TrainingShow  # noqa: E402
from bench.declarations.recipes import find_recipe  # noqa: E402
from bench.errors import RequestError  # noqa: E402
from bench.training.launch import Processes, check_processes  # noqa: E402
from bench.training.training_run import TrainRequest, run_training  # noqa: E402
from trainers.loop.curve_file import read_points  # noqa: E402
from trainers.machine.processes import PARALLELISM, NotAsAskedError, running  # noqa: E402


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


def bench(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=folder,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def changed(base: Path) -> dict[str, object]:
    return {
        "base.checkpoint": str(base),
        "data.args": {"size": 20, "seed": 0, "charts": "bar,pie"},
        "validation.size": 5,  # uneven: one process has a validation pass less to do
        "validation.every": 2,
        "save.every": 2,
        "log_every": 1,
        "precision": "float32",
        "batch.size": 4,
        "batch.per_device": 1,
        "optimizer.learning_rate": 1e-3,
    }


def arguments(base: Path, out: str, *more: str) -> list[str]:
    given = [f"--set={key}={json.dumps(value)}" for key, value in changed(base).items()]
    return ["train", "chart_answer_only", *given, "--max-steps=4", f"--out={out}", "--show=plain", *more]


@pytest.fixture(scope="module")
def alone(random_checkpoint: RandomCheckpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes: this one."""
    out = tmp_path_factory.mktemp("alone") / "one"
    changes = changed(random_checkpoint("idefics3"))
    request = TrainRequest("chart_answer_only", changes, out=out, max_steps=4)
    return run_training(request, TrainingShow(Console(file=io.StringIO()), "none")).folder


def check_same_training(one: Path, two: Path, kind: str) -> None:
    """Two processes over gloo trained what one did: as many tokens, the same losses, the same weights."""
    lineages = [json.loads((folder / "lineage.json").read_text()) for folder in (one, two)]
    assert [found["processes"] for found in lineages] == [1, 2]
    assert [found["parallelism"] for found in lineages] == ["NO", kind]
    assert lineages[0]["tokens"] == lineages[1]["tokens"]

    curves = [read_points(folder) for folder in (one, two)]
    for key in ("loss", "validation_loss", "validation_exact", "learning_rate", "grad_norm"):
        series = [[point[key] for point in points if key in point] for points in curves]
        assert len(series[0]) == (2 if key.startswith("validation") else 4)
        assert series[1] == pytest.approx(series[0], rel=1e-4)
    weights = [load_file(folder / "model.safetensors") for folder in (one, two)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=0, atol=2e-4)


@pytest.mark.process
def test_two_processes_train_as_one_does(
    alone: Path, random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    two = bench(tmp_path, *arguments(random_checkpoint("idefics3"), "two", "--nproc=2", "--json"))
    assert two.returncode == 0, two.stderr
    assert json.loads(two.stdout)["steps"] == 4
    assert "2 processes, MULTI_CPU over gloo" in two.stderr
    # One of them speaks.
    assert two.stderr.count("step 4/4: loss") == 1
    check_same_training(alone, tmp_path / "two", "MULTI_CPU")
    assert [file.name for file in tmp_path.iterdir()] == ["two"]


@pytest.mark.process
def test_two_machines_that_share_the_weights_train_as_one_process_does(
    alone: Path, random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    """Each has its own launcher, as on two machines, and half of every layer (FSDP)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    given = arguments(random_checkpoint("idefics3"), "two", "--nnodes=2", f"--rdzv={place}")
    with ThreadPoolExecutor() as machines:
        started = [machines.submit(bench, tmp_path, *given, "--parallelism=fsdp") for _ in range(2)]
        ended = [one.result() for one in started]
    said = "".join(one.stderr for one in ended)
    assert [one.returncode for one in ended] == [0, 0], said
    assert said.count("2 processes, FSDP over gloo") == 2 and said.count("step 4/4: loss") == 1
    check_same_training(alone, tmp_path / "two", "FSDP")


@pytest.mark.process
def test_a_mistake_in_a_process_is_said_once_and_gives_its_code(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    wrong = '--set=data.args={"charts": "bars"}'
    done = bench(tmp_path, *arguments(random_checkpoint("idefics3"), "out", "--nproc=2", wrong))
    assert done.returncode == 2
    assert done.stderr.count("did you mean 'bar'") == 1, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("processes", "request_", "said"),
    [
        (Processes(3), TrainRequest("nano"), "cannot be shared by 3 processes of 22 examples"),
        (Processes(1, parallelism="fsdp"), TrainRequest("nano"), "cannot share the model"),
        (Processes(1, 2), TrainRequest("nano", out=Path("x")), "--rdzv HOST:PORT"),
        (Processes(1, 2, "host:29500"), TrainRequest("nano"), "give --out"),
        (
            Processes(1, 2, "host:29500"),
            TrainRequest("nano", out=Path("x"), evaluate=("chart_vqa",)),
            "leave out --eval",
        ),
    ],
)
def test_what_no_launcher_could_serve_is_refused(
    processes: Processes, request_: TrainRequest, said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        check_processes(processes, request_, find_recipe("nano"))


class _Kind:
    def __init__(self, value: str) -> None:
        self.value = value


class _Accelerator:
    """What accelerate says that runs."""

    num_processes = 2

    def __init__(self, kind: str) -> None:
        self.distributed_type = _Kind(kind)
        self.state: Any = type("State", (), {"backend": "gloo"})()


def test_what_runs_otherwise_than_asked_ends_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the Trainer does with FSDP on a CPU: nothing is sharded, and nobody says so.
    monkeypatch.setenv(PARALLELISM, "fsdp")
    with pytest.raises(NotAsAskedError, match=r"fsdp over .* was asked for, and MULTI_CPU over 2"):
        running(_Accelerator("MULTI_CPU"))
    monkeypatch.setenv(PARALLELISM, "ddp")
    assert running(_Accelerator("MULTI_CPU")) == "2 processes, MULTI_CPU over gloo"
    with pytest.raises(NotAsAskedError):
        running(_Accelerator("NO"))


@pytest.mark.process
def test_processes_that_do_not_find_each_other_are_an_error() -> None:
    code = (
        "import os; os.environ['TUNEBENCH_PROCESSES'] = '2'\n"
        "from trainers.machine.processes import NotAsAskedError, join\n"
        "try:\n    join()\nexcept NotAsAskedError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "2 processes were asked for, and 1 found each other"
