"""The samples whose score changed, with what a reader needs to judge them: question, answers, picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from results.compared.comparison import TaskComparison
from results.logs.log_file import Summary, read_log
from results.logs.logged_run import Run
from results.logs.outcomes import Outcome
from results.logs.sample_file import SampleFile
from results.shown.natural_order import natural_order


@dataclass(frozen=True)
class Flip:
    """One sample whose score differs. image: where its picture lay when the run read it, if it has one."""

    id: str
    question: str
    image: str | None
    target: str
    base: Outcome
    candidate: Outcome

    @property
    def worse(self) -> bool:
        """The candidate scored less."""
        return (self.candidate.value or 0.0) < (self.base.value or 0.0)


def answer_text(outcome: Outcome) -> str:
    """What was read out of the completion; its score where the whole text is the answer."""
    if outcome.answer:
        return outcome.answer
    if outcome.in_part:
        return f"(score {100 * (outcome.value or 0.0):.1f})"
    return "(no answer found)"


def flips(task: TaskComparison, most: int) -> list[Flip]:
    """At most this many of each kind, losses first, the largest changes first; of a sample's first epoch.

    Equal changes are ordered by the samples' ids, since a log's order is that in which its samples ended.
    """
    change = task.pairs.candidate - task.pairs.base
    moved = sorted(
        np.flatnonzero(change).tolist(),
        key=lambda row: (-abs(change[row]), natural_order(task.pairs.ids[row])),
    )
    lost = [row for row in moved if change[row] < 0][:most]
    gained = [row for row in moved if change[row] > 0][:most]
    rows = [*lost, *gained]
    asked = _asked(task, [task.pairs.ids[row] for row in rows])
    return [_flip(task, row, asked) for row in rows]


def _flip(task: TaskComparison, row: int, asked: Mapping[str, Summary]) -> Flip:
    sample = task.pairs.ids[row]
    candidate = task.candidate.outcomes[int(task.pairs.candidate_rows[row])]
    base = task.base.outcomes[int(task.pairs.base_rows[row])]
    metadata = asked[sample].metadata if sample in asked else {}
    image = metadata.get("image_file")
    return Flip(
        id=sample,
        question=str(metadata.get("question") or _prompt(task, sample) or sample),
        image=str(image) if image else None,
        target=candidate.target or base.target,
        base=base,
        candidate=candidate,
    )


def _logs(task: TaskComparison) -> list[Run]:
    """The runs whose log is still there; a baseline's may be on another machine."""
    return [run for run in (task.candidate, task.base) if Path(run.location).is_file()]


def _asked(task: TaskComparison, samples: Sequence[str]) -> dict[str, Summary]:
    wanted = set(samples)
    for run in _logs(task)[:1] if wanted else []:
        return {str(one.id): one for one in read_log(run.location)[1] if str(one.id) in wanted}
    return {}


def _prompt(task: TaskComparison, sample: str) -> str | None:
    """The prompt of a log that keeps no question of its own."""
    for run in _logs(task)[:1]:
        with SampleFile(run.location) as file:
            return file.read(sample, 1).question
    return None
