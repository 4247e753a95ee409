"""Which of our modules may import which, read from the source.

Imports inside functions and under TYPE_CHECKING count as any other: what a reader must follow is the same.
docs/architecture.md has the orders below as a picture.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]

# The inspect entry point (bench.registry) is found by its name, so nobody needs to import bench.
ALLOWED = {
    "scorers": set(),
    "solvers": set(),
    "tasks": {"scorers", "solvers"},
    "trainers": {"tasks", "scorers"},
    "results": set(),
    "bench": {"scorers", "solvers", "tasks", "trainers", "results"},
}

# The rooms of each wing, and files beside them: each may import those before it, never one after it.
ORDER: dict[str, tuple[str, ...]] = {
    "scorers": (
        *("flags", "batches", "boxed", "teaching", "options", "essays", "overlap", "bertscore", "judges"),
        *("text_scorers", "declared"),
    ),
    "tasks": (
        *("cache", "hub", "splits", "arguments", "teaching", "drawing"),
        *("chart_vqa", "ielts_essay", "scienceqa", "vqaonline", "declared"),
    ),
    "trainers": ("recipe", "lineage", "machine", "models", "data", "loop", "methods", "training"),
    "results": ("logs", "numbers", "shown", "verdicts", "chosen", "compared", "board", "page"),
    "bench": (
        *("errors", "declarations", "records", "serving", "building", "registry", "running"),
        *("judging", "teaching", "training", "publishing", "commands", "cli", "__main__"),
    ),
}
MOST_FILES = 15


@functools.cache
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name; a package by its folder's."""
    found = {}
    for package in ALLOWED:
        for file in sorted((HOME / package).rglob("*.py")):
            parts = file.relative_to(HOME).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


@functools.cache
def imports() -> dict[str, list[tuple[int, str]]]:
    """Of each module, the lines on which it imports another of ours, and which."""
    return {name: list(_imported(file)) for name, file in modules().items()}


def _imported(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if (name := inner if inner in modules() else node.module) in modules():
                    yield node.lineno, name


def said(importing: str, line: int, imported: str) -> str:
    return f"{modules()[importing].relative_to(HOME)}:{line} imports {imported}"


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    wrong = [
        said(name, line, other)
        for name, found in imports().items()
        for line, other in found
        if name.partition(".")[0] == package and other.partition(".")[0] not in {package, *ALLOWED[package]}
    ]
    assert wrong == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {name: {other for _, other in found} for name, found in imports().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def place(name: str, order: tuple[str, ...]) -> int:
    """Where a module's room, or a module beside the rooms, stands in its wing's order."""
    return order.index(name.split(".")[1])


@pytest.mark.parametrize("wing", ORDER)
def test_every_room_has_its_place_and_imports_none_above_it(wing: str) -> None:
    order = ORDER[wing]
    inside = [name for name in modules() if name.startswith(f"{wing}.")]
    assert {name.split(".")[1] for name in inside} == set(order)
    wrong = [
        said(name, line, other)
        for name in inside
        for line, other in imports()[name]
        if other.startswith(f"{wing}.") and place(other, order) > place(name, order)
    ]
    assert wrong == []


def test_no_room_is_a_corridor() -> None:
    files: dict[Path, int] = {}
    for file in modules().values():
        if file.name != "__init__.py":
            files[file.parent] = files.get(file.parent, 0) + 1
    assert {str(room.relative_to(HOME)): n for room, n in files.items() if n > MOST_FILES} == {}


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(HOME))
        for file in modules().values()
        if file.name == "__init__.py" and not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_import_is_relative() -> None:
    relative = [
        f"{file.relative_to(HOME)}:{node.lineno}"
        for file in modules().values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
