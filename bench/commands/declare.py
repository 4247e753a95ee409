"""Tasks and their declarations: list, show, render, validate, schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.commands.options import DatasetArgs, Json, TaskName
from bench.commands.terminal import console, pairs
from bench.errors import RequestError

if TYPE_CHECKING:
    from bench.declarations.yaml_lines import Problem


def list_tasks(as_json: Json = False) -> None:
    """The tasks, with version, size, scorer and purpose."""
    from rich.table import Table

    from bench.declarations.catalog import all_tasks

    specs = all_tasks()
    if as_json:
        print(json.dumps([spec.as_plain() for spec in specs], indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "version", "n", "scorer", "what it asks"):
        table.add_column(heading, justify="right" if heading == "n" else "left")
    for spec in specs:
        scorers = ", ".join(part.name for part in spec.scorer)
        table.add_row(spec.name, spec.version, str(spec.dataset.args.get("size", "–")), scorers, spec.summary)
    console().print(table)


def show_task(task: TaskName, as_json: Json = False) -> None:
    """A task's resolved declaration."""
    import yaml

    from bench.declarations.catalog import find_task

    declaration = find_task(task).as_plain()
    if as_json:
        print(json.dumps(declaration, indent=2, ensure_ascii=False))
    else:
        print(yaml.safe_dump(declaration, sort_keys=False, allow_unicode=True, width=100), end="")


def render(
    task: TaskName,
    n: Annotated[int, typer.Option("-n", min=1, help="How many samples.")] = 4,
    out: Annotated[Path, typer.Option(help="Folder for pictures and prompts.")] = Path("render"),
    task_arg: DatasetArgs = None,
    as_json: Json = False,
) -> None:
    """Write a few samples' pictures and prompts to look at."""
    from bench.building.render import render_samples

    written = render_samples(task, pairs(task_arg, "-T"), n, out)
    if as_json:
        print(json.dumps(written, indent=2, ensure_ascii=False))
        return
    for row in written:
        print(f"{row['id']}: {row['prompt_file']}  target {row['target']}")
    print(f"{len(written)} samples in {out}/ (index.html shows them side by side)")


def validate(
    files: Annotated[list[Path], typer.Argument(help="task.yaml files, and recipes.")], as_json: Json = False
) -> None:
    """Check declarations, every mistake at once, with its line. `run --dry-run` checks the data as well."""
    found: list[tuple[Path, Problem]] = []
    unreadable: list[tuple[Path, str]] = []
    for file in files:
        try:
            found += [(file, problem) for problem in _problems(file)]
        except RequestError as error:
            unreadable.append((file, str(error)))
    if as_json:
        rows: list[dict[str, Any]] = [
            *({"file": str(file), "line": p.line, "message": p.message} for file, p in found),
            *({"file": str(file), "line": None, "message": said} for file, said in unreadable),
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for file, problem in found:
            print(problem.at(file))
        for _, said in unreadable:
            print(said)
        if not found and not unreadable:
            print(f"{len(files)} file{'s' if len(files) > 1 else ''}: no mistakes")
    if found or unreadable:
        sys.exit(RequestError.exit_code)


def _problems(file: Path) -> list[Problem]:
    """Every mistake in a task.yaml or a recipe; RequestError when it cannot be opened."""
    from bench.declarations.recipes import recipe_problems
    from bench.declarations.task_spec import spec_problems
    from bench.declarations.yaml_lines import read_declaration

    declared = read_declaration(file)
    # A recipe has parts that every recipe has, and none of a task's.
    if declared.data.keys() >= {"base", "data"} and "dataset" not in declared.data:
        return recipe_problems(file)
    from bench.building.task import argument_problems

    return sorted([*spec_problems(file), *argument_problems(declared)], key=lambda problem: problem.line)


def schema(
    of: Annotated[Literal["task", "recipe"], typer.Argument(help="Of a task.yaml or of a recipe.")] = "task",
) -> None:
    """The JSON Schema of task.yaml or of recipes, for editors."""
    from bench.declarations.recipes import recipe_schema
    from bench.declarations.task_spec import json_schema

    print(json.dumps(json_schema() if of == "task" else recipe_schema(), indent=2, ensure_ascii=False))
