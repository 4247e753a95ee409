"""bench parity on the real engines: the same weights in float32 write the same, in fewer bits not always."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

import bench.running.two_engines
from bench import cli
from bench.errors import IncompleteRunError, RequestError
from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from bench.running.two_engines import ParityRequest, compare_engines, compared, own_dtype
from bench.serving.model import ModelRequest, ServedModel, resolve_model

pytest.importorskip("vllm")
pytestmark = pytest.mark.engine


def run(served: ServedModel, drive: Any, quiet: Any, logs: Path, **changes: Any) -> str:
    asked = RunRequest(
        tasks=("chart_vqa",),
        models=(served.name,),
        log_dir=logs,
        temperature=0.0,
        max_tokens=24,
        dataset_args={"size": 24, "seed": 3, "workers": 1},
        **changes,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served.model.api, "keep_tokens", True)
        made = drive(run_one(asked, named_task("chart_vqa", asked.dataset_args), served, quiet))
    return str(made.location)


def by_transformers(folder: Path, dtype: str) -> ServedModel:
    return resolve_model(ModelRequest(f"transformers/{folder}", arguments={"dtype": dtype}))


def test_one_checkpoint_through_both_engines(
    served: ServedModel,
    tiny_checkpoint: Path,
    drive: Any,
    quiet: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = run(served, drive, quiet, tmp_path)
    exact = run(by_transformers(tiny_checkpoint, "float32"), drive, quiet, tmp_path)
    rough = run(by_transformers(tiny_checkpoint, "bfloat16"), drive, quiet, tmp_path)

    same = compared(first, exact).as_plain()
    assert [engine["engine"] for engine in same["engines"]] == ["vllm", "transformers"]
    assert len({engine["weights_digest"] for engine in same["engines"]}) == 1
    assert same["equal_tokens"]["mean"] == same["equal_scores"]["mean"] == 1
    assert same["equal_tokens"]["n"] == same["pairs"] == 24
    assert same["equal_tokens"]["low"] < 1 and same["equal_tokens"]["clusters"] < 24
    assert same["first_differing_token"] is None
    # vLLM leaves out the bytes of a character that is not complete, which transformers shows as U+FFFD.
    unfinished = {row["id"] for row in same["unequal"]}
    assert same["equal_completions"]["mean"] == pytest.approx(1 - len(unfinished) / 24)
    for row in same["unequal"]:
        assert row["token"] is None and row["said"][1].rstrip("\ufffd") == row["said"][0]

    other = compared(first, rough).as_plain()
    # Recomputed from the logs as inspect reads them.
    kept = [_tokens(first), _tokens(rough)]
    parted = {name for name in kept[0] if kept[0][name] != kept[1][name]}
    assert 0 < len(parted) <= 24
    assert other["equal_tokens"]["mean"] == pytest.approx(1 - len(parted) / 24)
    assert other["first_differing_token"]["n"] == len(parted)
    for row in other["unequal"]:
        one, two = kept[0][row["id"]], kept[1][row["id"]]
        if row["token"] is None:
            assert one == two
            continue
        at = row["token"] - 1
        assert one[:at] == two[:at] and one[at : at + 1] != two[at : at + 1]
    assert {row["id"] for row in other["unequal"] if row["token"]} == parted

    # The command shows these, and its exit code is for CI.
    for log, least, code in ((exact, "1", 0), (rough, "1", 1), (rough, "0", 0)):
        monkeypatch.setattr(
            bench.running.two_engines, "compare_engines", lambda asked, show, log=log: compared(first, log)
        )
        monkeypatch.setattr(sys, "argv", ["bench", "parity", "tiny", "chart_vqa", "--at-least", least])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert (ended.value.code or 0) == code
        said = capsys.readouterr()
        assert "equal tokens" in said.out and "transformers" in said.out
        assert ("part at token" in said.out) == (log == rough)
        assert ("fewer than 100.0% have equal tokens" in said.err) == bool(code)


def _tokens(log: str) -> dict[str, list[int]]:
    return {str(s.id): (s.output.metadata or {})["token_ids"] for s in read_eval_log(log).samples or []}


def test_what_one_engine_could_not_complete_is_counted_and_no_pair(
    served: ServedModel, tiny_checkpoint: Path, drive: Any, quiet: Any, tmp_path: Path
) -> None:
    first = run(served, drive, quiet, tmp_path, limit=6)
    short = run(by_transformers(tiny_checkpoint, "float32"), drive, quiet, tmp_path, limit=4)
    found = compared(first, short)
    assert len(found.pairs) == 4
    none = run(
        by_transformers(tiny_checkpoint, "float32"),
        drive,
        quiet,
        tmp_path,
        sample_ids=("grouped-00000-cell_value",),
    )
    with pytest.raises(IncompleteRunError, match="no sample was completed by both"):
        compared(short, none)


def test_only_checkpoints_are_compared(quiet: Any, tmp_path: Path) -> None:
    asked = ParityRequest("mockllm/model", "chart_vqa", log_dir=tmp_path, dataset_args={"size": 2})
    with pytest.raises(RequestError):
        compare_engines(asked, quiet)


def test_the_numeric_type_is_the_checkpoints(tiny_checkpoint: Path) -> None:
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    assert own_dtype(str(tiny_checkpoint)) == (config.get("dtype") or config.get("torch_dtype"))
