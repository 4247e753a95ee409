"""``bench overlap``: which samples of a task its train split has as well, and what that does to a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands.chosen_runs import log_file
from bench.commands.options import DatasetArgs, Json, TaskName
from bench.commands.terminal import console, pairs

if TYPE_CHECKING:
    from bench.records.repeats import Repeat
    from results.logs.logged_run import Run


_REPEATED = {"item": "items", "image": "pictures", "near": "near pictures"}


def overlap(
    task: TaskName,
    log: Annotated[
        Path | None, typer.Option(help="A log of the task: its accuracy with and without the repeats.")
    ] = None,
    train: Annotated[str, typer.Option(help="The split that was trained on.")] = "train",
    task_arg: DatasetArgs = None,
    as_json: Json = False,
) -> None:
    """Count the samples that the train split repeats: text and picture together, and pictures alone."""
    from bench.declarations.catalog import find_task
    from bench.records.repeats import counts
    from bench.records.repeats import split_repeats as compare

    found = compare(find_task(task), pairs(task_arg, "-T"), train)
    split = None if log is None else _scores(found, log_file(log))
    if as_json:
        rows = [vars(one) for one in found if one.repeated]
        print(json.dumps({"counts": counts(found), "scores": split, "repeats": rows}, indent=2))
        return
    _print_counts(task, train, counts(found))
    if split is not None:
        _print_scores(split)


def _scores(found: list[Repeat], log: Path) -> dict[str, Any]:
    """The log's accuracy over all samples, and without those that repeat something of the train split."""
    from bench.errors import NotComparableError
    from results.logs.logged_run import read_run
    from results.shown.run_table import score_interval
    from results.shown.words import interval_json

    run: Run = read_run(log)
    known = {one.id: one for one in found}
    strangers = [
        outcome.id for outcome in run.outcomes if outcome.id not in known and outcome.value is not None
    ]
    if strangers:
        raise NotComparableError(
            f"{log}: {len(strangers)} of its samples are not in these data, such as {strangers[0]!r}; "
            "give the -T of that run"
        )
    outcomes = [outcome for outcome in run.outcomes if outcome.id in known]
    parts = {"all": outcomes}
    for what, name in _REPEATED.items():
        parts[f"without repeated {name}"] = [o for o in outcomes if not getattr(known[o.id], what)]
    parts["repeated items"] = [outcome for outcome in outcomes if known[outcome.id].item]
    return {name: interval_json(score_interval(members)) for name, members in parts.items()}


def _print_counts(task: str, train: str, rows: dict[str, dict[str, int]]) -> None:
    from rich.table import Table

    from results.shown.words import shown

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(f"{task}: in {train} as well"), overflow="fold", vertical="bottom")
    for heading in ("n", "item", "picture", "near\npicture", "wording\nalone"):
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for group, row in rows.items():
        table.add_row(shown(group), *map(str, row.values()))
    out = console()
    out.print(table)
    out.print("item: text and picture both, near pictures included; without a picture, the text", style="dim")
    if rows["all"]["wording"]:
        out.print("wording alone: about other pictures, which asks something else; no repeat", style="dim")


def _print_scores(split: dict[str, Any]) -> None:
    out = console()
    out.print()
    for name, interval in split.items():
        if interval is None:
            out.print(f"{name:30} n 0")
            continue
        mean, low, high = (100 * interval[key] for key in ("mean", "low", "high"))
        out.print(
            f"{name:30} n {interval['n']:5}  {mean:.1f} [{low:.1f}, {high:.1f}]",
            highlight=False,
            markup=False,
        )
