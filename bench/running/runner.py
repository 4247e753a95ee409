"""The seam between a run and where its rows are made: samples in, rows out, keyed by (sample, epoch)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeAlias

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample

WAITING_FOR_SCORES = 512
"""Samples that wait together where scores are made in batches: four batches of `scorers.batches`, so that the
next is there when one ends."""

Planned: TypeAlias = tuple[Sample, int]
"""A sample with its epoch, from 1 up. No two of one run share the sample's id and the epoch."""


class Runner(Protocol):
    """Makes the rows of an evaluation; `bench.running.single_turn.SingleTurn` does so in this process.

    What holds wherever they are made, so that replicas or a cluster can stand behind this later:

    - Each of the planned gives one row, an `EvalSample` of its id and epoch, when it is finished and in any
      order: with its scores, or with the error that says why it has none. One that fails ends no other.
    - A row is plain data (it survives `model_dump_json`), whole, and nothing about the log: the receiver
      writes it. The next row may wait until the receiver has taken the last.
    - A completion is in the run's journal before its row is given, and one that the journal holds is not made
      again: who runs the rest after a kill makes nothing twice.
    - An exception is the end of the whole evaluation, not of a sample. Closing the generator, or cancelling
      who reads it, ends all work that is under way; rows given by then stay valid.
    """

    def rows(self, planned: Sequence[Planned]) -> AsyncGenerator[EvalSample, None]:
        """The planned samples' rows as they finish."""


def planned(task: Task, started: EvalLog) -> list[Planned]:
    """What a log that inspect has begun is to hold, one epoch after the other."""
    samples = {sample.id: sample for sample in task.dataset}
    ids = started.eval.dataset.sample_ids or ()
    epochs = range(1, (started.eval.config.epochs or 1) + 1)
    return [(samples[sample_id], epoch) for epoch in epochs for sample_id in ids]


def now() -> str:
    """The time as rows and logs have it."""
    return datetime.now(UTC).isoformat()
