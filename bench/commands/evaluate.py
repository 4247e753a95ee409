"""Running tasks and looking at what came out: run, score, mistakes, view."""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bench.commands.chosen_runs import newest_log
from bench.commands.options import (
    BertscoreModel,
    DatasetArgs,
    Epochs,
    Json,
    Limit,
    LogDir,
    MaxTokens,
    ModelArgs,
    ModelBaseUrl,
    Pairs,
    Resume,
    Seed,
    TaskName,
    Temperature,
    TrustRemoteCode,
)
from bench.commands.terminal import TerminalShow, console, inspect_display, names, pairs, print_description
from bench.errors import IncompleteRunError, RequestError


def run(
    tasks: Annotated[
        str, typer.Argument(metavar="TASK[,TASK]", help="Task names, task.yaml paths, or inspect tasks.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="M[,M]",
            help="Checkpoint folder, adapter folder, hub id, nano, nano-untrained, or an inspect model "
            "(openai/…, vllm/…).",
        ),
    ],
    solver: Annotated[
        str | None,
        typer.Option(
            help="A solver other than the task's: generate, or option_likelihood for tasks with options."
        ),
    ] = None,
    solver_arg: Annotated[
        Pairs | None,
        typer.Option("-S", metavar="KEY=VALUE", help="Solver argument, such as normalise=prior."),
    ] = None,
    limit: Limit = None,
    sample_id: Annotated[
        str | None, typer.Option(metavar="ID[,ID]", help="Score only these samples.")
    ] = None,
    epochs: Epochs = None,
    seed: Seed = None,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    log_dir: LogDir = Path("logs"),
    resume: Resume = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved task, model and one prompt; run nothing.")
    ] = False,
    fail_on_error: Annotated[
        bool, typer.Option("--fail-on-error", help="Stop at the first sample that cannot be scored.")
    ] = False,
    task_arg: DatasetArgs = None,
    bertscore_model: BertscoreModel = None,
    model_arg: ModelArgs = None,
    model_base_url: ModelBaseUrl = None,
    trust_remote_code: TrustRemoteCode = False,
    log_images: Annotated[
        bool,
        typer.Option("--log-images/--no-log-images", help="Keep the pictures in the log, for the viewer."),
    ] = True,
    show: Annotated[
        Literal["bar", "plain", "none", "rich", "full", "conversation", "log"],
        typer.Option(help="Progress: our bar, none, or one of inspect's displays."),
    ] = "bar",
    as_json: Json = False,
) -> None:
    """Score models on tasks, through vLLM, into inspect logs."""
    from bench.declarations.catalog import find_task, is_inspect_task

    for name in names(tasks, "TASK"):
        if not is_inspect_task(name):
            find_task(name)  # a wrong name is said before seconds of imports
    from bench.running.request import RunRequest
    from bench.running.run import run as run_all

    request = RunRequest(
        tasks=names(tasks, "TASK"),
        models=names(model, "--model"),
        log_dir=log_dir,
        limit=limit,
        sample_ids=names(sample_id, "--sample-id") if sample_id else (),
        epochs=epochs,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        resume=resume,
        fail_on_error=fail_on_error,
        dataset_args={**_task_args(task_arg, bertscore_model), **_solver(solver, pairs(solver_arg, "-S"))},
        model_args=pairs(model_arg, "-M"),
        base_url=model_base_url,
        trust_remote_code=trust_remote_code,
        log_images=log_images,
    )
    if dry_run:
        from bench.running.dry_run import describe

        print_description(describe(request), as_json)
        return
    inspect_display("none" if show == "bar" else show)
    runs = run_all(request, TerminalShow(console(stderr=True), bar=show == "bar", quiet=show == "none"))
    _print_results(runs, as_json)
    if all(not one.outcomes.scored.any() for one in runs):
        raise IncompleteRunError("no sample was scored; the reasons are above")


def _solver(name: str | None, arguments: dict[str, Any]) -> dict[str, Any]:
    """The solver as a task's argument; it is part of what was asked, and of what a resumed run must match."""
    if name is None and arguments:
        raise RequestError(f"-S {next(iter(arguments))}: give --solver NAME as well")
    return {} if name is None else {"solver": {name: arguments} if arguments else name}


def _print_results(runs: list[Any], as_json: bool) -> None:
    from results.shown.run_table import print_runs, run_json
    from results.shown.side_by_side import print_side_by_side

    if as_json:
        print(json.dumps([run_json(one) for one in runs], indent=2, ensure_ascii=False))
        return
    out = console()
    print_runs(runs, out)
    print_side_by_side(runs, out)
    out.print()
    for one in runs:
        out.print(f"log: {one.location}", soft_wrap=True, markup=False, highlight=False)
    log = shlex.quote(runs[0].location)
    folder = shlex.quote(str(Path(runs[0].location).parent))
    out.print(
        f"look: bench mistakes {log}   or   bench view --log-dir {folder}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def score(
    task: TaskName,
    completions: Annotated[Path, typer.Argument(help='JSONL rows {"id": …, "completion": …}.')],
    samples: Annotated[
        Path | None, typer.Option(help="JSONL records (id, target, group fields) other than the task's own.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help="The model that wrote them, for the tables."),
    ] = None,
    log_dir: LogDir = Path("logs"),
    task_arg: DatasetArgs = None,
    bertscore_model: BertscoreModel = None,
    as_json: Json = False,
) -> None:
    """Score completions made elsewhere, into a log like that of `run`; exit code 4 when some are missing."""
    from bench.running.replayed import score_completions
    from solvers.replay import MISSING

    inspect_display("none")
    shown = TerminalShow(console(stderr=True), bar=True, quiet=False)
    given = _task_args(task_arg, bertscore_model)
    one = score_completions(task, completions, samples, log_dir, given, shown, model)
    _print_results([one], as_json)
    if missing := one.unscored[MISSING]:
        raise IncompleteRunError(
            f"{completions} has no completion for {missing} of the {one.expected} samples, left unscored. "
            "Add them or, if you asked for only a part, give its records (-T, or --samples FILE)"
        )
    if not one.outcomes.scored.any():
        raise IncompleteRunError("no sample was scored; the reasons are above")


def _task_args(task_arg: Pairs | None, bertscore_model: str | None) -> dict[str, Any]:
    given = pairs(task_arg, "-T")
    return {**given, "bertscore_model": bertscore_model} if bertscore_model else given


def mistakes(
    logs: Annotated[
        list[str],
        typer.Argument(help="Logs that `run` or `score` wrote; a folder (with @model) means its newest."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file, for one log; beside the log when not given.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Show at most this many.")] = 200,
) -> None:
    """One page with the picture, question, target and completion of each sample that was not right."""
    from zipfile import BadZipFile

    from results.shown.mistakes import write_mistakes

    if out is not None and len(logs) > 1:
        raise RequestError(f"--out {out} names one page, and {len(logs)} logs were given; leave it out")
    for log in map(newest_log, logs):
        page = out or log.with_suffix(".mistakes.html")
        try:
            made = write_mistakes(log, page, n)
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RequestError(f"{log}: not a readable inspect log ({error})") from error
        there = made.under + made.unscored
        cut = f"; the first {made.shown} are shown" if made.shown < there else ""
        counted = f"{made.under} of {made.samples} samples under the full score, {made.unscored} unscored"
        print(f"{page}: {counted}{cut}")
        if made.not_run:
            print(f"{made.not_run} samples were not run; run the same `bench run` with --resume to continue")


def view(
    log_dir: LogDir = Path("logs"), port: Annotated[int, typer.Option(help="Local port.")] = 7575
) -> None:
    """Open inspect's viewer on the logs."""
    from inspect_ai import view as inspect_view

    if not log_dir.is_dir():
        raise RequestError(f"--log-dir {log_dir}: no such folder; `bench run` makes one")
    with contextlib.suppress(KeyboardInterrupt):  # how a viewer is ended
        inspect_view(log_dir=str(log_dir), port=port)
