"""`bench leaderboard` as a user meets it: tables, files, mistakes, logs that cannot be read."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Bench = Callable[..., Any]

ROWS = [
    {
        "id": f"q{n}",
        "question": f"What is {n} + 1?",
        "target": str(n + 1),
        "size": "small" if n < 20 else "large",
    }
    for n in range(30)
]
TASK = """
name: sums
version: 1-A
summary: Add one.
dataset: {jsonl: rows.jsonl, image: null}
prompt: "{question} Put the answer inside \\\\boxed{{}}."
scorer: {boxed: {kind: number}}
report: {by: [size]}
"""
HOSTILE = "\x1b[31m<script>alert(1)</script> \\boxed{0}"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of two files of completions, scored by the command itself: 27 and 9 right of 30."""
    from bench.commands.terminal import TerminalShow, console, inspect_display
    from bench.running.replayed import score_completions

    folder = tmp_path_factory.mktemp("sums")
    (folder / "task.yaml").write_text(TASK)
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    inspect_display("none")
    for name, right in (("good", 27), ("poor", 9)):
        rows = [
            {"id": row["id"], "completion": f"\\boxed{{{row['target']}}}" if n < right else HOSTILE}
            for n, row in enumerate(ROWS)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
        shown = TerminalShow(console(stderr=True), bar=False, quiet=True)
        score_completions(
            str(folder / "task.yaml"), folder / f"{name}.jsonl", None, folder / "logs", {}, shown
        )
        # Logs tell their age in whole seconds, and the older one is the base.
        time.sleep(1.1)
    return folder / "logs"


def test_the_table(bench: Bench, logs: Path) -> None:
    done = bench("leaderboard", logs)
    assert done.returncode == 0, done.stderr
    good, poor = [line for line in done.stdout.splitlines() if ".jsonl@" in line]
    assert "● 90.0 [74.4, 96.5]" in good
    assert "  30.0 [16.7, 47.9]" in poor
    assert good.split()[0].startswith("good.jsonl@")


def test_every_form_in_one_call(bench: Bench, logs: Path, tmp_path: Path) -> None:
    done = bench(
        "leaderboard", logs, "--by", "size", "--html", "out/page.html", "--csv", "out/b.csv",
        "--md", "out/b.md", "--plots", "out/plots", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [row["cells"]["sums"]["standing"] for row in said["rows"]] == ["best", "behind"]
    assert said["rows"][0]["cells"]["sums"]["groups"]["small"]["n"] == 20
    assert "2 rows, 1 column, 30 of 30 samples with completions, 0 pictures" in done.stderr
    with (tmp_path / "out/b.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2 * 3
    assert "● 90.0" in (tmp_path / "out/b.md").read_text()
    assert (tmp_path / "out/plots/leaderboard-sums.svg").is_file()
    page = (tmp_path / "out/page.html").read_text()
    assert "<script>alert(1)" not in page
    assert "alert(1)" in page


def test_groups_and_the_matrix(bench: Bench, logs: Path) -> None:
    groups = bench("leaderboard", logs, "--by", "size")
    assert groups.returncode == 0, groups.stderr
    assert "100.0 [83.9, 100.0]" in groups.stdout
    assert "n 20" in groups.stdout
    matrix = bench("leaderboard", logs, "--matrix")
    assert matrix.returncode == 0, matrix.stderr
    assert "-60.0" in matrix.stdout
    assert "after Holm" in matrix.stdout
    plain = bench("leaderboard", logs, "--matrix", "--json")
    assert plain.returncode == 0, plain.stderr
    assert {cell["difference"] for cell in json.loads(plain.stdout)["matrix"]} == {-0.6}


def test_what_others_reported_needs_no_logs(bench: Bench) -> None:
    done = bench("leaderboard", "--published", "--task", "scienceqa")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("never tested against ours") == 4
    assert "Moondream-kd" in done.stdout
    assert "vqaonline" not in done.stdout


def test_a_log_that_cannot_be_read_costs_one_line(bench: Bench, logs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for log in logs.glob("*.eval"):
        folder.joinpath(log.name).write_bytes(log.read_bytes())
    cut = next(logs.glob("*.eval")).read_bytes()[:2000]
    folder.joinpath("2026-01-01T00-00-00_cut.eval").write_bytes(cut)
    done = bench("leaderboard", folder)
    assert done.returncode == 0
    assert done.stdout.count(".jsonl@") == 2
    (line,) = done.stderr.splitlines()
    assert "cut.eval: not read" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere: no such log or folder"),
        ([], "logs: no such log or folder"),
        (["{logs}", "--task", "sum"], "did you mean 'sums'?"),
        (["{logs}", "--by", "sise"], "did you mean 'size'?"),
        (["{logs}", "--task", " , "], "--task is empty"),
    ],
)
def test_a_mistake_is_one_message(bench: Bench, logs: Path, arguments: list[str], said: str) -> None:
    done = bench("leaderboard", *(argument.replace("{logs}", str(logs)) for argument in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_runs_says_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = bench("leaderboard", "empty")
    assert done.returncode == 2
    assert "no finished run" in done.stderr
