"""Rows → the log that inspect has begun: inspect's recorder writes them, and inspect computes the metrics.

The recorder is inspect's own and private: its public functions write a log at once, with every picture of the
run in memory and nothing on disk until the end. This file is the only one of ours that knows it;
tests/bench/running/test_log_writer.py says what it needs of it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

from inspect_ai import Task
from inspect_ai.log import EvalError, EvalLog, EvalSample, EvalStatus, condense_sample, recompute_metrics
from inspect_ai.log._recorders.eval import EvalRecorder
from inspect_ai.model import ModelUsage

from bench.running.runner import Runner, now, planned

# A flush copies the log so far; until then the journal holds what a kill would lose.
_SECONDS_BETWEEN_FLUSHES = 20.0


async def write_rows(task: Task, started: EvalLog, runner: Runner) -> EvalLog:
    """Have every sample of a started log made, and write it; the finished log without its samples.

    However it ends, what was finished is in the log: its status is ``cancelled`` when this coroutine was or
    the runner failed, ``error`` when a sample failed and the evaluation stops on errors.
    """
    writer = LogWriter(started)
    await writer.begin()
    try:
        async with contextlib.aclosing(runner.rows(planned(task, started))) as rows:
            async for row in rows:
                await writer.write(row)
                if row.error is not None and started.eval.config.fail_on_error:
                    return await writer.finish("error", row.error)
    except BaseException:
        await writer.finish("cancelled")
        raise
    return await writer.finish("success")


class LogWriter:
    """One log, from what ``eval_async(…, run_samples=False)`` returned to its end."""

    def __init__(self, started: EvalLog) -> None:
        self._log = started
        self._recorder = EvalRecorder(str(Path(started.location).parent))
        self._written: list[EvalSample] = []
        self._flushed = time.monotonic()

    async def begin(self) -> None:
        """Write the header in place of what inspect has written."""
        await self._recorder.log_init(self._log.eval, self._log.location, clean=True)
        await self._recorder.log_start(self._log.eval, self._log.plan)
        self._log.stats.started_at = now()

    async def write(self, row: EvalSample) -> None:
        """Write one row; it is on disk some seconds later."""
        log_images = self._log.eval.config.log_images is not False
        await self._recorder.log_sample(self._log.eval, condense_sample(row, log_images))
        # What the metrics need; the pictures are the recorder's, which lets go of them at a flush.
        self._written.append(row.model_copy(update={"input": "", "messages": []}))
        if time.monotonic() - self._flushed > _SECONDS_BETWEEN_FLUSHES:
            self._flushed = time.monotonic()
            await self._recorder.flush(self._log.eval)

    async def finish(self, status: EvalStatus, error: EvalError | None = None) -> EvalLog:
        """Write what is left and, of a success, the metrics; the log without its samples."""
        log = self._log
        log.status, log.error = status, error
        log.samples = self._written
        if status == "success":
            recompute_metrics(log)
        log.stats.completed_at = now()
        log.stats.model_usage = _summed(self._written)
        finished = await self._recorder.log_finish(
            log.eval, status, log.stats, log.results, log.reductions, error, header_only=True
        )
        finished.location = log.location
        return finished


def _summed(rows: Iterable[EvalSample]) -> dict[str, ModelUsage]:
    total: dict[str, ModelUsage] = {}
    for row in rows:
        for model, usage in row.model_usage.items():
            total[model] = total[model] + usage if model in total else usage
    return total
