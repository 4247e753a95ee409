"""``bench distill``: a teacher's run over a train split, and the training folder it becomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.commands.options import (
    DatasetArgs,
    Json,
    Limit,
    MaxTokens,
    ModelArgs,
    ModelBaseUrl,
    Pairs,
    Resume,
    Temperature,
    TrustRemoteCode,
)
from bench.commands.terminal import TerminalShow, console, inspect_display, pairs, print_description
from bench.errors import RequestError

if TYPE_CHECKING:
    from bench.teaching.distillation import Distilled


def distill(
    task: Annotated[str | None, typer.Argument(help="Task name or task.yaml.")] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="M", help="Any --model of `bench run`, or programmatic: the task's own rationales."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The training folder; with --inspect, the page.")] = None,
    inspect: Annotated[
        Path | None, typer.Option("--inspect", metavar="DIR", help="Show a training folder's rows as a page.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="With --inspect: at most this many rows.")] = 60,
    limit: Limit = None,
    samples_per: Annotated[
        Pairs | None,
        typer.Option(metavar="FIELD=N", help="Ask about at most N samples of each group, such as topic=50."),
    ] = None,
    retries: Annotated[
        int | None, typer.Option(min=0, help="Further attempts, each with another seed.")
    ] = None,
    calls: Annotated[
        Literal["one", "stage"] | None, typer.Option(help="One call for all stages, or a call for each.")
    ] = None,
    fallback: Annotated[
        bool, typer.Option("--fallback", help="Use the bare answer for samples whose text is rejected.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first attempt.")] = 0,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN,OUT", help="Dollars per million tokens read and written, to show the cost."),
    ] = None,
    resume: Resume = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be asked and one whole prompt; run nothing.")
    ] = False,
    log_dir: Annotated[
        Path | None, typer.Option("--log-dir", help="Folder of the teacher's log; OUT.logs otherwise.")
    ] = None,
    task_arg: DatasetArgs = None,
    model_arg: ModelArgs = None,
    model_base_url: ModelBaseUrl = None,
    trust_remote_code: TrustRemoteCode = False,
    show: Annotated[Literal["bar", "none"], typer.Option(help="Progress.")] = "bar",
    as_json: Json = False,
) -> None:
    """Ask a teacher about a task's train split; what its scorer accepts becomes a training folder."""
    if inspect is not None:
        _write_page(inspect, out, n)
        return
    if task is None or teacher is None or out is None:
        missing = [
            name for name, given in (("TASK", task), ("--teacher", teacher), ("--out", out)) if not given
        ]
        raise RequestError(
            f"{', '.join(missing)} missing: bench distill TASK --teacher MODEL --out DIR, or --inspect DIR"
        )
    from bench.teaching.distillation import DistillRequest, describe_teaching, run_teacher

    request = DistillRequest(
        task=task,
        teacher=teacher,
        out=out,
        log_dir=log_dir,
        limit=limit,
        samples_per=_counts(samples_per),
        retries=retries,
        calls=calls,
        fallback=fallback,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        price=_price(price),
        resume=resume,
        dataset_args=pairs(task_arg, "-T"),
        model_args=pairs(model_arg, "-M"),
        base_url=model_base_url,
        trust_remote_code=trust_remote_code,
    )
    if dry_run:
        print_description(describe_teaching(request), as_json)
        return
    inspect_display("none")
    made = run_teacher(request, TerminalShow(console(stderr=True), bar=show == "bar", quiet=show == "none"))
    if as_json:
        content = {"folders": [str(folder) for folder in made.folders], "log": made.log, **made.provenance}
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    _print_result(made)


def _counts(given: list[str] | None) -> dict[str, int]:
    counts = pairs(given, "--samples-per")
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise RequestError(f"--samples-per {name}={value}: give a whole number from 1 up")
    return counts


def _price(given: str | None) -> tuple[float, float] | None:
    if given is None:
        return None
    try:
        read, written = map(float, given.split(","))
        if not (0 <= read < float("inf") and 0 <= written < float("inf")):
            raise ValueError
    except ValueError:
        raise RequestError(
            f"--price {given}: give IN,OUT: dollars per million tokens read, and written"
        ) from None
    return read, written


def _print_result(made: Distilled) -> None:
    from rich.table import Table

    from results.shown.acceptance_table import group_label
    from results.shown.run_table import score_interval
    from results.shown.words import score_text, shown

    out, found = console(), made.acceptance
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(
        shown(f"{made.provenance['task']} × {made.provenance['teacher']['model']}"), overflow="fold"
    )
    for heading in ("asked", "accepted ±95%", "rejected", "unscored"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = {"all": list(found.run.outcomes)}
    for name, groups in found.groups().items():
        rows.update({group_label(name, group): list(members) for group, members in groups.items()})
    for label, members in rows.items():
        rejected = sum(o.value is not None and o.value < 1 for o in members)
        unscored = sum(o.value is None for o in members)
        if label == "all":
            unscored += found.run.unscored["not run"]
        asked = len(members) if label != "all" else found.run.expected
        rate = score_text(score_interval(members))
        table.add_row(shown(label), str(asked), rate, str(rejected), str(unscored))
    out.print(table)
    for title, reasons in (("rejected", found.rejected), ("unscored", found.run.unscored)):
        for reason, count in reasons.most_common():
            out.print(shown(f"{count} {title}: {reason}"), style="yellow")
    plain = made.provenance
    lines = []
    if plain["generation"] is not None:
        attempts = plain["attempts"]
        cost = (
            "cost not known (--price IN,OUT)" if plain["cost_usd"] is None else f"{plain['cost_usd']:.4f} USD"
        )
        minutes = f", {plain['minutes']:.1f} minutes" if plain["minutes"] else ""
        tokens = plain["tokens"]
        lines.append(
            f"{attempts} attempts, {tokens['input']:,} tokens read, {tokens['output']:,} written, "
            f"{cost}{minutes}"
        )
    bare = f", {plain['fallbacks']} of them bare answers" if plain["fallbacks"] else ""
    for folder in made.folders:
        lines.append(f"{folder}: {plain['rows']} rows{bare}")
    lines += [
        f"log: {made.log}",
        f"look: bench distill --inspect {made.folders[0]}   or   bench mistakes {made.log}",
    ]
    for line in lines:
        out.print(line, soft_wrap=True, markup=False, highlight=False)


def _write_page(folder: Path, out: Path | None, most: int) -> None:
    from bench.records.training_folder import read_folder
    from bench.teaching.training_page import training_page

    rows, total, provenance = read_folder(folder, most)
    # Beside the folder, which may be pushed whole.
    page = out or folder.absolute().with_name(folder.absolute().name + ".html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(training_page(folder.absolute().name, rows, total, provenance), encoding="utf-8")
    print(f"{page}: {len(rows)} of {total} rows")
