"""Which of our packages may import which, read from the source; imports inside functions count."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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


def imported(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module.partition(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    files = sorted((HOME / package).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(HOME)}:{line} imports {name}"
        for file in files
        for line, name in imported(file)
        if name in ALLOWED and name != package and name not in ALLOWED[package]
    ]
    assert wrong == []


def test_no_import_is_relative() -> None:
    relative = [
        f"{file.relative_to(HOME)}:{node.lineno}"
        for package in ALLOWED
        for file in (HOME / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
