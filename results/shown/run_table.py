"""Runs → the table that ends a run, and its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from results.logs.judge_warnings import run_warnings
from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Outcome
from results.numbers.intervals import Interval, mean_interval
from results.numbers.metrics import metric_json, metric_signatures, run_metrics
from results.shown.metrics_table import cut_note, group_metrics_tables, metrics_table
from results.shown.words import (
    SMALL,
    SMALL_NOTE,
    interval_json,
    n_text,
    percent,
    rate_text,
    score_text,
    shown,
)


def score_interval(outcomes: Sequence[Outcome]) -> Interval | None:
    """Mean score of the scored outcomes with its clustered 95% interval."""
    scored = [outcome for outcome in outcomes if outcome.value is not None]
    return mean_interval([o.value for o in scored if o.value is not None], [o.cluster for o in scored])


def rate_interval(outcomes: Sequence[Outcome], flag: str) -> Interval | None:
    """Share of scored outcomes with a flag: ``answered``, ``no_answer``, ``truncated`` or ``anywhere``."""
    scored = [o for o in outcomes if o.value is not None and getattr(o, flag) is not None]
    return mean_interval([float(getattr(o, flag)) for o in scored], [o.cluster for o in scored])


def print_runs(runs: Sequence[Run], console: Console) -> None:
    """One row per run, then each run's groups, then why samples have no score. Fits 80 columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("task", "left"),
        ("model", "left"),
        ("n", "right"),
        ("score ±95%", "right"),
        # On two lines, so that 80 columns hold the names beside them.
        ("no\nanswer", "right"),
        ("trun-\ncated", "right"),
        ("un-\nscored", "right"),
        ("/s", "right"),
    ):
        # Long names go on in the next line; a cut one could not be told from another.
        table.add_column(
            heading,
            justify=justify,  # type: ignore[arg-type]
            vertical="bottom",
            no_wrap=heading not in ("task", "model"),
            overflow="fold",
        )
    for run in runs:
        interval = score_interval(run.outcomes)
        table.add_row(
            shown(run.task),
            shown(short_name(run)),
            n_text(interval.n if interval else 0),
            score_text(interval),
            percent(rate_interval(run.outcomes, "no_answer")),
            percent(rate_interval(run.outcomes, "truncated")),
            str(sum(run.unscored.values())),
            f"{run.samples_per_second:.1f}" if run.samples_per_second else "–",
        )
    console.print(table)
    for run in runs:
        measured = run_metrics(run)
        if measured:
            console.print()
            console.print(metrics_table(shown(f"{run.task} × {short_name(run)}"), measured))
            if any(metric.lower for metric in measured):
                console.print("↓ counts what is wrong: lower is better", style="dim")
            for name, signature in metric_signatures(run).items():
                console.print(shown(f"{name}: {signature}"), style="dim", soft_wrap=True)
            if (cut := cut_note(measured)) is not None:
                console.print(cut, style="yellow", soft_wrap=True)
        for field, parts in _tables(run).items():
            # Where answers are right or wrong, that is what a group's table is for; other numbers of its
            # groups are in the JSON.
            exact = rate_interval(run.outcomes, "no_answer") is not None
            tables = (
                [table for part in parts for table in group_metrics_tables(run, part)]
                if measured and not exact
                else [_group_table(run, field, parts)]
            )
            for table in tables:
                console.print()
                console.print(table)
        if run.minutes is not None:
            console.print(f"{run.minutes:.1f} minutes of inference", style="dim")
        for warning in run_warnings(run.identity):
            console.print(shown(f"warning: {warning}"), style="yellow")
        for reason, count in run.unscored.most_common():
            line = shown(f"{count} unscored in {run.task} × {short_name(run)}: {reason}")
            console.print(line, style="yellow")
    if any(0 < count < SMALL for run in runs for count in _counts(run)):
        console.print(SMALL_NOTE, style="dim")


def _tables(run: Run) -> dict[str, list[str]]:
    """The tables of groups: a field each, the overlapping groups of one field (`context: IMG`) together."""
    tables: dict[str, list[str]] = {}
    for field in fields_that_divide(run):
        tables.setdefault(field.partition(": ")[0], []).append(field)
    return tables


def fields_that_divide(run: Run) -> list[str]:
    """The report's fields with several groups here; where none has, the first, which shows all samples."""
    dividing = [field for field in run.report_by if len(_groups(run, field)) > 1 or ": " in field]
    return dividing or list(run.report_by[:1])


def _counts(run: Run) -> list[int]:
    """Every number of samples that the tables of a run show."""
    groups = [_groups(run, part) for parts in _tables(run).values() for part in parts]
    scored = [sum(one.value is not None for one in run.outcomes)]
    return scored + [len(members) for group in groups for members in group.values()]


def _group_table(run: Run, field: str, parts: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(f"{run.task} by {field}"), overflow="fold")
    for heading in ("n", "score ±95%", "answered ±95%", "anywhere ±95%"):
        table.add_column(heading, justify="right", no_wrap=True)
    groups = {group: members for part in parts for group, members in _groups(run, part).items()}
    for group, members in {"all": list(run.outcomes), **groups}.items():
        interval = score_interval(members)
        n = interval.n if interval else 0
        table.add_row(
            shown(group),
            n_text(n),
            score_text(interval),
            rate_text(rate_interval(members, "answered")),
            rate_text(rate_interval(members, "anywhere")),
        )
    return table


def _groups(run: Run, field: str) -> dict[str, list[Outcome]]:
    names = sorted({outcome.groups[field] for outcome in run.outcomes if field in outcome.groups})
    return {name: [o for o in run.outcomes if o.groups.get(field) == name] for name in names}


def run_json(run: Run) -> dict[str, Any]:
    """A run as plain data: identity, score, rates and groups with n and interval, unscored reasons."""
    return {
        "task": run.task,
        "model": run.model,
        "status": run.status,
        "log": run.location,
        "identity": dict(run.identity),
        "expected": run.expected,
        "score": interval_json(score_interval(run.outcomes)),
        "rates": {
            flag: interval_json(rate_interval(run.outcomes, flag))
            for flag in ("answered", "no_answer", "truncated", "anywhere")
        },
        "unscored": dict(run.unscored),
        "warnings": run_warnings(run.identity),
        "metrics": [metric_json(metric) for metric in run_metrics(run)],
        "groups": {
            field: {group: _group_json(members) for group, members in _groups(run, field).items()}
            for field in run.report_by
        },
        "group_metrics": _group_metrics_json(run),
        "samples_per_second": run.samples_per_second,
        "inference_minutes": run.minutes,
        # None where nobody counted them, as for completions made elsewhere.
        "output_tokens": sum(outcome.output_tokens for outcome in run.outcomes) or None,
    }


def _group_metrics_json(run: Run) -> dict[str, dict[str, list[dict[str, Any]]]]:
    if not run.outcomes.numbers:
        return {}
    return {
        field: {
            name: [metric_json(m) for m in run_metrics(run, np.flatnonzero(labels.codes == code))]
            for code, name in enumerate(labels.names)
        }
        for field, labels in run.outcomes.groups.items()
    }


def _group_json(members: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "score": interval_json(score_interval(members)),
        "answered": interval_json(rate_interval(members, "answered")),
        "anywhere": interval_json(rate_interval(members, "anywhere")),
        "unscored": sum(outcome.value is None for outcome in members),
    }
