"""One log → one run's outcomes: what each sample scored, or why it has no score.

Reads the log's header and sample summaries, never whole transcripts.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from inspect_ai.log import EvalLog, EvalSampleSummary, read_eval_log, read_eval_log_sample_summaries
from inspect_ai.scorer import Score, value_to_float

Status = Literal["started", "success", "cancelled", "error"]
_LETTER_GRADE = value_to_float()
# inspect grades any other string 0 with a warning; here it is no score at all.
_GRADES = ("C", "P", "I", "N")


@dataclass(frozen=True)
class Outcome:
    """What became of one sample in one epoch.

    value: score in [0, 1], or None when unscored; then ``reason`` says why. The flags come from the
    scorer's metadata: no_answer (nothing to parse), truncated (the token limit ended the completion),
    anywhere (the answer stands somewhere in the text, box or not). groups: the fields the task reports by.
    """

    id: str
    epoch: int
    value: float | None
    reason: str | None
    answer: str | None
    target: str
    no_answer: bool | None
    truncated: bool | None
    anywhere: bool | None
    cluster: str
    groups: Mapping[str, str]
    output_tokens: int

    @property
    def answered(self) -> bool | None:
        """An answer was found in the completion, right or wrong; None where the scorer does not say."""
        return None if self.no_answer is None else not self.no_answer


@dataclass(frozen=True)
class Run:
    """One log: its identity (task, data, prompt, model, engine, settings) and its outcomes."""

    location: str
    task: str
    model: str
    status: Status
    expected: int
    identity: Mapping[str, Any]
    report_by: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = field(repr=False)
    seconds: float | None
    error: str | None

    @property
    def unscored(self) -> Counter[str]:
        """Reasons of the samples without a score, with their counts; those never reached included."""
        reasons = Counter(outcome.reason or "error" for outcome in self.outcomes if outcome.value is None)
        if missing := self.expected - len(self.outcomes):
            reasons["not run"] += missing
        return reasons

    @property
    def samples_per_second(self) -> float | None:
        """Samples finished per second of running, engine start and pauses aside; None where none ran."""
        if not self.seconds or "completions_hash" in self.identity:
            return None
        return len(self.outcomes) / self.seconds


def read_run(location: str | Path) -> Run:
    """Read one inspect log, finished or not. Raises what inspect raises for a file that is no log."""
    log = read_eval_log(str(location), header_only=True)
    summaries = read_eval_log_sample_summaries(str(location))
    metadata = log.eval.metadata or {}
    identity = {
        **(metadata.get("identity") or {}),
        **(metadata.get("model") or {}),
        "generation": log.plan.config.model_dump(exclude_none=True),
    }
    report = metadata.get("report") or {}
    by = tuple(report.get("by") or ())
    scorer = log.eval.scorers[0].name if log.eval.scorers else None
    outcomes = tuple(_outcome(summary, scorer, by, report.get("cluster")) for summary in summaries)
    return Run(
        location=str(location).removeprefix("file://"),
        task=log.eval.task,
        model=str(identity.get("model") or log.eval.model),
        status=log.status,
        expected=_expected(log),
        identity=identity,
        report_by=by,
        outcomes=outcomes,
        seconds=_active_seconds(summaries),
        error=log.error.message if log.error else None,
    )


def _expected(log: EvalLog) -> int:
    ids = log.eval.dataset.sample_ids
    count = len(ids) if ids is not None else (log.eval.dataset.samples or 0)
    limit = log.eval.config.limit
    if isinstance(limit, int):
        count = min(count, limit)
    elif limit is not None:
        count = min(count, limit[1]) - limit[0]
    return count * (log.eval.config.epochs or 1)


def _active_seconds(summaries: list[EvalSampleSummary]) -> float | None:
    """Time in which at least one sample was running: pauses between a kill and its resume do not count."""
    spans = sorted(
        (datetime.fromisoformat(summary.started_at), datetime.fromisoformat(summary.completed_at))
        for summary in summaries
        if summary.started_at and summary.completed_at
    )
    if not spans:
        return None
    total, (start, end) = 0.0, spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            total += (end - start).total_seconds()
            start, end = next_start, next_end
        else:
            end = max(end, next_end)
    return total + (end - start).total_seconds()


def _outcome(
    summary: EvalSampleSummary, scorer: str | None, by: tuple[str, ...], cluster: str | None
) -> Outcome:
    scores = summary.scores or {}
    score = scores.get(scorer) if scorer else next(iter(scores.values()), None)
    value, reason = _value(summary, score)
    flags = (score.metadata if score else None) or {}
    metadata = summary.metadata
    return Outcome(
        id=str(summary.id),
        epoch=summary.epoch,
        value=value,
        reason=reason,
        answer=score.answer if score else None,
        target=summary.target if isinstance(summary.target, str) else " | ".join(summary.target),
        no_answer=flags.get("no_answer"),
        truncated=flags.get("truncated"),
        anywhere=flags.get("anywhere"),
        # A sample is its own cluster where none is declared; its epochs are never independent.
        cluster=str(metadata.get(cluster, summary.id)) if cluster else str(summary.id),
        groups={name: str(metadata[name]) for name in by if name in metadata},
        output_tokens=sum(usage.output_tokens for usage in summary.model_usage.values()),
    )


def _value(summary: EvalSampleSummary, score: Score | None) -> tuple[float | None, str | None]:
    if summary.error is not None:
        return None, _reason(summary.error)
    if score is None:
        return None, "no score"
    if isinstance(score.value, str) and score.value not in _GRADES:
        return None, f"score {score.value[:20]!r} is no grade"
    if not isinstance(score.value, str | int | float):
        return None, "the score is not one number"
    value = _LETTER_GRADE(score.value)
    if math.isnan(value):
        return None, score.reason or "unscored"
    return value, None


def _reason(error: str) -> str:
    """An error's message without what differs from sample to sample, so that equal causes are counted."""
    text = error.strip().splitlines()[0] if error.strip() else "error"
    text = re.sub(r"^\w*(Error|Exception)\(['\"](.*)['\"]\)$", r"\2", text)
    return text if len(text) <= 160 else text[:157] + "…"
