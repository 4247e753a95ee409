"""Completions made to run code or to hang: every call ends, nothing runs, and none of them is credited.

How long each takes is measured by `benchmarks/boxed.py`, which also holds the inputs; here only a hang fails.
"""

import faulthandler
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorers.boxed.anywhere import answer_anywhere
from scorers.boxed.boxed_answer import AnswerKind, answers_match, extract_boxed

BENCHMARK = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "boxed.py"))
HOSTILE: dict[str, str] = BENCHMARK["hostile_inputs"]()
HANG_SECONDS = 60


@pytest.fixture(autouse=True)
def hang_guard() -> Iterator[None]:
    """Ends the process, with a traceback, when a call does not return: C code ignores a signal."""
    faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 24


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_completion_is_harmless(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = HOSTILE[name]
    targets: dict[AnswerKind, str] = {"number": "13.47", "text": "gold", "boolean": "True"}
    answer = extract_boxed(text)
    for kind, target in targets.items():
        for given in (answer, text):
            assert given is None or not answers_match(given, target, kind=kind)
        answer_anywhere(text, target, kind=kind)
    if answer is not None:
        assert answers_match(answer, r"1+\sqrt{2}", kind="number", tolerance=0.001) in (True, False)
    assert not list(tmp_path.iterdir())


def test_nested_braces_are_read_through() -> None:
    text = HOSTILE["nested braces"]
    assert extract_boxed(text) == text.removeprefix(r"\boxed{").removesuffix("}")


def test_an_answer_after_a_megabyte_is_found() -> None:
    assert extract_boxed(HOSTILE["a megabyte of prose"]) == "7"


def test_boxes_that_never_close_are_passed_over() -> None:
    assert extract_boxed(r"\boxed{7}" + r"\boxed{" * 5_000) == "7"
