"""What a name on the command line means, and what is said when it means nothing or too much."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from results.chosen.baseline import write_baseline
from results.chosen.sides import _is, find_side


def names(given: object, baselines: Path) -> set[tuple[str, str]]:
    return {(run.model, run.task) for run in find_side(str(given), baselines=baselines).runs}


BASE = {("checkpoints/base", "counts"), ("checkpoints/base", "letters")}
DIGEST = hashlib.sha256(b"base").hexdigest()


@pytest.mark.parametrize(
    "model",
    ["base", "checkpoints/base", f"base@{DIGEST[:6]}", f"base@{DIGEST[:4]}", DIGEST[:4], DIGEST[:12], DIGEST],
)
def test_a_model_of_a_folder_by_name_or_digest(checkpoint_logs: Path, tmp_path: Path, model: str) -> None:
    assert names(f"{checkpoint_logs}@{model}", tmp_path) == BASE


def test_a_name_without_a_digest_is_no_start_of_another(checkpoint_logs: Path, tmp_path: Path) -> None:
    run = find_side(f"{checkpoint_logs}@base", baselines=tmp_path).runs[0]
    served = replace(run, model="openai/gpt-4o-mini", identity={})
    assert _is(served, "openai/gpt-4o-mini")
    assert not _is(served, "openai/gpt-4o")
    elsewhere = replace(run, model="student", identity={"completions_hash": "abcdef0123"})
    assert _is(elsewhere, "abcd")
    assert _is(elsewhere, "student@abcd")
    assert not _is(elsewhere, "teacher@abcd")


def test_a_folder_with_an_at_in_its_name(checkpoint_logs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs@home"
    shutil.copytree(checkpoint_logs, folder)
    assert names(f"{folder}@base", tmp_path) == BASE


def test_a_log_by_path_or_as_inspect_prints_it(checkpoint_logs: Path, tmp_path: Path) -> None:
    (log, *_) = sorted(checkpoint_logs.glob("*.eval"))
    assert names(log, tmp_path) == names(f"file://{log}", tmp_path)
    assert len(names(log, tmp_path)) == 1


def test_a_baseline_by_its_name(checkpoint_logs: Path, tmp_path: Path) -> None:
    runs = find_side(f"{checkpoint_logs}@base", baselines=tmp_path).runs
    write_baseline("good", runs, tmp_path)
    assert names("good", tmp_path) == BASE
    assert names(tmp_path / "good.json", tmp_path) == BASE
    with pytest.raises(ValueError, match=r"did you mean 'good'.* are good;"):
        find_side("god", baselines=tmp_path)


def test_several_models_need_one_named(checkpoint_logs: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"runs of 3 models, base@{DIGEST[:6]}, .*say which: .*@base@"):
        find_side(str(checkpoint_logs), baselines=tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{logs}@bose", "no run of a model 'bose'; did you mean|no run of a model 'bose'; there are base@"),
        ("{logs}@" + DIGEST[:3], "no run of a model"),
        ("nowhere/log.eval", "no such log or folder"),
        ("nobody", "has no baselines; `bench bless"),
        ("{empty}", "no finished run to compare, and no log at all"),
    ],
)
def test_what_is_not_there(checkpoint_logs: Path, tmp_path: Path, given: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=message):
        find_side(given.format(logs=checkpoint_logs, empty=tmp_path / "empty"), baselines=tmp_path / "b")


def test_logs_that_cannot_count_are_named(checkpoint_logs: Path, tmp_path: Path) -> None:
    (log, *_) = sorted(checkpoint_logs.glob("*.eval"))
    shutil.copy(log, tmp_path / "whole.eval")
    (tmp_path / "cut.eval").write_bytes(log.read_bytes()[:900])
    side = find_side(str(tmp_path), baselines=tmp_path)
    assert len(side.runs) == 1
    assert len(side.problems) == 1
    assert "cut.eval" in side.problems[0]
    (tmp_path / "whole.eval").unlink()
    with pytest.raises(ValueError, match=r"no finished run to compare\n  .*cut\.eval: not read"):
        find_side(str(tmp_path), baselines=tmp_path)
