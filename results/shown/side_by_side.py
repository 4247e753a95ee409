"""Several models on the same samples: a column each, beside what the most frequent answer scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Outcome
from results.shown.run_table import fields_that_divide, score_interval
from results.shown.words import score_text, shown


def majority(targets: Iterable[str]) -> float | None:
    """The score of always giving the most frequent answer, from 0 to 1; None without targets.

    Targets are compared as written; of a target with alternatives (``a | b``) each counts.
    """
    given = list(targets)
    counts = Counter(answer for target in given for answer in set(target.split(" | ")))
    return max(counts.values()) / len(given) if given else None


def majority_of_groups(outcomes: Iterable[Outcome], field: str) -> float | None:
    """The same where the most frequent target of its group is given for each sample."""
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.groups.get(field, ""), []).append(outcome.target)
    total = sum(map(len, groups.values()))
    right = sum((majority(targets) or 0.0) * len(targets) for targets in groups.values())
    return right / total if total else None


def print_side_by_side(runs: Sequence[Run], console: Console) -> None:
    """For each task that several runs answered on the same data, a table per field that it reports by.

    Only where samples are right or wrong: of a graded text no answer is the most frequent one.
    """
    tasks: dict[tuple[str, object], list[Run]] = {}
    for run in runs:
        tasks.setdefault((run.task, run.identity.get("data_hash")), []).append(run)
    for same in tasks.values():
        if len(same) > 1 and all(map(_exact, same)):
            for field in fields_that_divide(same[0]):
                console.print()
                console.print(_table(same, field))


def _exact(run: Run) -> bool:
    values = {outcome.value for outcome in run.outcomes if outcome.value is not None}
    return bool(values) and values <= {0.0, 1.0}


def _table(runs: Sequence[Run], field: str) -> Table:
    """One row per group, all samples first. majority: the score of always giving the most frequent answer."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(f"{runs[0].task} by {field}"), overflow="fold", vertical="bottom")
    table.add_column("n", justify="right", no_wrap=True, vertical="bottom")
    table.add_column("majority", justify="right", no_wrap=True, vertical="bottom")
    for run in runs:
        heading = shown(f"{short_name(run)}")
        table.add_column(heading, justify="right", overflow="fold", vertical="bottom", min_width=17)
    first = list(runs[0].outcomes)
    names = sorted({outcome.groups[field] for outcome in first if field in outcome.groups})
    for name in (None, *names):
        chosen = [_members(run, field, name) for run in runs]
        share = (
            majority_of_groups(chosen[0], field)
            if name is None
            else majority(outcome.target for outcome in chosen[0])
        )
        table.add_row(
            shown("all" if name is None else name),
            str(len(chosen[0])),
            "–" if share is None else f"{100 * share:.1f}",
            *(score_text(score_interval(members)) for members in chosen),
        )
    return table


def _members(run: Run, field: str, name: str | None) -> list[Outcome]:
    return [outcome for outcome in run.outcomes if name is None or outcome.groups.get(field) == name]
