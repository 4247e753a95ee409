"""Each scorer and solver that a task.yaml may name is declared once, and is where its entry says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest
from inspect_ai._util.registry import registry_find, registry_info

from scorers.declared import SCORERS
from solvers.declared import SOLVERS

ROOT = Path(__file__).parents[2]
MAKERS = {name: declared.maker() for name, declared in SCORERS.items()}


@pytest.mark.parametrize("name", SCORERS)
def test_inspect_finds_a_scorer_by_the_name_that_logs_have(name: str) -> None:
    [maker] = registry_find(lambda info: info.type == "scorer" and info.name == name)
    assert maker is MAKERS[name]


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_is_where_its_entry_says(name: str) -> None:
    assert registry_info(resolve_name(SOLVERS[name])).type == "solver"


@pytest.mark.parametrize("name", [name for name, declared in SCORERS.items() if declared.signed_by])
def test_what_a_scorer_takes_its_signature_takes(name: str) -> None:
    declared = SCORERS[name]
    signs = inspect.signature(resolve_name(declared.signed_by or "")).parameters
    assert set(inspect.signature(MAKERS[name]).parameters) - {"normalize"} <= set(signs)
    assert declared.counts_references == ("references" in signs)


def test_scorers_are_listed_in_one_place() -> None:
    """A second list would have to be found and changed with every new scorer."""
    quoted = [re.compile(f"""["']{name}["']""") for name in ("option_letter", "essay_form", "rouge")]
    listing = [
        str(file.relative_to(ROOT))
        for room in ("bench", "scorers", "solvers", "tasks", "trainers", "results")
        for file in (ROOT / room).rglob("*.py")
        if sum(bool(name.search(file.read_text(encoding="utf-8"))) for name in quoted) > 1
    ]
    assert listing == ["scorers/declared.py"]
