"""inspect's own commands work on our tasks, our provider and our logs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from bench.checkpoint import find_checkpoint
from results.records import read_run

pytestmark = pytest.mark.engine


def inspect(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inspect_ai", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        timeout=180,
    )


def test_inspect_evaluates_lists_scores_and_retries_what_is_ours(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    pytest.importorskip("vllm")
    done = inspect(
        tmp_path, "eval", "bench/chart_vqa", "--model", f"bench/{tiny_checkpoint}", "--limit", 2,
        "-T", "size=4", "--max-tokens", 8, "-M", "dtype=float32", "--log-dir", "logs", "--display", "plain",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (log,) = (tmp_path / "logs").glob("*.eval")
    run = read_run(log)
    assert len(run.outcomes) == 2
    assert run.identity["weights_digest"] == find_checkpoint(str(tiny_checkpoint)).digest
    assert run.identity["data_hash"]
    assert run.identity["engine"] == "vllm"

    listed = inspect(tmp_path, "log", "list", "--log-dir", "logs", "--json")
    assert log.name in listed.stdout, listed.stderr
    scored = inspect(
        tmp_path, "score", log, "--action", "overwrite", "--output-file", "scored.eval", "--display", "plain"
    )
    assert scored.returncode == 0, scored.stdout[-3000:] + scored.stderr[-3000:]
    again: Any = read_eval_log(str(tmp_path / "scored.eval"))
    assert [list(sample.scores) for sample in again.samples] == [["boxed"], ["boxed"]]
