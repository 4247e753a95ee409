"""inspect's own commands work on our tasks, our provider and our logs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from inspect_ai._cli.score import score_command
from inspect_ai.log import list_eval_logs, read_eval_log

from bench.serving.checkpoint import find_checkpoint
from results.logs.logged_run import read_run


@pytest.mark.process
def test_inspect_evaluates_lists_and_scores_what_is_ours(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """A process of inspect's own finds our tasks and providers by their one entry point."""
    pytest.importorskip("transformers")
    arguments = (
        "eval", "bench/chart_vqa", "--model", f"transformers/{tiny_checkpoint}", "--limit", "2",
        "-T", "size=4", "--max-tokens", "8", "-M", "dtype=float32", "--log-dir", "logs", "--display", "plain",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "inspect_ai", *arguments],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (log,) = (tmp_path / "logs").glob("*.eval")
    run = read_run(log)
    assert len(run.outcomes) == 2
    assert run.identity["weights_digest"] == find_checkpoint(str(tiny_checkpoint)).digest
    assert run.identity["data_hash"]
    assert run.identity["engine"] == "transformers"

    (listed,) = list_eval_logs(str(tmp_path / "logs"))
    assert listed.name.endswith(log.name)
    # The command that a second process would run, which makes the scorers again from what the log says.
    again = tmp_path / "scored.eval"
    scored = CliRunner().invoke(
        score_command, [str(log), "--action", "overwrite", "--output-file", str(again)], standalone_mode=False
    )
    assert scored.exit_code == 0, scored.output[-3000:]
    assert [list(sample.scores or ()) for sample in read_eval_log(str(again)).samples or ()] == [
        ["boxed"]
    ] * 2
