"""What two commands share stands in a file that is no command."""

from __future__ import annotations

import ast
from pathlib import Path

import bench.commands

SHARED = {"chosen_runs", "options", "terminal"}


def test_no_command_imports_another() -> None:
    wrong = [
        f"{file.name}:{node.lineno} imports {node.module}"
        for file in Path(bench.commands.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bench.commands.")
        if node.module.rpartition(".")[2] not in SHARED
    ]
    assert wrong == []
