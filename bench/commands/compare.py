"""Is the candidate worse? compare, check, and the baselines that they hold it against."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands.chosen_runs import BASELINES, by_metric, find_runs, runs_of
from bench.commands.options import (
    AllowPartial,
    Alpha,
    BaselineFolder,
    CompareBy,
    DatasetArgs,
    Epochs,
    Html,
    Json,
    Limit,
    LogDir,
    Margin,
    MaxTokens,
    Metrics,
    ModelArgs,
    ModelBaseUrl,
    NoiseFloor,
    OnlyTasks,
    Resume,
    Seed,
    ShowFlips,
    Strict,
    Temperature,
    TrustRemoteCode,
)
from bench.commands.terminal import TerminalShow, console, inspect_display, names, note, pairs
from bench.errors import IncompleteRunError, NotComparableError, RequestError, did_you_mean

if TYPE_CHECKING:
    from inspect_ai import Task

    from bench.running.request import RunRequest
    from results.compared.comparison import Rules, TaskComparison
    from results.logs.logged_run import Run


def compare(
    base: Annotated[str, typer.Argument(help="A log, a log folder (with @model or @digest), or a baseline.")],
    candidate: Annotated[str, typer.Argument(help="The run to compare with it, named the same way.")],
    task: OnlyTasks = None,
    metric: Metrics = None,
    margin: Margin = 0.01,
    alpha: Alpha = 0.05,
    by: CompareBy = None,
    show_flips: ShowFlips = 0,
    noise_floor: NoiseFloor = None,
    allow_partial: AllowPartial = False,
    strict: Strict = False,
    html: Html = None,
    folder: BaselineFolder = BASELINES,
    as_json: Json = False,
) -> None:
    """Say for each task whether the candidate is better, worse or the same, sample by sample.

    Exit code 1 means worse (--strict: or undecided), 2 wrong request, 3 not comparable.
    """
    one, two = find_runs(base, folder), find_runs(candidate, folder)
    if task is not None:
        wanted = names(task, "--task")
        one, two = runs_of(one, wanted, base), runs_of(two, wanted, candidate)
    one, two = by_metric(one, metric), by_metric(two, metric)
    _say_missing(one, two)
    rules = _rules(margin, alpha, by, noise_floor, allow_partial, folder, [*one, *two])
    _decide(one, two, rules, show_flips, html, strict, as_json)


def check(
    tasks: Annotated[str, typer.Argument(metavar="TASK[,TASK]", help="Task names or task.yaml paths.")],
    model: Annotated[str, typer.Option("--model", "-m", help="The checkpoint to check, as in `bench run`.")],
    baseline: Annotated[str, typer.Option(help="A baseline's name; or a log, or a folder@model.")],
    margin: Margin = 0.01,
    alpha: Alpha = 0.05,
    by: CompareBy = None,
    show_flips: ShowFlips = 0,
    noise_floor: NoiseFloor = None,
    allow_partial: AllowPartial = False,
    strict: Strict = False,
    html: Html = None,
    folder: BaselineFolder = BASELINES,
    limit: Limit = None,
    epochs: Epochs = None,
    seed: Seed = None,
    temperature: Temperature = None,
    max_tokens: MaxTokens = None,
    log_dir: LogDir = Path("logs"),
    resume: Resume = False,
    task_arg: DatasetArgs = None,
    model_arg: ModelArgs = None,
    model_base_url: ModelBaseUrl = None,
    trust_remote_code: TrustRemoteCode = False,
    judges: Annotated[
        str | None,
        typer.Option(
            "--judge",
            metavar="M[,M]",
            help="Also judge its texts against the golden ones; the baseline must have that win rate.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a checkpoint and compare it with a baseline, as a gate for CI.

    Exit code 1 means worse (--strict: or undecided), 2 wrong request, 3 not comparable, 4 not completed.
    """
    asked = names(tasks, "TASK")
    # What can be wrong with these is said before seconds of imports.
    blessed = find_runs(baseline, folder)
    rules = _rules(margin, alpha, by, noise_floor, allow_partial, folder, blessed)
    base = runs_of(blessed, [_task_name(name) for name in asked], baseline)
    from bench.running.request import RunRequest
    from bench.running.run import named_task
    from bench.running.run import run as run_all

    request = RunRequest(
        tasks=asked,
        models=(model,),
        log_dir=log_dir,
        limit=limit,
        epochs=epochs,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        resume=resume,
        dataset_args=pairs(task_arg, "-T"),
        model_args=pairs(model_arg, "-M"),
        base_url=model_base_url,
        trust_remote_code=trust_remote_code,
    )
    request = _with_arguments(request, base)
    built = [named_task(name, request.dataset_args) for name in request.tasks]
    _check_measure(base, built)
    request = _with_samples(request, base, built)
    if judges is not None:
        _check_judged(blessed, [run.task for run in base], baseline)
    inspect_display("none")
    show = TerminalShow(console(stderr=True), bar=True, quiet=False)
    runs = run_all(request, show, built)
    if all(not one.outcomes.scored.any() for one in runs):
        reasons = ", ".join(f"{count} × {reason}" for one in runs for reason, count in one.unscored.items())
        raise IncompleteRunError(f"no sample was scored: {reasons}")
    if judges is not None:
        judged = _judged(runs, names(judges, "--judge"), request, show)
        base = [*base, *runs_of(blessed, [run.task for run in judged], baseline)]
        runs = [*runs, *judged]
    _decide(base, runs, rules, show_flips, html, strict, as_json)


def _check_judged(blessed: Sequence[Run], tasks: Sequence[str], baseline: str) -> None:
    """RequestError where the baseline has no win rate of a task: said before hours are spent on running."""
    for task in tasks:
        if not any(run.identity.get("judge") and run.task.startswith(f"{task}:") for run in blessed):
            raise RequestError(
                f"--judge: {baseline} has no win rate of {task}; judge it with `bench judge LOG --against "
                "golden --judge …` into the same folder, and bless that folder"
            )


def _judged(runs: Sequence[Run], judges: Sequence[str], request: RunRequest, show: TerminalShow) -> list[Run]:
    """The win rates of runs against golden; the judges have settings of their own."""
    from bench.judging.pairwise import judged_against_golden
    from bench.running.request import RunRequest

    asked = RunRequest(tasks=(), models=tuple(judges), log_dir=request.log_dir, resume=request.resume)
    return [one for run in runs for one in judged_against_golden(run, asked, show)]


def bless(
    log: Annotated[str, typer.Argument(help="A log, or a log folder (with @model or @digest).")],
    name: Annotated[str, typer.Option("--as", help="The baseline's name.")],
    task: OnlyTasks = None,
    folder: BaselineFolder = BASELINES,
    force: Annotated[bool, typer.Option("--force", help="Replace a baseline of this name.")] = False,
) -> None:
    """Store a run as a baseline: a small file for git, with identities and per-sample outcomes."""
    from results.chosen.baseline import baseline_file, write_baseline

    try:
        if baseline_file(name, folder).exists() and not force:
            raise RequestError(
                f"{baseline_file(name, folder)} already exists; give --force to replace it, or another --as"
            )
        runs = find_runs(log, folder)
        if task is not None:
            runs = runs_of(runs, names(task, "--task"), log)
        file = write_baseline(name, runs, folder)
    except ValueError as error:
        raise RequestError(str(error)) from error
    said = ", ".join(f"{run.task} ({_scored(run)})" for run in runs)
    print(f"{file}: {said}, {file.stat().st_size / 1024:.0f} KiB; commit it")
    print(f"check a checkpoint: bench check {','.join(run.task for run in runs)} --model M --baseline {name}")


def baselines(folder: BaselineFolder = BASELINES, as_json: Json = False) -> None:
    """The blessed baselines, with what they measured."""
    from rich.table import Table

    from results.chosen.baseline import baseline_names, read_baseline
    from results.logs.logged_run import short_name
    from results.shown.run_table import run_json, score_interval
    from results.shown.words import score_text, shown

    found = []
    for name in baseline_names(folder):
        try:
            found.append(read_baseline(name, folder))
        except ValueError as error:
            note([str(error)])
    if as_json:
        rows = [
            {"name": one.name, "blessed": one.blessed, "runs": [run_json(run) for run in one.runs]}
            for one in found
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not found:
        print(f"no baselines in {folder}/; `bench bless LOG --as NAME` makes one")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("baseline", "task", "model", "n", "score ±95%", "blessed"):
        number = heading in ("n", "score ±95%")
        # A cut name could not be told from another; figures and dates stay on one line.
        table.add_column(
            heading,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number or heading == "blessed",
        )
    for one in found:
        for run in one.runs:
            interval = score_interval(run.outcomes)
            n = str(interval.n if interval else 0)
            cells = (shown(one.name), shown(run.task), shown(short_name(run)), n, score_text(interval))
            table.add_row(*cells, one.blessed[:10])
    console().print(table)
    for one in found:
        for run in one.runs:
            if signature := run.identity.get("metric"):
                console().print(shown(f"{one.name}, {run.task}: {signature}"), style="dim", soft_wrap=True)


def _say_missing(base: Sequence[Run], candidate: Sequence[Run]) -> None:
    ours, theirs = {run.task for run in base}, {run.task for run in candidate}
    if ours & theirs:
        note(f"{task}: in the base alone, not compared" for task in sorted(ours - theirs))
        note(f"{task}: in the candidate alone, not compared" for task in sorted(theirs - ours))


def _rules(
    margin: float,
    alpha: float,
    by: str | None,
    noise_floor: str | None,
    allow_partial: bool,
    folder: Path,
    runs: Sequence[Run],
) -> Rules:
    from results.compared.comparison import Rules

    fields = names(by, "--by") if by else ()
    known = {name for run in runs for name in run.report_by}
    for field in fields:
        if field not in known:
            raise RequestError(
                f"--by {field}: no run reports by it{did_you_mean(field, known)}; they report by "
                f"{', '.join(sorted(known)) or 'nothing'}"
            )
    floors = _floors(noise_floor, folder, runs) if noise_floor else {}
    return Rules(margin, alpha, floors, fields, allow_partial)


def _floors(given: str, folder: Path, runs: Sequence[Run]) -> dict[str, float]:
    from results.compared.comparable import NotComparable
    from results.compared.comparison import noise_floors

    sides = names(given, "--noise-floor")
    if len(sides) == 1 and _fraction(sides[0]) is not None:
        return {run.task: _fraction(sides[0]) or 0.0 for run in runs}
    if len(sides) != 2:
        raise RequestError(f"--noise-floor {given}: give two runs of one model, A,B, or a fraction like 0.02")
    try:
        return noise_floors(find_runs(sides[0], folder), find_runs(sides[1], folder))
    except NotComparable as error:
        raise NotComparableError(f"--noise-floor: {error}") from error


def _fraction(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if not 0 <= value <= 1:
        raise RequestError(f"--noise-floor {text}: give a fraction from 0 to 1")
    return value


def _scored(run: Run) -> str:
    n, scored = len(run.outcomes), int(run.outcomes.scored.sum())
    return f"{n} samples" if scored == n else f"only {scored} of {n} samples scored"


def _task_name(given: str) -> str:
    """The name that a task's runs have; inspect logs `pkg/task` and `file.py@task` under the task's own."""
    from bench.declarations.catalog import find_task, is_inspect_task

    return re.split("[/@]", given)[-1] if is_inspect_task(given) else find_task(given).name


def _with_arguments(request: RunRequest, base: Sequence[Run]) -> RunRequest:
    """The request for one task with the baseline's data arguments, where it names none itself."""
    blessed = base[0].identity.get("dataset_args") if len(base) == 1 else None
    if not blessed or request.dataset_args:
        return request
    note([f"-T {' '.join(f'{key}={value}' for key, value in blessed.items())}, as the baseline has it"])
    return replace(request, dataset_args=blessed)


def _with_samples(request: RunRequest, base: Sequence[Run], built: Sequence[Task | str]) -> RunRequest:
    """The request for one task with the baseline's samples, where those are a part of the task's."""
    task = built[0]
    if len(built) > 1 or isinstance(task, str) or request.limit is not None:
        return request
    ids, there = tuple(dict.fromkeys(base[0].outcomes.ids)), {str(sample.id) for sample in task.dataset}
    if len(ids) == len(there) or not there.issuperset(ids):
        return request
    note([f"the {len(ids)} samples that the baseline has, of {len(there)}"])
    return replace(request, sample_ids=ids)


def _check_measure(base: Sequence[Run], built: Sequence[Task | str]) -> None:
    """NotComparableError, before hours are spent, where a task is not what the baseline measured."""
    from results.compared.comparable import identity_problems

    problems = [
        problem
        for run, task in zip(base, built, strict=True)
        if not isinstance(task, str)
        for problem in identity_problems(run.task, run.identity, (task.metadata or {}).get("identity") or {})
    ]
    if problems:
        raise NotComparableError("\n".join(problems) + "\nnothing was run")


def _decide(
    base: Sequence[Run],
    candidate: Sequence[Run],
    rules: Rules,
    show_flips: int,
    html: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    from results.compared.comparable import NotComparable
    from results.compared.comparison import compare as compare_runs
    from results.compared.comparison_table import comparison_json, print_comparison
    from results.compared.flips import flips

    try:
        compared = compare_runs(base, candidate, rules)
    except NotComparable as error:
        raise NotComparableError(str(error)) from error
    flipped = [flips(task, show_flips) if show_flips else [] for task in compared]
    if as_json:
        print(json.dumps(comparison_json(compared, flipped), indent=2, ensure_ascii=False))
    else:
        print_comparison(compared, flipped, console())
    if html is not None:
        _write_page(compared, html)
    failed = {"regressed", "undecided"} if strict else {"regressed"}
    if any(task.verdict in failed for task in compared):
        sys.exit(1)


def _write_page(compared: Sequence[TaskComparison], html: Path) -> None:
    from results.compared.comparison_page import write_comparison

    write_comparison(compared, html)
    print(f"page: {html}", file=sys.stderr)
