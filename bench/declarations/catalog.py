"""Finds task declarations: those that come with Tunebench and the user's own.

find_task("chart_vqa")          one of ours, by name
find_task("./my_task.yaml")     the user's, by file
find_task("./my_task")          the user's, by the folder that holds a task.yaml
"""

from __future__ import annotations

from pathlib import Path

from bench.declarations.task_files import TASK_FILE, task_files
from bench.declarations.task_spec import TaskSpec, read_spec, spec_problems
from bench.declarations.yaml_lines import Problem
from bench.errors import RequestError, did_you_mean


def builtin_tasks() -> tuple[str, ...]:
    """The names of the tasks that come with Tunebench."""
    return tuple(sorted(task_files()))


def find_task(name_or_path: str) -> TaskSpec:
    """The task with one of our names, or in a YAML file or a folder with a task.yaml.

    One of our names means our task even where a folder of that name lies about: `./name` is the folder.
    RequestError when there is no such task or its declaration has mistakes.
    """
    if name_or_path in builtin_tasks():
        return read_spec(task_files()[name_or_path])
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if not (path / TASK_FILE).is_file():
            raise RequestError(f"folder {name_or_path} holds no {TASK_FILE}; give the path of the YAML file")
        return read_spec(path / TASK_FILE)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return read_spec(path)
    names = builtin_tasks()
    raise RequestError(
        f"task {name_or_path!r} is not one of {', '.join(names)}{did_you_mean(name_or_path, names) or '.'} "
        "For a task of your own give the path of its YAML file, such as ./my_task.yaml"
    )


def is_inspect_task(name: str) -> bool:
    """Whether a name is one for inspect to find: ``pkg/task`` or ``file.py@task``."""
    if name in task_files() or name.endswith((".yaml", ".yml")):
        return False
    return "@" in name or name.endswith(".py") or ("/" in name and not Path(name).exists())


def all_tasks() -> tuple[TaskSpec, ...]:
    """All tasks that come with Tunebench; RequestError with every mistake in all of their files."""
    specs: list[TaskSpec] = []
    mistakes: list[str] = []
    files = task_files()
    for name in builtin_tasks():
        path = files[name]
        problems = spec_problems(path)
        if not problems:
            spec = read_spec(path)
            specs.append(spec)
            if spec.name != name:
                problems = [Problem(1, f"name: {spec.name!r} is not the name of its place, {name!r}")]
        mistakes += [problem.at(path) for problem in problems]
    if mistakes:
        raise RequestError("\n".join(mistakes))
    return tuple(specs)
