"""Ratings of 0, ½ and 1 by a judge, beside a task's other scorers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from bench.building.scoring import with_judge
from bench.building.task import build_task
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.running.replayed import score_completions
from bench.serving.judge_rules import RuleAPI
from results.logs.judge_warnings import run_warnings
from results.logs.logged_run import Run
from results.numbers.metrics import metric_runs, run_metrics
from scorers.judges.correctness import correctness, correctness_signature
from scorers.judges.judge_prompt import shown_texts

pytestmark = pytest.mark.slow

TASK = """
name: plants
version: 1-A
summary: Long answers.
dataset: {jsonl: records.jsonl, image: null}
prompt: "Question: {question}"
scorer: SCORERS
report: {by: [topic], cluster: topic}
"""
REFERENCE = "an oak of ten years"
ANSWERS = {
    "0": REFERENCE,
    "1": "an oak it seems of no age",
    "2": "it is a pine",
    "3": "",
    "4": "of ten years an oak",
}
RATED = {"0": 1.0, "1": 0.5, "2": 0.0, "3": 0.0, "4": 1.0}


def task(folder: Path, scorers: str = "{correctness: {judge: judge/same}}") -> tuple[str, Path]:
    rows = [
        {"id": n, "question": f"what is it, {n}?", "target": REFERENCE, "topic": f"t{int(n) % 2}"}
        for n in ANSWERS
    ]
    completions = [{"id": n, "completion": text} for n, text in ANSWERS.items()]
    (folder / "plants.yaml").write_text(TASK.replace("SCORERS", scorers))
    for name, lines in (("records", rows), ("completions", completions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder / "plants.yaml"), folder / "completions.jsonl"


def scored(
    folder: Path, quiet: Any, scorers: str = "{correctness: {judge: judge/same}}", **given: Any
) -> Run:
    name, completions = task(folder, scorers)
    return score_completions(name, completions, None, folder / "logs", given, quiet)


def metric(run: Run, name: str) -> Any:
    return next(one for one in run_metrics(run) if one.name == name)


def test_each_answer_gets_the_rating_in_the_judges_tag(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet)
    assert {o.id: o.value for o in run.outcomes} == RATED
    assert metric(run, "correctness").interval.mean == pytest.approx(0.5)
    assert metric(run, "correctness_unparsed").interval.mean == 0
    assert metric(run, "correctness").signature == correctness_signature("judge/same")
    assert sum(bool(o.no_answer) for o in run.outcomes) == 1
    log = read_eval_log(run.location)
    (first,) = [sample for sample in log.samples or () if sample.id == "0"]
    assert first.scores is not None
    assert (first.scores["correctness"].metadata or {})["replies"] == [
        "1.000 of the words.\n<rating>1</rating>"
    ]


def test_the_judge_reads_question_reference_and_answer(
    tmp_path: Path, quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    answer = RuleAPI.generate

    async def seen(self: RuleAPI, input: Any, *rest: Any, **more: Any) -> Any:
        asked.append(shown_texts(input[-1].text))
        return await answer(self, input, *rest, **more)

    monkeypatch.setattr(RuleAPI, "generate", seen)
    scored(tmp_path, quiet)
    # The empty answer needs no judge.
    assert len(asked) == 4
    assert {"QUESTION": "Question: what is it, 2?", "REFERENCE": REFERENCE, "ANSWER": "it is a pine"} in asked


def test_a_reply_without_a_rating_is_unscored_and_counted(
    tmp_path: Path, quiet: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_BASE_URL", endpoint.url)
    replies = {
        "an oak": "<rating>1</rating>",
        "it is a pine": "<rating>0.7</rating>",
        "of ten": "I cannot say.",
    }

    def answer(asked: dict[str, Any]) -> str:
        text = shown_texts(asked["messages"][-1]["content"])["ANSWER"]
        return next(reply for start, reply in replies.items() if text.startswith(start))

    endpoint.answer = answer
    run = scored(tmp_path, quiet, "{correctness: {judge: vllm/fake}}")
    assert {o.id: o.value for o in run.outcomes} == {"0": 1.0, "1": 1.0, "2": None, "3": 0.0, "4": None}
    assert run.unscored == {"judge_unparsed": 2}
    assert metric(run, "correctness").interval.n == 3
    unparsed = metric(run, "correctness_unparsed").interval
    assert (unparsed.mean, unparsed.n) == (0.4, 5)


def test_no_reply_is_asked_for_twice_after_a_kill(
    tmp_path: Path, quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    answer = RuleAPI.generate

    class Killed(BaseException):
        pass

    async def mortal(self: RuleAPI, input: Any, *rest: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise Killed
        return await answer(self, input, *rest, **more)

    monkeypatch.setattr(RuleAPI, "generate", mortal)
    with pytest.raises(BaseException):  # noqa: B017  inspect's word for what ended it
        scored(tmp_path, quiet)
    assert list((tmp_path / "logs" / ".journal").glob("scores-*.jsonl"))
    before = asked
    run = scored(tmp_path, quiet)
    assert {o.id: o.value for o in run.outcomes} == RATED
    assert before >= 3
    assert asked - before == 4 - (before - 1)


def test_it_joins_a_task_from_the_command_line(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet, "[bleu]", correctness_judge="judge/same")
    assert run_metrics(run)[0].label == "bleu, corpus"
    (rated,) = metric_runs([run], ["correctness"])
    assert rated.task == "plants:correctness"
    assert {o.id: o.value for o in rated.outcomes} == RATED
    spec, others = with_judge(find_task(task(tmp_path)[0]), {"correctness_judge": "x/y", "size": 3})
    assert (spec.scorer[0].args, others) == ({"judge": "x/y"}, {"size": 3})


def test_a_judge_must_be_named(tmp_path: Path) -> None:
    name, _ = task(tmp_path, "correctness")
    with pytest.raises(RequestError, match=r"name who judges, as in .*no model rates its own answers"):
        build_task(find_task(name))
    with pytest.raises(ValueError, match="name who judges"):
        correctness()


def test_a_folder_as_judge_is_served_here_and_known_by_its_weights(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    name, _ = task(tmp_path, f"{{correctness: {{judge: {tiny_checkpoint}}}}}")
    built = build_task(find_task(name))
    signed = (built.metadata or {})["identity"]["metrics"]["correctness"]
    digest = signed.removeprefix("judge:").partition("|")[0]
    assert len(digest) == 64
    itself = {"model": "tiny", "weights_digest": digest, "metrics": {"correctness": signed}}
    assert run_warnings(itself) == [f"{digest[:40]} rates its own answers"]
    assert run_warnings({**itself, "weights_digest": "0" * 64}) == []


@pytest.mark.engine
def test_it_rates_what_a_local_model_wrote(served: Any, drive: Any, tmp_path: Path, quiet: Any) -> None:
    """The short road, where completions come first and scores after."""
    from bench.running.request import RunRequest
    from bench.running.run import named_task, run_one

    name, _ = task(tmp_path)
    asked = RunRequest(tasks=(name,), models=("tiny",), log_dir=tmp_path / "logs", max_tokens=8)
    run = drive(run_one(asked, named_task(name, {}), served, quiet))
    assert len(run.outcomes) == 5
    assert not run.unscored
    assert quiet.advanced == 10
