"""One log → outcomes: three kinds of them, from whole logs and from partial ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Epochs, Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from results.logs.logged_run import read_run


@solver
def echo() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if state.input_text == "fail":
            raise ValueError("the image cannot be decoded: 'half' a file")
        state.output = ModelOutput.from_content("none", state.input_text)
        state.output.usage = ModelUsage()
        return state

    return solve


@scorer(metrics=[mean()])
def given() -> Scorer:
    """The score that a sample's text names."""
    values: dict[str, Any] = {"nan": math.nan, "half": 0.5, "list": [1, 0]}

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        value = values.get(text, text)
        flags = {"no_answer": text == "I", "truncated": False, "anywhere": text == "C"}
        return Score(value=value, reason="judge_unparsed" if text == "nan" else None, metadata=flags)

    return score


Log = Callable[..., Path]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    def make(*texts: str, epochs: int = 1, **metadata: Any) -> Path:
        samples = [
            Sample(id=f"s{n}", input=text, target=["7", "8"], metadata={"chart": "bar", "image": "i"})
            for n, text in enumerate(texts)
        ]
        (done,) = inspect_eval(
            Task(
                name="echoes", dataset=MemoryDataset(samples), solver=echo(), scorer=given(),
                epochs=Epochs(epochs, []), fail_on_error=False,
            ),
            model=None, log_dir=str(tmp_path / "logs"), display="none", metadata=metadata, ctl_server=False,
        )  # fmt: skip
        return Path(done.location.removeprefix("file://"))

    return make


def test_grades_numbers_and_what_is_neither(log: Log) -> None:
    run = read_run(log("C", "I", "P", "half", "nan", "fail", "Q"))
    found = {o.id: (o.value, o.reason) for o in run.outcomes}
    assert found["s0"] == (1.0, None)
    assert found["s1"] == (0.0, None)
    assert found["s2"] == (0.5, None)
    assert found["s3"] == (0.5, None)
    assert found["s4"] == (None, "judge_unparsed")
    assert found["s5"] == (None, "the image cannot be decoded: 'half' a file")
    assert found["s6"] == (None, "score 'Q' is no grade")
    assert sum(run.unscored.values()) == 3
    assert run.expected == 7
    assert run.status == "success"


def test_flags_target_and_groups(log: Log) -> None:
    run = read_run(log("C", "I", report={"by": ["chart", "family"], "cluster": "image"}))
    right, wrong = sorted(run.outcomes, key=lambda o: o.id)
    assert (right.anywhere, wrong.anywhere) == (True, False)
    assert (right.no_answer, wrong.no_answer) == (False, True)
    assert right.target == "7 | 8"
    assert right.groups == {"chart": "bar"}
    assert right.cluster == wrong.cluster == "i"
    assert run.report_by == ("chart", "family")


def test_without_a_cluster_a_samples_epochs_are_one(log: Log) -> None:
    run = read_run(log("C", "I", epochs=2))
    assert len(run.outcomes) == run.expected == 4
    assert {(o.id, o.cluster) for o in run.outcomes} == {("s0", "s0"), ("s1", "s1")}


def test_identity_comes_from_the_header(log: Log) -> None:
    run = read_run(log("C", identity={"data_hash": "d"}, model={"model": "m", "weights_digest": "w"}))
    assert run.identity["data_hash"] == "d"
    assert run.identity["weights_digest"] == "w"
    assert run.model == "m"
    assert run.task == "echoes"


def test_what_was_not_reached_is_counted(log: Log) -> None:
    file = log("C", "I", "C", "I")
    whole = read_eval_log(str(file))
    assert whole.samples is not None
    whole.samples = whole.samples[:3]
    whole.status = "started"
    write_eval_log(whole, str(file))
    run = read_run(file)
    assert run.status == "started"
    assert run.expected == 4
    assert dict(run.unscored) == {"not run": 1}


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.eval").write_text("no")
    with pytest.raises(Exception, match=r".+"):
        read_run(tmp_path / "no.eval")
