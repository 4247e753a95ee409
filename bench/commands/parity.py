"""``bench parity``: do vLLM and transformers write the same with one checkpoint?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.commands.options import (
    DatasetArgs,
    Json,
    Limit,
    LogDir,
    MaxTokens,
    Pairs,
    Resume,
    TaskName,
    TrustRemoteCode,
)
from bench.commands.terminal import TerminalShow, console, inspect_display, pairs

if TYPE_CHECKING:
    from results.compared.engine_parity import Parity

_SHOWN = 3


def parity(
    model: Annotated[str, typer.Argument(help="Checkpoint folder, adapter folder, hub id or nano.")],
    task: TaskName,
    limit: Limit = None,
    at_least: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 when a smaller share has equal tokens.")
    ] = None,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"] | None,
        typer.Option(help="Numeric type of both engines; the checkpoint's own otherwise."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Batch of the transformers engine.")] = 8,
    max_tokens: MaxTokens = None,
    log_dir: LogDir = Path("logs-parity"),
    resume: Resume = False,
    task_arg: DatasetArgs = None,
    model_arg: Annotated[
        Pairs | None, typer.Option("-M", metavar="KEY=VALUE", help="Argument of the vLLM engine.")
    ] = None,
    trust_remote_code: TrustRemoteCode = False,
    show: Annotated[Literal["bar", "none"], typer.Option(help="Progress.")] = "bar",
    as_json: Json = False,
) -> None:
    """Compare what vLLM and transformers write, greedily, with one checkpoint."""
    from bench.running.two_engines import ParityRequest, compare_engines

    inspect_display("none")
    found = compare_engines(
        ParityRequest(
            model=model,
            task=task,
            limit=limit,
            dtype=dtype,
            batch_size=batch_size,
            max_tokens=max_tokens,
            log_dir=log_dir,
            resume=resume,
            dataset_args=pairs(task_arg, "-T"),
            engine_args=pairs(model_arg, "-M"),
            trust_remote_code=trust_remote_code,
        ),
        TerminalShow(console(stderr=True), bar=show == "bar", quiet=show == "none"),
    )
    equal = found.tokens
    too_few = at_least is not None and equal is not None and equal.mean < at_least
    if as_json:
        print(json.dumps({**found.as_plain(), "at_least": at_least, "passed": not too_few}, indent=2))
    else:
        _print(found)
        if too_few:
            console(stderr=True).print(f"fewer than {at_least:.1%} have equal tokens", style="red")
    if too_few:
        sys.exit(1)


def _print(found: Parity) -> None:
    from rich.table import Table

    from results.compared.engine_parity import examples, position_summary
    from results.shown.run_table import score_interval
    from results.shown.words import score_text, shown

    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(f"{found.first.task}: the same checkpoint through"))
    for heading in ("n", "score ±95%", "not completed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run, missing in zip((found.first, found.second), found.missing, strict=True):
        known = run.identity
        interval = score_interval(run.outcomes)
        table.add_row(
            shown(f"{known.get('engine')} {known.get('engine_version')} {known.get('dtype')}"),
            str(interval.n if interval else 0),
            score_text(interval),
            str(missing.total()),
        )
    out.print(table)
    out.print()
    shares = (
        ("equal tokens", found.tokens),
        ("equal texts", found.completions),
        ("equal scores", found.scores),
    )
    for title, share in shares:
        n = share.n if share else 0
        out.print(f"{title:12} n {n:5}  {score_text(share)}%", markup=False, highlight=False)
    places = position_summary(found.parted)
    if places is not None:
        low, middle, high = places["quartiles"]
        out.print(
            f"{places['n']} part at token {places['least']} to {places['most']}, median {middle}, "
            f"quartiles {low} and {high}",
            highlight=False,
        )
        counts = "  ".join(f"{name}: {count}" for name, count in places["counts"].items())
        out.print(f"by token  {counts}", markup=False, highlight=False)
    for pair in examples(found, _SHOWN):
        one, other = pair.said or ("", "")
        out.print(shown(f"{pair.id} {_where(pair.parts_at)}: {one!r}  |  {other!r}"), style="dim")
    for run, missing in zip((found.first, found.second), found.missing, strict=True):
        for reason, count in missing.most_common():
            out.print(
                shown(f"{count} not completed by {run.identity.get('engine')}: {reason}"), style="yellow"
            )
    for run in (found.first, found.second):
        out.print(f"log: {run.location}", soft_wrap=True, markup=False, highlight=False)


def _where(parts_at: int | None) -> str:
    return "in the text alone" if parts_at is None else f"at token {parts_at}"
