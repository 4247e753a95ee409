"""A comparison as the terminal shows it, in 80 columns, and as JSON with everything in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.compared.comparison import GroupComparison, TaskComparison
from results.compared.comparison_text import (
    difference_text,
    flip_headings,
    interval_text,
    notes,
    p_text,
    verdict_text,
)
from results.compared.flips import Flip, answer_text
from results.logs.logged_run import Run, short_name
from results.shown.words import shown

_STYLES = {
    "improved": "bold green",
    "regressed": "bold red",
    "not worse": "green",
    "undecided": "bold yellow",
}


def print_comparison(
    tasks: Sequence[TaskComparison], flipped: Sequence[Sequence[Flip]], console: Console
) -> None:
    """One row per task, then each verdict with what it rests on, its groups and its flips."""
    console.print(shown(f"base       {_model(tasks[0].base)}"), soft_wrap=True)
    console.print(shown(f"candidate  {_model(tasks[0].candidate)}"), soft_wrap=True)
    console.print()
    console.print(_task_table(tasks))
    for task, own in zip(tasks, flipped, strict=True):
        console.print()
        console.print(
            Text.assemble(shown(task.task), ": ", (verdict_text(task), _STYLES[task.verdict])), soft_wrap=True
        )
        for line in notes(task):
            console.print(shown(f"  {line}"), soft_wrap=True)
        for line in task.warnings:
            console.print(shown(f"  note: {line}"), style="yellow", soft_wrap=True)
        for field, groups in task.groups.items():
            console.print()
            console.print(_group_table(task, field, groups))
        for flip in own:
            _print_flip(flip, console)


def _model(run: Run) -> str:
    return f"{short_name(run)}  ({run.location})"


def _table(first: str, tasks: Sequence[TaskComparison]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(first), overflow="fold", vertical="bottom")
    changed = [heading.replace("→", "→\n") for heading in flip_headings(tasks)]
    for heading in ("n", "base", "candi-\ndate", "difference ±95%", "p", *changed):
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    return table


def _task_table(tasks: Sequence[TaskComparison]) -> Table:
    table = _table("task", tasks)
    for task in tasks:
        table.add_row(
            shown(task.task),
            str(task.found.n),
            f"{100 * task.base_score:.1f}",
            f"{100 * task.candidate_score:.1f}",
            interval_text(task),
            p_text(task.p_adjusted),
            str(task.found.worse),
            str(task.found.better),
        )
    return table


def _group_table(task: TaskComparison, field: str, groups: Sequence[GroupComparison]) -> Table:
    table = _table(f"{task.task} by {field}", [task])
    for one in groups:
        found = one.found
        table.add_row(
            shown(one.group),
            str(found.n),
            f"{100 * one.base:.1f}",
            f"{100 * one.candidate:.1f}",
            difference_text(found.difference, found.low, found.high),
            p_text(one.p_adjusted),
            str(found.worse),
            str(found.better),
        )
    return table


def _print_flip(flip: Flip, console: Console) -> None:
    """Question, answers and pictures come from records and models: nothing in them is obeyed."""
    console.print()
    way = "lost" if flip.worse else "gained"
    console.print(
        Text.assemble((way, "red" if flip.worse else "green"), "  ", shown(flip.id)), soft_wrap=True
    )
    for name, value in (
        ("question", flip.question),
        ("target", flip.target),
        ("base", answer_text(flip.base)),
        ("candidate", answer_text(flip.candidate)),
        ("image", flip.image or "none recorded"),
    ):
        console.print(shown(f"  {name:<10} {value}"), soft_wrap=True)


def comparison_json(
    tasks: Sequence[TaskComparison], flipped: Sequence[Sequence[Flip]]
) -> list[dict[str, Any]]:
    """Everything a comparison found, as plain data; scores, differences and margins are fractions."""
    return [_task_json(task, own) for task, own in zip(tasks, flipped, strict=True)]


def _task_json(task: TaskComparison, flipped: Sequence[Flip]) -> dict[str, Any]:
    found = task.found
    return {
        "task": task.task,
        "verdict": task.verdict,
        "says": verdict_text(task),
        "base": _side_json(task.base, task.base_score),
        "candidate": _side_json(task.candidate, task.candidate_score),
        "n": found.n,
        "clusters": found.clusters,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "standard_error": _finite(found.error),
        "p": found.p,
        "p_exact": found.test.exact,
        "p_holm": task.p_adjusted,
        "test": found.test.name,
        "right_to_wrong": found.worse,
        "wrong_to_right": found.better,
        "margin": task.margin,
        "detectable": _finite(task.detectable),
        "needed": task.needed,
        "overlap": task.pairs.overlap,
        "unscored": {
            "pairs": task.pairs.unscored,
            "base": task.pairs.unscored_base,
            "candidate": task.pairs.unscored_candidate,
        },
        "rates": {
            one.name: {"base": one.base, "candidate": one.candidate, "p": one.p, "n": one.n}
            for one in task.rates
        },
        "groups": {field: [_group_json(one) for one in groups] for field, groups in task.groups.items()},
        "same_weights": task.same_weights,
        "notes": notes(task),
        "warnings": list(task.warnings),
        "flips": [_flip_json(flip) for flip in flipped],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _side_json(run: Run, score: float) -> dict[str, Any]:
    return {
        "model": run.model,
        "log": run.location,
        "score": score,
        "identity": dict(run.identity),
        "output_tokens": int(run.outcomes.output_tokens.sum()),
        "seconds": run.seconds,
        "samples_per_second": run.samples_per_second,
    }


def _group_json(one: GroupComparison) -> dict[str, Any]:
    found = one.found
    return {
        "group": one.group,
        "n": found.n,
        "clusters": found.clusters,
        "base": one.base,
        "candidate": one.candidate,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "p_holm": one.p_adjusted,
        "right_to_wrong": found.worse,
        "wrong_to_right": found.better,
    }


def _flip_json(flip: Flip) -> dict[str, Any]:
    return {
        "id": flip.id,
        "question": flip.question,
        "image": flip.image,
        "target": flip.target,
        "base": {"answer": flip.base.answer, "value": flip.base.value},
        "candidate": {"answer": flip.candidate.answer, "value": flip.candidate.value},
    }
