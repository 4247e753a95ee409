"""`bench judge` and `bench check --judge` as a user calls them: tables, files, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import TunebenchError

pytestmark = pytest.mark.slow

Bench = Callable[..., "Done"]
TASK = """
name: reports
version: 1-A
summary: Reports of charts.
dataset: {jsonl: records.jsonl, kept: [chart_data]}
prompt: "Describe the chart {title}."
scorer: [essay_numbers]
report: {by: [chart], cluster: image}
"""
N = 8


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A task of eight charts in the folder where `bench` runs, and the essays of two students."""
    rows, good, bad = [], [], []
    for number in range(N):
        Image.new("RGB", (64, 48), (number * 30, 90, 160)).save(tmp_path / f"c{number}.png")
        values = [10 + number, 35]
        data = {
            "title": "Tea",
            "unit": "%",
            "labels": ["Iran", "Peru"],
            "series": ["2001"],
            "values": [values],
        }
        text = f"In Iran the share was {values[0]}%, and in Peru it was {values[1]}%."
        rows.append(
            {
                "id": f"r{number}",
                "image": f"c{number}.png",
                "title": f"Tea {number}",
                "target": text,
                "chart": "bar" if number % 2 else "pie",
                "chart_data": json.dumps(data),
            }
        )
        good.append({"id": f"r{number}", "completion": text.replace("In Iran", "Of Iran")})
        bad.append({"id": f"r{number}", "completion": "In Iran the share was 77%, and in Peru it was 88%."})
    for name, lines in (("records", rows), ("good", good), ("bad", bad)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "reports.yaml").write_text(TASK)
    return tmp_path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def bench(home: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The command line in this process: starting a new one for each call takes longer than the calls."""
    monkeypatch.chdir(home)
    # inspect keeps the display that an earlier test began with, which may write to stdout.
    monkeypatch.setattr("inspect_ai._display.core.active._active_display", None)

    def run(*arguments: object) -> Done:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if isinstance(done.exception, TunebenchError):
            return Done(done.exception.exit_code, done.stdout, f"{done.stderr}error: {done.exception}")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return run


def log_of(done: Done) -> str:
    assert done.returncode == 0, done.stderr
    location: str = json.loads(done.stdout)[0]["log"]
    return location


def test_from_two_logs_to_anchors(bench: Bench, home: Path) -> None:
    logs = [log_of(bench("score", "reports.yaml", f"{name}.jsonl", "--json")) for name in ("good", "bad")]

    nobody = bench("judge", *logs)
    assert nobody.returncode == 2
    assert "--judge: name who judges" in nobody.stderr

    dry = bench("judge", *logs, "--dry-run", "--show", "none")
    assert dry.returncode == 0, dry.stderr
    assert "calls: 0" in dry.stdout
    assert "one whole prompt, r0:1-2:" in dry.stdout
    assert "[picture " in dry.stdout
    assert "Of Iran the share was 10%" in dry.stdout
    assert dry.stdout.endswith("<verdict>…</verdict>\n")
    assert not list((home / "logs").glob("*judged*"))

    said = bench(
        "judge", *logs, "--judge", "judge/faithful,judge/first", "--show", "none", "--human", "people.csv"
    )
    assert said.returncode == 2
    assert "--human people.csv: no such file" in said.stderr
    (home / "people.csv").write_text("id,choice,rater\n" + "".join(f"r{n},A,ann\n" for n in range(N)))
    done = bench(
        "judge", *logs, "--judge", "judge/faithful,judge/first", "--json", "--show", "none",
        "--human", "people.csv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    faithful, first = found["judgings"]
    assert faithful["win_rates"][0]["win"]["mean"] == 1
    assert first["win_rates"][0]["win"]["mean"] == 0.5
    assert first["win_rates"][0]["flip"]["mean"] == 1
    assert {(one["one"], one["other"], one["same"]["mean"]) for one in found["agreement"]} == {
        ("faithful", "first", 0), ("faithful", "ann", 1), ("first", "ann", 0),
    }  # fmt: skip

    kept = bench(
        "judge", *logs, "--judge", "judge/faithful", "--show", "none", "--resume",
        "--save-anchors", "anchors.json", "--anchors-size", 4, "--bound", 0.8,
    )  # fmt: skip
    assert kept.returncode == 0, kept.stderr
    assert "judged by faithful: reports, rubric 1-A" in kept.stdout
    assert "4 samples, 8 verdicts of faithful; 0.8 of them must hold" in kept.stderr
    for judge, code in (("judge/faithful", 0), ("judge/second", 1)):
        again = bench(
            "judge", "--anchors", "anchors.json", "--judge", judge, "--show", "none", "--log-dir", "drift"
        )
        assert again.returncode == code, again.stderr
        assert ("held" if code == 0 else "moved") in again.stdout
    broken = bench("judge", "--anchors", "people.csv", "--judge", "judge/tie")
    assert broken.returncode == 2
    assert "not a file of pairs to judge" in broken.stderr


def test_a_worse_win_rate_fails_the_check(bench: Bench, home: Path, endpoint: Any) -> None:
    """The baseline's essays have the right numbers; the candidate's, from a server, have not."""
    log = log_of(bench("score", "reports.yaml", "good.jsonl", "--json", "--log-dir", "good"))
    check = [
        "check", "reports.yaml", "--model", "vllm/fake", "--model-base-url", endpoint.url,
        "--baseline", "main", "--judge", "judge/faithful", "--json",
    ]  # fmt: skip
    assert bench("bless", log, "--as", "main").returncode == 0
    early = bench(*check)
    assert early.returncode == 2
    assert "main has no win rate of reports; judge it with" in early.stderr
    assert not endpoint.asked

    judged = bench(
        "judge",
        log,
        "--against",
        "golden",
        "--judge",
        "judge/faithful",
        "--show",
        "none",
        "--log-dir",
        "good",
    )
    assert judged.returncode == 0, judged.stderr
    blessed = bench("bless", "good", "--as", "main", "--force")
    assert blessed.returncode == 0, blessed.stderr
    assert "reports:vs_golden:faithful (8 samples)" in blessed.stdout
    endpoint.answer = lambda asked: "In Iran the share was 77%, and in Peru it was 88%."
    # The baseline was scored from a file: what it was asked is the same.
    done = bench(*check)
    assert done.returncode == 1, done.stderr
    verdicts = {task["task"]: task["verdict"] for task in json.loads(done.stdout)}
    assert verdicts["reports:vs_golden:faithful"] == "regressed"
    assert list((home / "logs").glob("*judged*"))
