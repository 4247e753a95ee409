"""Logs read without inspect say what inspect's own readers say; odd ones go to inspect."""

from __future__ import annotations

import json
import math
from pathlib import Path
from zipfile import ZipFile

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries, write_eval_log
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState

import results.logs.log_file
from results.logs.log_file import read_log
from results.logs.logged_run import read_run
from results.logs.outcomes import Outcomes
from solvers.replay import replay


@scorer(metrics=[mean()])
def odd() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        value = math.nan if text == "nan" else text
        return Score(value=value, answer=text, reason="judge_unparsed" if text == "nan" else None)

    return score


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = ["C", "nan", "I", "C", 'a "NaN" in text: NaN', "C"]
    samples = [Sample(id=n, input="?", target="x", metadata={"kind": "é ☃"}) for n in range(len(texts))]
    (done,) = inspect_eval(
        Task(
            name="odd", version=3, dataset=MemoryDataset(samples), scorer=odd(),
            solver=replay({str(n): (text, "stop") for n, text in enumerate(texts)}, "m"),
            metadata={"report": {"by": ["kind"]}},
        ),
        model=None, log_dir=str(tmp_path_factory.mktemp("logs")), display="none", ctl_server=False,
    )  # fmt: skip
    return Path(done.location.removeprefix("file://"))


def no_inspect(*_: object, **__: object) -> None:
    raise AssertionError("read by inspect")


def same(one: Outcomes, two: Outcomes) -> bool:
    return list(one) == list(two)


def test_it_reads_what_inspect_reads(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_inspect = results.logs.log_file._read_with_inspect(log)
    monkeypatch.setattr(results.logs.log_file, "_read_with_inspect", no_inspect)
    header, summaries = read_log(log)
    assert header == by_inspect[0]
    plain = [(s.id, s.epoch, s.target, s.metadata, s.error, s.started_at) for s in summaries]
    assert plain == [(s.id, s.epoch, s.target, s.metadata, s.error, s.started_at) for s in by_inspect[1]]
    assert [s.id for s in summaries] == [s.id for s in read_eval_log_sample_summaries(str(log))]


def test_nan_is_read_and_no_text_is_changed(log: Path) -> None:
    outcomes = {outcome.id: outcome for outcome in read_run(log).outcomes}
    assert (outcomes["1"].value, outcomes["1"].reason) == (None, "judge_unparsed")
    assert outcomes["4"].answer == 'a "NaN" in text: NaN'
    assert outcomes["0"].groups == {"kind": "é ☃"}


def test_a_log_in_json_is_read_by_inspect(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(log)), str(other))
    one, two = read_run(log), read_run(other)
    assert same(one.outcomes, two.outcomes)
    assert (one.task, one.model, one.identity) == (two.task, two.model, two.identity)


def test_an_archive_that_was_not_closed_has_its_finished_samples(log: Path, tmp_path: Path) -> None:
    """What a running evaluation has on disk: no header of its own, one file for each group of samples."""
    running = tmp_path / "running.eval"
    with ZipFile(log) as whole, ZipFile(running, "w") as part:
        rows = whole.read("summaries.json").decode()
        part.writestr("_journal/start.json", whole.read("_journal/start.json"))
        found = json.loads(rows.replace(":NaN", ":null"))
        # Ten comes after nine, and a sample that ran again replaces its first run.
        part.writestr("_journal/summaries/10.json", json.dumps([found[0] | {"target": "again"}]))
        part.writestr("_journal/summaries/9.json", json.dumps(found[:3]))
    header, summaries = read_log(running)
    assert header.status == "started"
    assert [(s.id, s.target) for s in summaries] == [(0, "again"), (1, "x"), (2, "x")]
    assert read_run(running).unscored["not run"] == 3


@pytest.mark.parametrize("kept", [0, 10, 500, 0.5, 0.99])
def test_a_truncated_log_is_refused(log: Path, tmp_path: Path, kept: float) -> None:
    content = log.read_bytes()
    cut = tmp_path / "cut.eval"
    cut.write_bytes(content[: kept if isinstance(kept, int) else int(len(content) * kept)])
    with pytest.raises(Exception, match=r".*"):
        read_log(cut)
