"""Blessed baselines: small, readable in a diff, and read back as what was blessed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from results.chosen.baseline import baseline_names, read_baseline, write_baseline
from results.chosen.folder import read_runs
from results.compared.comparison import Rules, compare
from results.logs.logged_run import Run


@pytest.fixture
def runs(checkpoint_logs: Path) -> list[Run]:
    return [run for run in read_runs([checkpoint_logs]).runs if run.model.endswith("/base")]


def test_a_baseline_is_what_was_blessed(runs: list[Run], tmp_path: Path) -> None:
    file = write_baseline("base", runs, tmp_path / "baselines")
    assert file == tmp_path / "baselines" / "base.json"
    assert baseline_names(tmp_path / "baselines") == ["base"]
    baseline = read_baseline("base", tmp_path / "baselines")
    for kept, run in zip(baseline.runs, runs, strict=True):
        assert (kept.task, kept.model, kept.identity) == (run.task, run.model, run.identity)
        assert (kept.seconds, kept.expected, kept.epochs, kept.report_by) == (
            run.seconds, run.expected, run.epochs, run.report_by
        )  # fmt: skip
        assert kept.location == Path(run.location).name
        assert [replace(one, target="") for one in run.outcomes] == list(kept.outcomes)
    for task in compare(baseline.runs, runs, Rules()):
        assert task.found.better == task.found.worse == 0
        assert task.same_weights


def test_it_is_one_line_a_sample_and_holds_no_completion(runs: list[Run], tmp_path: Path) -> None:
    text = write_baseline("base", runs, tmp_path).read_text(encoding="utf-8")
    assert sum(line.startswith('["s') for line in text.splitlines()) == 36
    assert "cannot tell" not in text
    assert "alert(1)" not in text
    assert len(text) < 200 * 36


def test_any_answer_can_be_kept(runs: list[Run], tmp_path: Path) -> None:
    outcomes = list(runs[0].outcomes)
    odd = [replace(outcomes[0], answer='half \ud800 "quoted"\n'), replace(outcomes[1], answer="9" * 5000)]
    write_baseline("odd", [replace(runs[0], outcomes=type(runs[0].outcomes).of(odd))], tmp_path)
    kept = read_baseline("odd", tmp_path).runs[0].outcomes
    assert kept[0].answer == 'half ? "quoted"\n'
    assert kept[1].answer == "9" * 200


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b"])
def test_a_name_is_a_plain_one(runs: list[Run], tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a baseline"):
        write_baseline(name, runs, tmp_path)


def test_one_run_a_task(runs: list[Run], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two runs of counts"):
        write_baseline("base", [runs[0], runs[0]], tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no baseline that can be read"),
        ('{"tunebench_baseline": 1}', "no baseline that can be read.*blessed"),
        ('{"tunebench_baseline": 9, "blessed": "", "runs": []}', "form 9, and this version reads 1"),
        ("<<<<<<< HEAD", "no baseline that can be read"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "base.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_baseline("base", tmp_path)
