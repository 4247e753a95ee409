"""One log → one run's outcomes: what each sample scored, or why it has no score.

Reads the log's header and sample summaries, never whole transcripts.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from results.logs.log_file import Header, Score, Status, Summary, read_log
from results.logs.outcomes import FLAGS, Floats, Labels, Outcomes, flags

# inspect grades any other string 0 with a warning; here it is no score at all.
_GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_NO_SCORE = Score(value=math.nan, reason="no score")


@dataclass(frozen=True)
class Run:
    """One log: its identity (task, data, prompt, model, engine, settings) and its outcomes.

    created: when the run began, ISO 8601. seconds: time in which samples ran. expected: samples times
    epochs that were asked for, finished or not.
    """

    location: str
    task: str
    model: str
    status: Status
    expected: int
    identity: Mapping[str, Any]
    report_by: tuple[str, ...]
    outcomes: Outcomes = field(repr=False)
    seconds: float | None
    error: str | None
    created: str
    epochs: int = 1

    @property
    def unscored(self) -> Counter[str]:
        """Reasons of the samples without a score, with their counts; those never reached included."""
        without = np.flatnonzero(~self.outcomes.scored)
        reasons = Counter(self.outcomes.reasons[int(row)] or "error" for row in without)
        if missing := self.expected - len(self.outcomes):
            reasons["not run"] += missing
        return reasons

    @property
    def minutes(self) -> float | None:
        """Minutes in which samples ran, not counting start-up and pauses; None where nothing was inferred."""
        return None if not self.seconds or "completions_hash" in self.identity else self.seconds / 60

    @property
    def samples_per_second(self) -> float | None:
        """Samples finished per second, not counting start-up and pauses; None where none ran."""
        if not self.seconds or "completions_hash" in self.identity:
            return None
        return len(self.outcomes) / self.seconds


def short_name(run: Run) -> str:
    """The model's last path part and the first of its digest, so that overwritten weights (files) differ."""
    name = run.model.rstrip("/").rsplit("/", 1)[-1]
    digest = (run.identity.get("weights_digest") or run.identity.get("completions_hash") or "")[:6]
    return f"{name}@{digest}" if digest else name


def read_run(location: str | Path) -> Run:
    """Read one inspect log, finished or not. Raises what inspect raises for a file that is no log."""
    return run_of(location, *read_log(location))


def run_of(location: str | Path, header: Header, summaries: Sequence[Summary]) -> Run:
    """The run of a log that has been read."""
    spec = header.eval
    metadata = spec.metadata or {}
    identity = {
        "task": spec.task,
        "task_version": str(spec.task_version),
        **(metadata.get("identity") or {}),
        **(metadata.get("model") or {}),
        "generation": {name: value for name, value in header.plan.config.items() if value is not None},
    }
    report = metadata.get("report") or {}
    by = tuple(report.get("by") or ())
    scorer = spec.scorers[0].name if spec.scorers else None
    if scorer in (identity.get("metrics") or {}):
        # What the score itself must share with another's to be compared.
        identity["metric"] = identity["metrics"][scorer]
    outcomes = _outcomes(summaries, scorer, by, report.get("cluster"))
    return Run(
        location=str(location).removeprefix("file://"),
        task=spec.task,
        model=str(identity.get("model") or spec.model),
        status=header.status,
        expected=_expected(header),
        identity=identity,
        report_by=tuple(outcomes.groups),
        outcomes=outcomes,
        seconds=_active_seconds(summaries),
        error=header.error.message if header.error else None,
        created=spec.created,
        epochs=spec.config.epochs or 1,
    )


def _expected(header: Header) -> int:
    dataset, config = header.eval.dataset, header.eval.config
    count = len(dataset.sample_ids) if dataset.sample_ids is not None else (dataset.samples or 0)
    if isinstance(config.limit, int):
        count = min(count, config.limit)
    elif config.limit is not None:
        count = min(count, config.limit[1]) - config.limit[0]
    return count * (config.epochs or 1)


def _active_seconds(summaries: Sequence[Summary]) -> float | None:
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


def _outcomes(
    summaries: Sequence[Summary], scorer: str | None, by: tuple[str, ...], cluster: str | None
) -> Outcomes:
    scores = [_score(summary, scorer) for summary in summaries]
    values = [_value(summary, score) for summary, score in zip(summaries, scores, strict=True)]
    said = [score.metadata or {} for score in scores]
    ids = [str(summary.id) for summary in summaries]
    sums = _sums(summaries)
    return Outcomes(
        ids=ids,
        epochs=np.asarray([summary.epoch for summary in summaries], dtype=np.int64),
        values=np.asarray([value for value, _ in values], dtype=float),
        reasons=Labels.of(reason for _, reason in values),
        answers=[score.answer for score in scores],
        targets=[s.target if isinstance(s.target, str) else " | ".join(s.target) for s in summaries],
        # A sample is its own cluster where none is declared; its epochs are never independent.
        clusters=Labels.of(
            str(summary.metadata.get(cluster, own)) if cluster else own
            for summary, own in zip(summaries, ids, strict=True)
        ),
        groups={field: labels for name in by for field, labels in _fields(summaries, name).items()},
        output_tokens=np.asarray(
            [sum(usage.output_tokens for usage in s.model_usage.values()) for s in summaries], dtype=np.int64
        ),
        numbers=_numbers(summaries, sums),
        sums=sums,
        corpus=None,
        **{flag: flags(one.get(flag) for one in said) for flag in FLAGS},
    )


def _numbers(summaries: Sequence[Summary], sums: Mapping[str, Floats]) -> dict[str, Floats]:
    """Every number of every scorer by name; none where there is one scorer of one number and no sums."""
    found: dict[str, Floats] = {}
    several = False
    for row, summary in enumerate(summaries):
        scores = {} if summary.error is not None else summary.scores or {}
        several = several or len(scores) > 1 or any(isinstance(s.value, dict) for s in scores.values())
        for scorer, score in scores.items():
            value = score.value
            named = value if isinstance(value, dict) else {scorer: _GRADES.get(value, value)}
            for name, number in named.items():
                if isinstance(number, int | float):
                    if name not in found:
                        found[name] = np.full(len(summaries), np.nan)
                    found[name][row] = number
    return found if several or sums else {}


def _sums(summaries: Sequence[Summary]) -> dict[str, Floats]:
    """By scorer, what its samples left of their own for a corpus score (metadata under its name)."""
    found: dict[str, Floats] = {}
    for row, summary in enumerate(summaries):
        for scorer, score in (summary.scores or {}).items():
            own = (score.metadata or {}).get(scorer)
            if isinstance(own, list) and own and summary.error is None:
                if scorer not in found:
                    found[scorer] = np.full((len(summaries), len(own)), np.nan)
                found[scorer][row] = own
    return found


def _fields(summaries: Sequence[Summary], name: str) -> dict[str, Labels]:
    """A report field's labels; of one whose values are lists a field for each member, as groups overlap."""
    values = [summary.metadata.get(name) for summary in summaries]
    if not any(isinstance(value, list) for value in values):
        return {name: Labels.of(None if value is None else str(value) for value in values)}
    lists = [list(map(str, value)) if isinstance(value, list) else [] for value in values]
    members = dict.fromkeys(member for one in lists for member in one)
    return {
        f"{name}: {member}": Labels.of(member if member in one else None for one in lists)
        for member in sorted(members)
    }


def _score(summary: Summary, scorer: str | None) -> Score:
    scores = summary.scores or {}
    return (scores.get(scorer) if scorer else next(iter(scores.values()), None)) or _NO_SCORE


def _value(summary: Summary, score: Score) -> tuple[float, str | None]:
    """The score and None, or NaN and why there is none."""
    if summary.error is not None:
        return math.nan, _reason(summary.error)
    value = score.value
    if isinstance(value, str):
        grade = _GRADES.get(value)
        return (math.nan, f"score {value[:20]!r} is no grade") if grade is None else (grade, None)
    if isinstance(value, dict) and value:
        # Of several numbers the first is the main one.
        value = next(iter(value.values()))
    if not isinstance(value, int | float):
        return math.nan, "the score is not one number"
    if math.isnan(value):
        # Where inspect kept the reason before scores had a field for it.
        return math.nan, score.reason or (score.metadata or {}).get("unscored_reason") or "unscored"
    return float(value), None


def _reason(error: str) -> str:
    """An error's message without what differs from sample to sample, so that equal causes are counted."""
    text = error.strip().splitlines()[0] if error.strip() else "error"
    text = re.sub(r"^\w*(Error|Exception)\(['\"](.*)['\"]\)$", r"\2", text)
    return text if len(text) <= 160 else text[:157] + "…"
