"""What users and their scripts see stays as recorded: help texts, JSON of results, schemas, identities.

After a change that is meant, record again and read the difference in git:

    TUNEBENCH_RECORD=1 python -m pytest tests/test_golden.py
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).with_name("golden")
COMMANDS = (
    *("run", "score", "mistakes", "view", "leaderboard", "compare", "check", "bless", "baselines", "judge"),
    *("parity", "train", "recipes", "distill", "merge", "push", "list", "show", "render", "overlap"),
    *("validate", "schema"),
)
N = 60
TASK = """
name: sums
version: 1-A
summary: Add two numbers.
dataset: {jsonl: sums.jsonl, image: null}
prompt: "{question} Put the answer inside \\\\boxed{{}}."
scorer: [{boxed: {kind: number}}, rouge]
report: {by: [size], cluster: page}
"""
Command = Callable[..., tuple[int, str]]


def agrees(name: str, said: str) -> None:
    """Compare with the recording of that name, or record it."""
    file = GOLDEN / name
    if os.environ.get("TUNEBENCH_RECORD"):
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8"), f"tests/golden/{name} says otherwise"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two scored sets of completions of a small task: folders `good` (80% right) and `poor` (50%)."""
    from bench.cli import main

    made = tmp_path_factory.mktemp("golden")
    (made / "sums.yaml").write_text(TASK)
    rows = [
        {"id": f"s{n}", "question": f"{n} + 1?", "target": str(n + 1), "page": n // 2, "size": "ab"[n % 2]}
        for n in range(N)
    ]
    (made / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    right: dict[str, Callable[[int], bool]] = {"good": lambda n: n % 5 > 0, "poor": lambda n: n % 2 > 0}
    with contextlib.chdir(made):
        for name, is_right in right.items():
            answers = [n + 1 if is_right(n) else 0 for n in range(N)]
            said = [{"id": f"s{n}", "completion": f"\\boxed{{{one}}}"} for n, one in enumerate(answers)]
            Path(f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in said))
            _run(main, "score", "sums.yaml", f"{name}.jsonl", "--log-dir", name)
        yield made


def _run(main: Callable[[], None], *arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bench", *arguments])
        for name, value in {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}.items():
            patch.setenv(name, value)
        stderr = contextlib.redirect_stderr(io.StringIO())
        with contextlib.redirect_stdout(out), stderr, pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), out.getvalue()


@pytest.fixture
def bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    from bench.cli import main

    monkeypatch.chdir(folder)
    return lambda *arguments: _run(main, *arguments)


def stable(value: Any) -> Any:
    """Without what differs from run to run or from machine to machine."""
    if isinstance(value, dict):
        return {
            name: "…" if name in _CHANGES and below is not None else stable(below)
            for name, below in value.items()
        }
    if isinstance(value, list):
        return [stable(one) for one in value]
    if isinstance(value, str):
        value = re.sub(r"\d{4}-\d\d-\d\dT[\d:.+-]+Z?", "<time>", value)
        value = re.sub(r"(?:file://)?/[^\s\"']*/golden\d+", "<folder>", value)
        return re.sub(r"<time>_\w+_\w{22}", "<log>", value)
    return value


_CHANGES = (
    *("created", "log", "location", "seconds", "duration", "samples_per_second", "libraries", "logs"),
    *("engine_version", "elapsed", "finished", "image", "image_file", "log_file", "inspect_version"),
)


@pytest.mark.parametrize("command", ("", *COMMANDS))
def test_help(bench: Command, command: str) -> None:
    code, said = bench(*([command] if command else []), "--help")
    assert code == 0
    agrees(f"help-{command or 'bench'}.txt", said)


def test_every_command_is_here() -> None:
    from bench.cli import app

    names = {one.name or (one.callback.__name__ if one.callback else "") for one in app.registered_commands}
    assert names == set(COMMANDS)


def test_json_of_the_leaderboard(bench: Command) -> None:
    code, said = bench("leaderboard", "good", "poor", "--by", "size", "--json")
    assert code == 0
    agrees("leaderboard.json", json.dumps(stable(json.loads(said)), indent=1, ensure_ascii=False) + "\n")


def test_json_of_a_comparison(bench: Command) -> None:
    code, said = bench("compare", "good", "poor", "--by", "size", "--json")
    assert code == 1  # it is worse
    agrees("compare.json", json.dumps(stable(json.loads(said)), indent=1, ensure_ascii=False) + "\n")


def test_json_of_a_baseline(bench: Command, folder: Path) -> None:
    code, _ = bench("bless", "good", "--as", "golden", "--force")
    assert code == 0
    kept = json.loads((folder / "baselines" / "golden.json").read_text())
    agrees("baseline.json", json.dumps(stable(kept), indent=1, ensure_ascii=False) + "\n")


def test_json_of_a_dry_run(bench: Command) -> None:
    """Hashes of data and prompt are part of what is recorded: earlier logs stay comparable."""
    code, said = bench(
        "run", "chart_vqa,ielts_essay", "--model", "mockllm/model", "--dry-run", "--json",
        "-T", "size=4",
    )  # fmt: skip
    assert code == 0, said
    agrees("dry-run.json", json.dumps(stable(json.loads(said)), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("of", ("task", "recipe"))
def test_schema(bench: Command, of: str) -> None:
    code, said = bench("schema", of)
    assert code == 0
    agrees(f"schema-{of}.json", said)


def test_digest_of_weights(tmp_path: Path) -> None:
    """The digest names runs in logs and baselines; what it is over does not change in silence."""
    from bench.serving.digests import checkpoint_digest

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(bytes(range(256)))
    (tmp_path / "lineage.json").write_text("does not count")
    (adapter / "adapter_model.safetensors").write_bytes(b"delta")
    agrees("digests.txt", f"{checkpoint_digest(tmp_path)}\n{checkpoint_digest(tmp_path, adapter)}\n")
