"""Runs through the real engine: what the log says, what a bad row costs, and what resuming repeats."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.log import read_eval_log
from PIL import Image

from bench.errors import IncompleteRunError, RequestError
from bench.running.request import RunRequest
from bench.running.resuming import run_key
from bench.running.run import named_task, run_one
from bench.running.run import run as run_all
from bench.serving.model import ModelRequest, ServedModel, resolve_model
from results.logs.logged_run import Run, read_run
from results.shown.run_table import run_json
from tasks.chart_vqa.records import CHARTS

pytest.importorskip("vllm")
pytestmark = pytest.mark.engine


def request(log_dir: Path, **changes: Any) -> RunRequest:
    plain: dict[str, Any] = {
        "tasks": ("chart_vqa",),
        "models": ("tiny",),
        "log_dir": log_dir,
        "dataset_args": {"size": 20, "seed": 7, "workers": 1},
        "max_tokens": 12,
    }
    return RunRequest(**{**plain, **changes})


def task_of(asked: RunRequest) -> Task:
    task = named_task(asked.tasks[0], asked.dataset_args)
    assert isinstance(task, Task)
    return task


@pytest.fixture
def go(served: ServedModel, drive: Any, quiet: Any) -> Callable[[RunRequest], Run]:
    def run(asked: RunRequest) -> Run:
        done: Run = drive(run_one(asked, task_of(asked), served, quiet))
        return done

    return run


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.eval"))


def what_came_out(run: Run) -> list[tuple[object, ...]]:
    return sorted(
        (o.id, o.epoch, o.value, o.reason or "", o.answer or "", o.no_answer, o.truncated, o.output_tokens)
        for o in run.outcomes
    )


def test_the_logs_header_holds_every_identity(
    go: Callable[[RunRequest], Run], served: ServedModel, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    run = go(request(tmp_path, seed=11))
    metadata = read_eval_log(run.location, header_only=True).eval.metadata
    assert metadata is not None
    task, model = metadata["identity"], metadata["model"]
    assert task["task"] == "chart_vqa"
    assert task["task_version"] == "1-A"
    assert len(task["data_hash"]) == len(task["prompt_hash"]) == 64
    assert task["records"] == 20
    assert task["dataset_args"] == {"size": 20, "seed": 7, "workers": 1}
    assert model["model"] == str(tiny_checkpoint)
    assert served.checkpoint is not None
    assert model["weights_digest"] == served.checkpoint.digest
    assert model["parameters"] > 1_000_000
    assert model["engine"] == "vllm"
    assert model["engine_version"]
    assert model["dtype"] == "float32"
    assert model["engine_seed"] == 0
    assert {"tunebench", "inspect_ai", "torch", "transformers"} <= set(model["libraries"])
    assert run.identity["generation"]["temperature"] == 0
    assert run.identity["generation"]["max_tokens"] == 12
    assert run.identity["generation"]["seed"] == 11

    assert run.status == "success"
    assert len(run.outcomes) == run.expected == 20
    assert sum(run.unscored.values()) == 0
    assert {o.groups["chart"] for o in run.outcomes} == set(CHARTS)
    assert all(set(o.groups) == {"chart", "family"} for o in run.outcomes)
    assert all(outcome.truncated for outcome in run.outcomes)
    assert len({outcome.cluster for outcome in run.outcomes}) < 20
    assert not list((tmp_path / ".journal").iterdir())


def test_limit_ids_and_epochs_choose_the_samples(go: Callable[[RunRequest], Run], tmp_path: Path) -> None:
    ids = [str(sample.id) for sample in task_of(request(tmp_path)).dataset]
    limited = go(request(tmp_path, limit=3))
    assert {o.id for o in limited.outcomes} == set(ids[:3])
    assert limited.expected == 3
    chosen = go(request(tmp_path, sample_ids=(ids[4], ids[9])))
    assert sorted(o.id for o in chosen.outcomes) == sorted((ids[4], ids[9]))
    assert chosen.expected == 2
    twice = go(request(tmp_path, limit=2, epochs=2))
    assert sorted((o.id, o.epoch) for o in twice.outcomes) == sorted((i, e) for i in ids[:2] for e in (1, 2))
    assert twice.expected == 4


def png(folder: Path, name: str) -> str:
    Image.effect_noise((96, 72), 60).convert("RGB").save(folder / name)
    return name


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A user's task whose rows are good, broken, without picture, with half a picture, and too long."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("a.png", "b.png", "long.png"):
        png(folder, name)
    buffer = io.BytesIO()
    Image.effect_noise((96, 72), 60).convert("RGB").save(buffer, "JPEG")
    # Its header is whole, so that only decoding finds out.
    (folder / "half.jpg").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    rows: list[object] = [
        {"id": "good-1", "image": "a.png", "question": "Colour?", "target": "red"},
        {"id": "gone", "image": "gone.png", "question": "Colour?", "target": "red"},
        {"id": "half", "image": "half.jpg", "question": "Colour?", "target": "red"},
        {"id": "long", "image": "long.png", "question": "7 " * 3000, "target": "red"},
        {"id": "good-2", "image": "b.png", "question": "Colour?", "target": "red"},
    ]
    lines = [json.dumps(row) for row in rows]
    lines.insert(1, '{"id": "broken", ')
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "my_task.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Name the colour.\n"
        "dataset: {jsonl: rows.jsonl}\nprompt: '{question}'\nscorer: boxed\n"
        "generation: {max_tokens: 8}\n"
    )
    return folder / "my_task.yaml"


def test_a_bad_row_is_unscored_with_its_reason_and_the_rest_go_on(
    go: Callable[[RunRequest], Run], damaged: Path, tmp_path: Path
) -> None:
    run = go(request(tmp_path / "logs", tasks=(str(damaged),), dataset_args={}))
    assert run.status == "success"
    reasons = {outcome.id: outcome.reason for outcome in run.outcomes}
    assert {name for name, reason in reasons.items() if reason is None} == {"good-1", "good-2"}
    assert len(reasons) == 6
    broken = reasons["row-2"]
    assert broken is not None
    assert "rows.jsonl line 2: not JSON" in broken
    assert "gone.png: no such file" in str(reasons["gone"])
    assert "the image cannot be decoded" in str(reasons["half"])
    assert "2048" in str(reasons["long"])
    plain = run_json(run)
    assert plain["score"]["n"] == 2
    assert sum(plain["unscored"].values()) == 4
    assert set(plain["unscored"]) == {reason for reason in reasons.values() if reason}


def test_resume_tries_what_failed_again_and_nothing_else(
    go: Callable[[RunRequest], Run], damaged: Path, quiet: Any, tmp_path: Path
) -> None:
    asked = request(tmp_path / "logs", tasks=(str(damaged),), dataset_args={})
    first = go(asked)
    again = go(replace(asked, resume=True))
    assert any("complete but for 4 unscored" in line for line in quiet.lines)
    assert {o.id: o.value for o in again.outcomes} == {o.id: o.value for o in first.outcomes}
    assert [Path(again.location)] == logs(tmp_path / "logs")


def test_fail_on_error_stops_instead(go: Callable[[RunRequest], Run], damaged: Path, tmp_path: Path) -> None:
    asked = request(tmp_path / "logs", tasks=(str(damaged),), dataset_args={}, fail_on_error=True)
    with pytest.raises(IncompleteRunError, match="--resume") as stopped:
        go(asked)
    assert "log: " in str(stopped.value)
    (log,) = logs(tmp_path / "logs")
    assert read_run(log).status == "error"


def test_a_complete_run_is_not_run_again(go: Callable[[RunRequest], Run], quiet: Any, tmp_path: Path) -> None:
    first = go(request(tmp_path, limit=4))
    advanced = quiet.advanced
    again = go(request(tmp_path, limit=4, resume=True))
    assert Path(again.location).samefile(first.location)
    assert what_came_out(again) == what_came_out(first)
    assert quiet.advanced == advanced
    assert len(logs(tmp_path)) == 1
    assert any("complete already" in line for line in quiet.lines)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.5},
        {"limit": 3},
        {"max_tokens": 13},
        {"seed": 1},
        {"epochs": 2},
        {"model_args": {"dtype": "float16"}},
        {"dataset_args": {"size": 20, "seed": 8, "workers": 1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_request_is_not_resumed_from(
    served: ServedModel, tmp_path: Path, change: dict[str, Any]
) -> None:
    one = request(tmp_path)
    other = replace(one, **change)
    assert run_key(other, task_of(other), served) != run_key(one, task_of(one), served)
    assert run_key(one, task_of(one), served) == run_key(replace(one, resume=True), task_of(one), served)


def test_overwritten_weights_are_another_run(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(tiny_checkpoint, folder)
    asked = request(tmp_path)
    model = ModelRequest(str(folder))
    before = run_key(asked, task_of(asked), resolve_model(model))
    assert run_key(asked, task_of(asked), resolve_model(model)) == before
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert run_key(asked, task_of(asked), resolve_model(model)) != before


def test_a_run_stopped_midway_ends_as_if_it_had_not_been(
    served: ServedModel, drive: Any, quiet: Any, go: Callable[[RunRequest], Run], tmp_path: Path
) -> None:
    asked = request(
        tmp_path / "stopped",
        dataset_args={"size": 60, "seed": 7, "workers": 1},
        max_tokens=48,
        log_images=False,
    )

    async def stopped() -> None:
        running = asyncio.ensure_future(run_one(asked, task_of(asked), served, quiet))
        while quiet.advanced < 20 and not running.done():
            await asyncio.sleep(0.005)
        with pytest.raises(RequestError, match="the same request is running already"):
            await run_one(replace(asked, resume=True), task_of(asked), served, quiet)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    drive(stopped())
    (journal,) = (tmp_path / "stopped" / ".journal").iterdir()
    made = sum(1 for line in journal.read_text().splitlines() if line)
    assert 20 <= made < 60
    (log,) = logs(tmp_path / "stopped")
    part = read_run(log)
    assert part.status == "cancelled"
    assert part.expected == 60
    assert part.unscored["not run"] + sum(o.reason is not None for o in part.outcomes) > 0

    generated = 0
    api = served.local
    assert api is not None
    original = api.generate

    async def counted(**arguments: Any) -> Any:
        nonlocal generated
        generated += 1
        return await original(**arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "generate", counted)
        resumed = go(replace(asked, resume=True))
    assert generated == 60 - made
    assert len(logs(tmp_path / "stopped")) == 1
    assert not list((tmp_path / "stopped" / ".journal").iterdir())
    whole = go(replace(asked, log_dir=tmp_path / "whole"))
    assert what_came_out(resumed) == what_came_out(whole)
    assert resumed.identity == whole.identity
    assert resumed.expected == whole.expected
    # And once more: nothing is left to do.
    assert go(replace(asked, resume=True)).location.endswith(Path(resumed.location).name)


def test_ids_that_are_not_there_are_refused_before_anything_starts(tmp_path: Path, quiet: Any) -> None:
    with pytest.raises(RequestError, match="--sample-id nothing"):
        run_all(request(tmp_path, models=("nano",), sample_ids=("nothing",)), quiet)
    assert quiet.lines == []
