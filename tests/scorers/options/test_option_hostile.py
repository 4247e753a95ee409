"""No completion keeps the option rules busy: each of these ends, with an option or without."""

from __future__ import annotations

import faulthandler
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorers.options.option_letter import extract_option

BENCHMARK = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "option_letter.py"))
HOSTILE: dict[str, str] = BENCHMARK["hostile_inputs"]()
HANG_SECONDS = 60


@pytest.fixture(autouse=True)
def hang_guard() -> Iterator[None]:
    """Ends the process, with a traceback, when a call does not return: a pattern at work ignores signals."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_completion_ends(name: str) -> None:
    choices = ["Paris", "London", "Rome", "Oslo"]
    expected = {"an answer after a megabyte": 2, "option texts": 0, "statements": 0, "letters in lines": 0}
    assert extract_option(HOSTILE[name], choices) == expected.get(name)
