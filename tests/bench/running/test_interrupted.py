"""Whatever ends a run, a second one goes on where it stopped, and nothing is left running.

The runs against a server without a model count every request; those through the real vLLM kill what only it
has: engine processes.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from inspect_ai.log import read_eval_log

from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from bench.serving.model import ServedModel
from results.logs.logged_run import Run, read_run

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Started by nohup or as a job of a script, the tests ignore Ctrl-C, and so would their children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def start(tmp_path: Path, heeds_ctrl_c: None) -> Iterator[Start]:
    """Begins a `bench run`; what a failed test leaves running is killed."""
    with contextlib.ExitStack() as started:

        def run(*arguments: object) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench", "run", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield run


def wait_until(true: Callable[[], object], what: str, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def journalled(logs: Path) -> list[tuple[str, int]]:
    """(id, epoch) of the completions on disk, in order."""
    found = []
    for journal in logs.glob(".journal/*.jsonl"):
        for line in journal.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                found.append((row["id"], row["epoch"]))
    return found


def only_log(logs: Path) -> Run:
    (log,) = logs.glob("*.eval")
    return read_run(log)


def what_came_out(run: Run) -> list[tuple[object, ...]]:
    return sorted(
        (o.id, o.epoch, o.value, o.reason or "", o.answer or "", o.no_answer, o.truncated, o.output_tokens)
        for o in run.outcomes
    )


@pytest.fixture
def against(endpoint: Any) -> Callable[[Path], list[object]]:
    """Arguments of a run of 40 samples against the server, logged to a folder."""

    def arguments(logs: Path) -> list[object]:
        return [
            "chart_vqa", "--model", "vllm/fake", "--model-base-url", endpoint.url,
            "-T", "size=40", "--log-dir", logs, "--show", "none", "--json",
        ]  # fmt: skip

    return arguments


@pytest.mark.process
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_no_sample_is_asked_twice(
    endpoint: Any,
    against: Callable[[Path], list[object]],
    tmp_path: Path,
    bench: Any,
    start: Start,
    end: signal.Signals,
) -> None:
    logs = tmp_path / "logs"
    # Two rounds of 20: some seconds to be interrupted in, between the first and the end of the second.
    endpoint.delay = 3
    process = start(*against(logs))
    wait_until(lambda: len(journalled(logs)) >= 12 or process.poll() is not None, "12 completions")
    process.send_signal(end)
    out, err = process.communicate(timeout=60)
    if end == signal.SIGINT:
        assert process.returncode == 4, (err, out)
        assert "interrupted" in err
        assert "--resume" in err
        assert "Traceback" not in err
        assert out == ""
    made = journalled(logs)
    assert 12 <= len(made) < 40
    part = only_log(logs)
    assert part.status in ("started", "cancelled")
    assert part.expected == 40

    endpoint.delay = 0.0
    asked_before = endpoint.asked.total()
    done = bench("run", *against(logs), "--resume")
    assert done.returncode == 0, done.stderr
    assert endpoint.asked.total() - asked_before == 40 - len(made)
    (result,) = json.loads(done.stdout)
    assert result["score"]["n"] == result["expected"] == 40
    assert result["unscored"] == {}
    resumed = only_log(logs)
    assert journalled(logs) == []

    whole = bench("run", *against(tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    assert what_came_out(resumed) == what_came_out(only_log(tmp_path / "whole"))
    (reference,) = json.loads(whole.stdout)
    for key in ("score", "rates", "groups", "unscored", "expected", "output_tokens", "identity"):
        assert result[key] == reference[key]


@pytest.mark.process
def test_two_runs_into_one_folder_do_not_disturb_each_other(
    endpoint: Any, against: Callable[[Path], list[object]], tmp_path: Path, bench: Any, start: Start
) -> None:
    """One in a process of its own; another request, the same one and its resumption beside it."""
    logs = tmp_path / "logs"
    endpoint.delay = 0.4
    process = start(*against(logs))
    wait_until(lambda: journalled(logs) or process.poll() is not None, "its first completion")
    assert process.poll() is None, process.communicate()[1]
    refused = bench("run", *against(logs), "--resume")
    assert refused.returncode == 2
    assert "chart_vqa × vllm/fake: the same request is running already" in refused.stderr
    assert refused.stderr.count("\n") == 1
    endpoint.delay = 0.05
    other = [argument if argument != "size=40" else "size=30" for argument in against(logs)]
    done = [bench("run", *against(logs)), bench("run", *other)]
    out, err = process.communicate(timeout=120)
    assert [process.returncode, *(one.returncode for one in done)] == [0, 0, 0], err
    results = [json.loads(text)[0] for text in (out, *(one.stdout for one in done))]
    assert [result["score"]["n"] for result in results] == [40, 40, 30]
    assert len({result["log"] for result in results}) == 3
    runs = [read_run(result["log"]) for result in results]
    assert what_came_out(runs[0]) == what_came_out(runs[1])
    assert runs[0].identity == runs[1].identity
    assert len(runs[2].outcomes) == 30


# -- through the real vLLM


def engine_processes(parent: int) -> list[psutil.Process]:
    return [p for p in psutil.Process(parent).children(recursive=True) if "VLLM" in " ".join(p.cmdline())]


def gone(processes: list[psutil.Process]) -> bool:
    def ended(process: psutil.Process) -> bool:
        try:
            return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return all(ended(process) for process in processes)


@pytest.mark.engine
def test_an_engine_ends_with_its_run_however_that_ends(
    tiny_checkpoint: Path, tmp_path: Path, start: Start, served: ServedModel, drive: Any, quiet: Any
) -> None:
    """One run of 32 samples, ended in two ways; its third beginning finishes it.

    How a run ends whose engine dies is in test_engine.py, which has one to lose.
    """
    logs = tmp_path / "logs"
    arguments = [
        "chart_vqa", "--model", tiny_checkpoint, "-T", "size=32", "--max-tokens", 120,
        "-M", "max_num_seqs=4", "-M", "dtype=float32", "--show", "none", "--json",
    ]  # fmt: skip

    def begin(*more: object) -> subprocess.Popen[str]:
        return start(*arguments, "--log-dir", logs, *more)

    def until(process: subprocess.Popen[str], number: int) -> list[psutil.Process]:
        wait_until(
            lambda: len(journalled(logs)) >= number or process.poll() is not None, f"{number} completions"
        )
        assert process.poll() is None, process.communicate()[1]
        engine = engine_processes(process.pid)
        # One engine: a resumed run must not start another beside the one it watches.
        assert sum("EngineCore" in " ".join(p.cmdline()) for p in engine) == 1
        return engine

    # kill -9 of the run: its engine notices and ends.
    process = begin()
    engine = until(process, 4)
    process.kill()
    process.communicate()
    wait_until(lambda: gone(engine), "the engine's end after kill -9", 20)
    first = journalled(logs)
    assert 4 <= len(first) < 32
    assert only_log(logs).status == "started"

    # Ctrl-C reaches the whole process group, as a terminal sends it.
    process = begin("--resume")
    engine = until(process, len(first) + 4)
    for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 3, err
    wait_until(lambda: gone(engine), "the engine's end after Ctrl-C", 20)
    for log in logs.glob("*.eval"):
        assert read_eval_log(str(log)).eval.task == "chart_vqa"

    second = journalled(logs)
    assert second[: len(first)] == first
    assert len(set(second)) == len(second) < 32
    # The engine that finishes it runs already.
    asked = RunRequest(
        tasks=("chart_vqa",), models=(served.name,), log_dir=logs, max_tokens=120, resume=True,
        dataset_args={"size": 32}, model_args={"max_num_seqs": 4, "dtype": "float32"},
    )  # fmt: skip
    drive(run_one(asked, named_task("chart_vqa", asked.dataset_args), served, quiet))
    assert any("going on from" in line for line in quiet.lines)
    run = only_log(logs)
    assert run.status == "success"
    assert sorted(o.id for o in run.outcomes) == sorted(
        {o.id for o in run.outcomes} | {sample_id for sample_id, _ in second}
    )
    assert len(run.outcomes) == run.expected == 32
    assert run.unscored == {}
    assert journalled(logs) == []
