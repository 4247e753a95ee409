"""Training: train, recipes."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.commands.options import Json, LogDir, Pairs, TrustRemoteCode
from bench.commands.terminal import TerminalShow, console, inspect_display, names, pairs
from trainers.machine.processes import PROCESSES

if TYPE_CHECKING:
    from rich.console import Console

    from bench.training.training_run import TrainRequest
    from trainers.training import TrainResult


def train(
    recipe: Annotated[str, typer.Argument(help="Recipe name (`bench recipes`) or recipe.yaml.")],
    changes: Annotated[
        Pairs | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a value, such as optimizer.learning_rate=1e-4."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the checkpoint; ./checkpoints/<recipe>/<time> otherwise.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the unfinished training of the same recipe.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be trained and one example; train nothing.")
    ] = False,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Train this many optimizer steps.")] = None,
    evaluate: Annotated[
        str | None, typer.Option("--eval", metavar="TASK[,TASK]", help="Then score the checkpoint.")
    ] = None,
    dataset_args: Annotated[
        Pairs | None,
        typer.Option(
            "-T",
            metavar="KEY=VALUE",
            help="Dataset argument of --eval, such as path=DIR, and of test data not to be trained on.",
        ),
    ] = None,
    report_to: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]", help="Also send the curve to tensorboard, wandb, mlflow or trackio."
        ),
    ] = None,
    allow_overlap: Annotated[
        bool,
        typer.Option("--allow-overlap", help="Train also on examples of test data; the lineage says so."),
    ] = False,
    trust_remote_code: TrustRemoteCode = False,
    nproc: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    nnodes: Annotated[int, typer.Option(min=1, help="Machines; the same command runs on each.")] = 1,
    rdzv: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Address of one machine, where all of them meet.")
    ] = None,
    parallelism: Annotated[
        Literal["ddp", "fsdp"],
        typer.Option(help="Each process holds the whole model (ddp) or a part of it (fsdp)."),
    ] = "ddp",
    log_dir: LogDir = Path("logs"),
    show: Annotated[Literal["bar", "plain", "none"], typer.Option(help="Progress.")] = "bar",
    as_json: Json = False,
) -> None:
    """Train a checkpoint from a recipe, ready for `bench run --model FOLDER`."""
    from bench.training.training_run import TrainRequest, describe_training, report_names, run_training

    # bitsandbytes says at its import which kernels it does without.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

    request = TrainRequest(
        recipe=recipe,
        changes=pairs(changes, "--set"),
        out=out,
        resume=resume,
        max_steps=max_steps,
        evaluate=names(evaluate, "--eval") if evaluate else (),
        dataset_args=pairs(dataset_args, "-T"),
        report_to=report_names(names(report_to, "--report-to")) if report_to else (),
        allow_overlap=allow_overlap,
        trust_remote_code=trust_remote_code,
    )
    shown = TrainingShow(console(stderr=True), show)
    if dry_run:
        with shown:
            description = describe_training(request, shown)
        _print_description(description, as_json)
        return
    if nproc * nnodes > 1 or parallelism == "fsdp":
        from bench.training.launch import Processes, train_in_processes

        result = train_in_processes(request, Processes(nproc, nnodes, rdzv, parallelism), show)
    else:
        # Some trackers greet on stdout, which is for the results.
        with shown, contextlib.redirect_stdout(sys.stderr):
            result = run_training(request, shown)
    if PROCESSES in os.environ:
        return  # one of several processes: who started them goes on
    runs = _evaluated(request, result, log_dir, show) if request.evaluate else []
    _print_result(result, runs, as_json)


def recipes(as_json: Json = False) -> None:
    """The recipes, with base, data and purpose."""
    from rich.table import Table

    from bench.declarations.recipes import builtin_recipes, find_recipe

    found = [find_recipe(name) for name in builtin_recipes()]
    if as_json:
        print(json.dumps([recipe.as_plain() for recipe in found], indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recipe", "base", "trains", "what it makes"):
        # A cut name could not be copied.
        table.add_column(heading, overflow="fold", no_wrap=heading == "recipe")
    for recipe in found:
        trains = recipe.adapter.kind if recipe.adapter else f"all but {', '.join(recipe.frozen)}"
        table.add_row(
            recipe.name,
            recipe.base.checkpoint,
            trains if recipe.adapter or recipe.frozen else "all",
            recipe.summary,
        )
    console().print(table)


class TrainingShow:
    """Says how a training goes on stderr: a bar with loss, speeds and ETA, or a line for each point."""

    def __init__(self, console: Console, show: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._console = console
        self._show = show
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            refresh_per_second=4,
            disable=show != "bar",
        )
        self._tasks: dict[str, Any] = {}
        self._quarters: dict[str, int] = {}

    def __enter__(self) -> TrainingShow:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """One line for the person who waits."""
        if self._show != "none":
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def records(self, done: int, total: int) -> None:
        """Records read or drawn."""
        self._prepared("records", done, total)

    def preparing(self, done: int, total: int) -> None:
        """Pictures prepared."""
        self._prepared("pictures", done, total)

    def point(self, point: Mapping[str, Any]) -> None:
        """A point of the curve."""
        said = point_text(point)
        if "eta" in point:
            self._advance("training", point["step"], point["steps"], said)
        if self._show == "plain" or "validation_loss" in point:
            self.say(f"step {point['step']}/{point['steps']}: {said}")

    def _prepared(self, label: str, done: int, total: int) -> None:
        self._advance(label, done, total)
        # Without a bar a wait of minutes would be silent.
        quarter = 4 * done // total if total else 0
        if self._show == "plain" and quarter > self._quarters.get(label, -1):
            self._quarters[label] = quarter
            self.say(f"{label}: {done:,} of {total:,}")

    def _advance(self, label: str, done: int, total: int, said: str = "") -> None:
        if label not in self._tasks:
            self._tasks[label] = self._bar.add_task(label, total=total, said="")
        self._bar.update(self._tasks[label], completed=done, total=total, said=said)


def point_text(point: Mapping[str, Any]) -> str:
    """A point of the curve in words."""
    if "validation_loss" in point:
        blind = ""
        if "validation_blind" in point:
            blind = f", and {100 * point['validation_blind']:.1f}% without seeing the picture (blind control)"
        return (
            f"validation loss {point['validation_loss']:.4f}, "
            f"{100 * point['validation_exact']:.1f}% exactly right{blind}"
        )
    left = time.strftime("%H:%M:%S", time.gmtime(round(point["eta"])))
    return (
        f"loss {point['loss']:.4f}  {point['tokens_per_second']:,.0f} tokens/s  "
        f"{point['images_per_second']:,.1f} images/s  left {left}"
    )


def _evaluated(request: TrainRequest, result: TrainResult, log_dir: Path, show: str) -> list[Any]:
    from bench.running.request import RunRequest
    from bench.running.run import run as run_all

    inspect_display("none")
    asked = RunRequest(
        tasks=request.evaluate,
        models=(str(result.folder),),
        log_dir=log_dir,
        dataset_args=request.dataset_args,
    )
    return run_all(asked, TerminalShow(console(stderr=True), bar=show == "bar", quiet=show == "none"))


def _print_result(result: TrainResult, runs: list[Any], as_json: bool) -> None:
    from results.shown.run_table import print_runs, run_json

    last = {key: value for point in result.points for key, value in point.items()}
    if as_json:
        content = {
            "checkpoint": str(result.folder),
            "steps": result.steps,
            "loss": last.get("loss"),
            "validation_loss": last.get("validation_loss"),
            "validation_exact": last.get("validation_exact"),
            "validation_blind": last.get("validation_blind"),
            "seconds": result.lineage["seconds"],
            "recipe_digest": result.lineage["recipe_digest"],
            "runs": [run_json(one) for one in runs],
        }
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    out = console()
    if runs:
        print_runs(runs, out)
        out.print()
        for one in runs:
            out.print(f"log: {one.location}", soft_wrap=True, markup=False, highlight=False)
    lines = [
        f"checkpoint: {result.folder}",
        f"loss {last.get('loss', float('nan')):.4f} after {result.steps} steps in "
        f"{result.lineage['seconds']:.0f} s; its curve: {result.folder / 'curve.png'}",
    ]
    if not runs:
        lines.append(f"score it: bench run TASK --model {result.folder}")
    for line in lines:
        out.print(line, soft_wrap=True, markup=False, highlight=False)


def _print_description(description: Mapping[str, Any], as_json: bool) -> None:
    import yaml

    if as_json:
        print(json.dumps(description, indent=2, ensure_ascii=False))
        return
    example = description["example"]
    plain = {key: value for key, value in description.items() if key != "example"}
    print(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100), end="")
    out = console()
    out.print(f"\nexample {example['id']}: what is trained on stands between ⟦ and ⟧", markup=False)
    out.print(example["text"], markup=False, highlight=False, soft_wrap=True)
