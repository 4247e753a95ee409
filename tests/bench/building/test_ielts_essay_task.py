"""The task ielts_essay from end to end, without an engine: prompts, scores, tables, comparisons."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ContentImage

from bench.building.scoring import with_encoder
from bench.building.task import build_task
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.running.replayed import score_completions
from results.logs.logged_run import Run
from results.numbers.metrics import metric_json, metric_runs, run_metrics
from results.shown.metrics_table import group_metrics_tables
from scorers.essays.essay_form import FAULTS

pytestmark = pytest.mark.slow

SPEC = importlib.util.spec_from_file_location(
    "drawn_clone", Path(__file__).parents[2] / "tasks" / "ielts_essay" / "conftest.py"
)
assert SPEC is not None and SPEC.loader is not None
drawn = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drawn)

QUESTIONS = "1. What is the share?\n2. Which is the largest?\n3. Why did it fall?"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))


class Quiet:
    """Shows nothing."""

    def say(self, line: str) -> None:
        pass

    @contextlib.contextmanager
    def samples(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        yield lambda: None


def task(**arguments: Any) -> Any:
    return build_task(find_task("ielts_essay"), arguments)


def scored(tmp_path: Path, texts: list[str | None], **arguments: Any) -> Run:
    """A run over completions made elsewhere: "gold" stands for the golden essay, None for no completion."""
    samples = list(task(**arguments).dataset)
    rows = [
        {"id": s.id, "completion": s.target if text == "gold" else text}
        for s, text in zip(samples, texts, strict=True)
        if text is not None
    ]
    file = tmp_path / "completions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return score_completions("ielts_essay", file, None, tmp_path / "logs", arguments, Quiet())


def test_the_model_sees_title_and_chart_and_never_the_data() -> None:
    for sample in task(size=8).dataset:
        [message] = sample.input
        assert isinstance(message.content[0], ContentImage)
        shown = message.text
        assert str(sample.metadata["title"]) in shown and "150 to 190 words" in shown
        assert str(sample.metadata["chart_data"]) not in shown and sample.target not in shown
        assert sample.metadata["cluster"] == sample.metadata["image"]


def test_essays_get_every_number_and_nothing_leaves_a_denominator(tmp_path: Path) -> None:
    """Trap 4: an exception ended the loop, and a prefix of the test set was scored."""
    run = scored(
        tmp_path, ["gold", QUESTIONS, None, "", "gold", "Coal rose by 12345%.", None, "gold"], size=8
    )
    assert run.expected == len(run.outcomes) == 8 and run.unscored.total() == 2
    numbers = {metric.name: metric for metric in run_metrics(run)}
    assert {"well_formed", *FAULTS, "faithful", "key_values", "no_numbers", "rouge1", "bleu"} <= set(numbers)
    means = {name: metric.interval.mean for name, metric in numbers.items() if metric.interval}
    assert all(metric.interval and metric.interval.n == 6 for metric in numbers.values())
    assert means["well_formed"] == 0.5 and means["questions"] == pytest.approx(1 / 6)
    assert means["faithful"] == means["key_values"] == 0.5 and means["no_numbers"] == pytest.approx(2 / 6)
    assert numbers["questions"].lower and not numbers["well_formed"].lower
    assert metric_json(numbers["questions"])["lower_is_better"] is True
    assert sum(bool(outcome.no_answer) for outcome in run.outcomes) == 1


def test_group_tables_hold_what_is_right_and_leave_the_faults_to_the_whole(tmp_path: Path) -> None:
    run = scored(tmp_path, ["gold"] * 4, size=4)
    headings = [
        str(column.header) for table in group_metrics_tables(run, "chart") for column in table.columns
    ]
    assert "well_formed" in headings and "faithful" in headings
    assert not [heading for heading in headings if heading.rstrip(" ↓") in FAULTS]


def test_what_counts_faults_is_turned_round_where_runs_are_compared(tmp_path: Path) -> None:
    run = scored(tmp_path, ["gold", QUESTIONS, "gold", "gold"], size=4)
    [fault, good] = metric_runs([run], ["questions", "well_formed"])
    assert fault.task == "ielts_essay:without_questions" and good.task == "ielts_essay:well_formed"
    assert fault.outcomes.values.tolist() == [1.0, 0.0, 1.0, 1.0] == good.outcomes.values.tolist()
    assert fault.identity["metric"] == good.identity["metric"] == "words:150-190|version:tunebench-1"


def test_a_clone_of_chart_to_text_is_scored_without_golden_essays(tmp_path: Path) -> None:
    clone = drawn.draw_clone(tmp_path / "clone", 1)
    arguments = {"path": str(clone), "size": "all", "sources": "statista,pew"}
    samples = list(task(**arguments).dataset)
    assert {sample.target for sample in samples} == {""}
    run = scored(tmp_path, ["Overall, 20 million were sold."] * len(samples), **arguments)
    numbers = {metric.name: metric.interval for metric in run_metrics(run)}
    known = sum(bool(sample.metadata["chart_data"]) for sample in samples)
    assert 0 < known < len(samples)
    assert numbers["well_formed"] is not None and numbers["well_formed"].n == len(samples)
    # Where nothing is known there is no number, and n says so.
    assert numbers["faithful"] is not None and numbers["faithful"].n == known
    assert numbers["faithful"].mean == 1.0
    assert numbers.get("rouge1") is None
    assert run.unscored.total() == 0


def test_with_golden_essays_they_are_compared(tmp_path: Path) -> None:
    clone = drawn.draw_clone(tmp_path / "clone", 1)
    golden = tmp_path / "golden.jsonl"
    arguments = {"path": str(clone), "size": "all", "golden": str(golden)}
    golden.write_text("")
    ids = [sample.id for sample in task(**arguments).dataset]
    golden.write_text(json.dumps({"id": ids[0], "completion": "Overall, sales rose."}) + "\n")
    run = scored(tmp_path, ["Overall, sales rose."] * len(ids), **arguments)
    [rouge] = [metric for metric in run_metrics(run) if metric.name == "rouge1"]
    assert rouge.interval is not None and rouge.interval.n == 1 and rouge.interval.mean == pytest.approx(1.0)


def test_a_missing_picture_is_counted(tmp_path: Path) -> None:
    clone = drawn.draw_clone(tmp_path / "clone", 1)
    for image in (clone / "pew_dataset").rglob("*.png"):
        image.unlink()
    samples = list(task(path=str(clone), size="all", split="train").dataset)
    assert sum("unreadable" in (sample.metadata or {}) for sample in samples) == len(samples) / 2


def test_an_encoder_that_is_named_adds_bertscore() -> None:
    spec, others = with_encoder(find_task("ielts_essay"), {"bertscore_model": "./minilm:5", "size": 4})
    assert spec.scorer[-1].name == "bertscore" and spec.scorer[-1].args["num_layers"] == 5
    assert others == {"size": 4}
    with pytest.raises(RequestError, match="has no scorer bertscore"):
        with_encoder(find_task("chart_vqa"), {"bertscore_model": "./minilm:5"})


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        ("{essay_form: {fewest_words: 0}}", "fewest_words is a whole number of words, not 0"),
        ("{essay_form: {fewest_words: 200}}", "fewest_words 200 is more than most_words 190"),
        ("{essay_form: {least_words: 100}}", "takes fewest_words, most_words, not 'least_words'"),
    ],
)
def test_limits_that_cannot_be_are_named(tmp_path: Path, scorer: str, message: str) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(
        "name: mine\nversion: 1-A\nsummary: Essays.\ndataset: {records: ielts_essays, args: {size: 2}}\n"
        f"prompt: '{{title}}'\nscorer: {scorer}\n"
    )
    with pytest.raises(RequestError, match=message):
        build_task(find_task(str(file)))


def test_the_data_stay_in_the_log_at_any_length(tmp_path: Path) -> None:
    clone = drawn.draw_clone(tmp_path / "clone", 1)
    for file in (clone / "statista_dataset/dataset/data").glob("*.csv"):
        file.write_text("Place,Sales\n" + "".join(f"Town number {n},{n}.5\n" for n in range(200)))
    samples = list(task(path=str(clone), size="all", split="train", sources="statista").dataset)
    assert max(len(sample.metadata["chart_data"]) for sample in samples) > 2000
    assert not any(math.isnan(len(sample.metadata["chart_data"])) for sample in samples)
