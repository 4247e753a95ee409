"""The journal: what was put is there after any end of the process, and damage costs one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_ai.model import ModelOutput

from bench.running.journals import CompletionJournal


def output(text: str) -> ModelOutput:
    return ModelOutput.from_content("some/model", text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journals" / "one.jsonl"


def test_what_was_put_is_there_when_opened_again(path: Path) -> None:
    journal = CompletionJournal(path)
    made = output("seven")
    journal.put("a", 1, made)
    journal.put("a", 2, output("eight"))
    journal.close(delete=False)

    again = CompletionJournal(path)
    found = again.get("a", 1)
    again.close(delete=False)
    assert found is not None
    assert found.model_dump(exclude_none=True) == made.model_dump(exclude_none=True)
    assert len(again) == 2
    assert again.get("a", 3) is None
    assert again.get("b", 1) is None


@pytest.mark.parametrize("text", ["", "two\nlines", "\u2028\x85\x0b", "\\boxed{7}", "π ≈ 3", "\ud800"])
def test_any_completion_comes_back_as_it_was(path: Path, text: str) -> None:
    journal = CompletionJournal(path)
    journal.put("a", 1, output(text))
    journal.put("b", 1, output("after"))
    journal.close(delete=False)

    again = CompletionJournal(path)
    again.close(delete=False)
    found = again.get("a", 1)
    assert found is not None
    assert found.completion == text
    assert again.get("b", 1) is not None


def test_a_line_is_on_disk_before_the_journal_is_closed(path: Path) -> None:
    journal = CompletionJournal(path)
    journal.put("a", 1, output("seven"))
    assert "seven" in path.read_text(encoding="utf-8")
    journal.close(delete=True)
    assert not path.exists()


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_half_a_line_costs_only_itself(path: Path, cut: int) -> None:
    journal = CompletionJournal(path)
    journal.put("a", 1, output("first"))
    kept = path.stat().st_size
    journal.put("b", 1, output("second"))
    journal.close(delete=False)
    with path.open("r+b") as file:
        file.truncate(kept + cut)

    again = CompletionJournal(path)
    assert again.get("a", 1) is not None
    assert again.get("b", 1) is None
    again.put("b", 1, output("made again"))
    again.close(delete=False)

    last = CompletionJournal(path)
    last.close(delete=False)
    assert len(last) == 2
    found = last.get("b", 1)
    assert found is not None
    assert found.completion == "made again"


def test_lines_that_are_no_completions_are_passed_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'\xff\xfe\n[]\n7\nnull\n{"id": "a"}\n{"id": [], "epoch": 1, "output": {}}\n\n')
    journal = CompletionJournal(path)
    journal.close(delete=False)
    assert len(journal) == 0


@pytest.mark.process
def test_kill_dash_nine_loses_nothing_that_was_put(path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from inspect_ai.model import ModelOutput\n"
        "from bench.running.journals import CompletionJournal\n"
        "journal = CompletionJournal(Path(sys.argv[1]))\n"
        "for number in range(50):\n"
        "    journal.put(str(number), 1, ModelOutput.from_content('m', 'x' * 300))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    journal = CompletionJournal(path)
    journal.close(delete=False)
    assert len(journal) == 50
