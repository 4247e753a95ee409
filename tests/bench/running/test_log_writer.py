"""Rows of any runner become a log of inspect's; what that needs of its private recorder is said here."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalError, EvalLog, EvalSample, read_eval_log
from inspect_ai.log._recorders.eval import EvalRecorder
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.scorer import Score, match

import bench.running.log_writer
from bench.running.log_writer import LogWriter, write_rows
from bench.running.runner import Planned
from bench.running.single_turn import SingleTurn

# How bench/running/log_writer.py calls each: positional arguments, named ones.
CALLS: dict[str, tuple[int, tuple[str, ...]]] = {
    "log_init": (2, ("clean",)),
    "log_start": (2, ()),
    "log_sample": (2, ()),
    "flush": (1, ()),
    "log_finish": (6, ("header_only",)),
}


@pytest.mark.parametrize("name", CALLS)
def test_inspects_recorder_is_what_we_write_with(name: str) -> None:
    changed = (
        f"inspect's private EvalRecorder.{name} is not what bench/running/log_writer.py calls any more; look "
        "at inspect_ai/log/_recorders/eval.py and mend that file alone"
    )
    method = getattr(EvalRecorder, name, None)
    assert inspect.iscoroutinefunction(method), changed
    given, named = CALLS[name]
    try:
        inspect.signature(method).bind(*["it"] * (1 + given), **dict.fromkeys(named))
    except TypeError as error:
        pytest.fail(f"{changed}: {error}")


TASK = Task([Sample(id=f"q{n}", input="?", target="7") for n in range(4)], scorer=match(), name="numbers")


def row(sample: Sample, epoch: int, **changes: Any) -> EvalSample:
    assert sample.id is not None
    output = ModelOutput.from_content("mockllm/model", "7")
    output.usage = ModelUsage(input_tokens=2, output_tokens=1, total_tokens=3)
    made = EvalSample(
        id=sample.id,
        epoch=epoch,
        input="?",
        target="7",
        output=output,
        scores={"match": Score(value="C")},
        model_usage={"mockllm/model": output.usage},
    )
    return made.model_copy(update=changes)


class Elsewhere:
    """A runner that gives its rows backwards, and fails as it is told."""

    def __init__(self, fails: dict[str, BaseException | None] | None = None) -> None:
        self.fails = fails or {}
        self.closed = False

    async def rows(self, planned: Sequence[Planned]) -> AsyncGenerator[EvalSample, None]:
        try:
            for sample, epoch in reversed(planned):
                if sample.id not in self.fails:
                    yield row(sample, epoch)
                elif (failure := self.fails[str(sample.id)]) is not None:
                    raise failure
                else:
                    error = EvalError(message="it failed", traceback="", traceback_ansi="")
                    yield row(sample, epoch, scores=None, error=error)
        finally:
            self.closed = True


async def begun(folder: Path, **settings: Any) -> EvalLog:
    (log,) = await eval_async(
        TASK, model="mockllm/model", log_dir=str(folder), run_samples=False, log_realtime=False, **settings
    )
    return log


async def written(folder: Path, runner: Elsewhere, **settings: Any) -> EvalLog:
    return await write_rows(TASK, await begun(folder, **settings), runner)


def test_rows_in_any_order_are_the_samples_of_a_log(tmp_path: Path) -> None:
    log = asyncio.run(written(tmp_path, Elsewhere(), epochs=2))
    read = read_eval_log(log.location)
    assert log.status == read.status == "success"
    assert sorted((one.id, one.epoch) for one in read.samples or ()) == [
        (f"q{n}", epoch) for n in range(4) for epoch in (1, 2)
    ]
    assert read.results is not None and read.results.scores[0].metrics["accuracy"].value == 1.0
    assert read.stats.model_usage["mockllm/model"].total_tokens == 8 * 3


@pytest.mark.parametrize(("stops", "status", "count"), [(False, "success", 4), (True, "error", 2)])
def test_a_failed_row_stops_only_who_asked_for_it(
    tmp_path: Path, stops: bool, status: str, count: int
) -> None:
    runner = Elsewhere({"q2": None})
    log = asyncio.run(written(tmp_path, runner, fail_on_error=stops))
    read = read_eval_log(log.location)
    assert read.status == status and len(read.samples or ()) == count and runner.closed
    assert (read.error is not None and read.error.message == "it failed") == stops


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), asyncio.CancelledError(), ValueError("a mistake")])
def test_what_was_finished_is_in_the_log_however_it_ends(tmp_path: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)):
        asyncio.run(written(tmp_path, Elsewhere({"q1": failure})))
    (file,) = tmp_path.glob("*.eval")
    read = read_eval_log(file)
    assert read.status == "cancelled" and {one.id for one in read.samples or ()} == {"q2", "q3"}


def test_rows_are_on_disk_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.running.log_writer, "_SECONDS_BETWEEN_FLUSHES", 0.0)

    async def half() -> EvalLog:
        writer = LogWriter(await begun(tmp_path))
        await writer.begin()
        await writer.write(row(TASK.dataset[0], 1))
        read = await asyncio.to_thread(read_eval_log, writer._log.location)
        await writer.finish("cancelled")
        return read

    read = asyncio.run(half())
    assert read.status == "started" and [one.id for one in read.samples or ()] == ["q0"]


def test_a_row_waits_until_the_last_was_taken_and_a_closed_runner_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []
    advanced: list[int] = []

    async def making(self: SingleTurn, sample: Sample, epoch: int) -> EvalSample:
        made.append(sample.id)
        return row(sample, epoch)

    monkeypatch.setattr(SingleTurn, "_row", making)
    nothing: Any = None

    async def two() -> None:
        runner = SingleTurn(TASK, nothing, nothing, nothing, 1, lambda: advanced.append(1))
        rows = runner.rows([(sample, 1) for sample in TASK.dataset])
        assert [(await anext(rows)).id for _ in range(2)] == ["q0", "q1"]
        await rows.aclose()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(two())
    assert made == ["q0", "q1"] and advanced == [1]
