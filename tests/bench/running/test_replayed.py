"""`bench score`: completions from elsewhere get the scores, and the log, that a run would give them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log

from bench.commands.evaluate import score as command
from bench.errors import IncompleteRunError, RequestError
from bench.running.replayed import read_completions, score_completions
from results.logs.logged_run import Run
from scorers.boxed.boxed_answer import answers_match, extract_boxed
from tasks.chart_vqa.records import FAMILIES, charts

pytestmark = pytest.mark.slow

SIZE = 120
TRACES = Path(__file__).parents[3] / ".." / "shared" / "data" / "reasoning_charts_bar.json"


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return charts("test", size=SIZE, seed=5, workers=1)


def jsonl(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def golds(record: Mapping[str, Any]) -> list[str]:
    target = record["target"]
    return [target] if isinstance(target, str) else list(target)


@pytest.fixture
def scored(tmp_path: Path, quiet: Any) -> Any:
    def score(rows: Sequence[Mapping[str, object]], **changes: Any) -> Run:
        arguments = {"size": SIZE, "seed": 5, "workers": 1} if "samples" not in changes else {}
        return score_completions(
            "chart_vqa",
            jsonl(tmp_path / "completions.jsonl", rows),
            changes.get("samples"),
            tmp_path / "logs",
            arguments,
            quiet,
        )

    return score


def test_an_oracle_is_right_on_every_family(records: list[dict[str, Any]], scored: Any) -> None:
    run = scored([{"id": r["id"], "completion": f"So \\boxed{{{golds(r)[0]}}}."} for r in records])
    assert {o.groups["family"] for o in run.outcomes} == {f for own in FAMILIES.values() for f in own}
    assert all(outcome.value == 1 for outcome in run.outcomes)
    assert all(outcome.anywhere for outcome in run.outcomes)
    assert len(run.outcomes) == run.expected == SIZE
    assert run.unscored == {}


@pytest.mark.parametrize("constant", ["True", "7"])
def test_a_constant_answer_scores_its_base_rate(
    records: list[dict[str, Any]], scored: Any, constant: str
) -> None:
    run = scored([{"id": r["id"], "completion": f"\\boxed{{{constant}}}"} for r in records])
    # Counted from the golds as they are written; numbers by their value within the record's tolerance.
    expected: Counter[str] = Counter()
    for record in records:
        if record["kind"] == "number" and constant != "True":
            right = any(abs(float(gold) - float(constant)) <= record["tolerance"] for gold in golds(record))
        else:
            right = constant in golds(record)
        expected[record["family"]] += right
    found: Counter[str] = Counter()
    for outcome in run.outcomes:
        assert outcome.value is not None
        found[outcome.groups["family"]] += int(outcome.value)
    assert +found == +expected
    if constant == "True":
        assert set(+found) == {"word_present"}


def test_yes_and_no_are_balanced() -> None:
    asked = charts("test", size=60, seed=5, charts="cloud", families="word_present", workers=1)
    share = sum(record["target"] == "True" for record in asked) / 60
    assert 0.35 < share < 0.65


def test_a_sample_without_a_completion_is_unscored(records: list[dict[str, Any]], scored: Any) -> None:
    run = scored([{"id": r["id"], "completion": "\\boxed{7}"} for r in records[1:]])
    assert dict(run.unscored) == {"no completion with this sample's id": 1}
    (missing,) = [o for o in run.outcomes if o.value is None]
    assert missing.id == records[0]["id"]


def test_the_command_names_the_model_and_ends_with_4_where_completions_are_missing(
    records: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": r["id"], "completion": f"\\boxed{{{golds(r)[0]}}}"} for r in records]
    given = {"log_dir": tmp_path / "logs", "task_arg": [f"size={SIZE}", "seed=5", "workers=1"]}
    part = jsonl(tmp_path / "part.jsonl", rows[:30])
    with pytest.raises(IncompleteRunError, match=f"no completion for 90 of the {SIZE} samples"):
        command("chart_vqa", part, model="lab/student-7b", **given)
    shown = capsys.readouterr().out
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    assert f"student-7b@{digest[:6]}" in shown
    assert f"90 unscored in chart_vqa × student-7b@{digest[:6]}: no completion with this sample's id" in shown
    whole = jsonl(tmp_path / "whole.jsonl", rows)
    command("chart_vqa", whole, model="lab/student-7b", as_json=True, **given)
    (run,) = json.loads(capsys.readouterr().out)
    assert (run["model"], run["score"]["n"], run["unscored"]) == ("lab/student-7b", SIZE, {})
    # The same name and other texts are another row.
    assert run["identity"]["completions_hash"] == hashlib.sha256(whole.read_bytes()).hexdigest() != digest


@pytest.mark.parametrize(
    ("reason", "truncated"), [("length", True), ("max_tokens", True), ("stop", False), (None, None)]
)
def test_the_reason_it_ended_is_kept(
    records: list[dict[str, Any]], scored: Any, reason: str | None, truncated: bool | None
) -> None:
    row: dict[str, object] = {"id": records[0]["id"], "completion": "I think"}
    if reason is not None:
        row["finish_reason"] = reason
    run = scored([row])
    (outcome,) = [o for o in run.outcomes if o.value is not None]
    assert outcome.truncated is truncated
    assert outcome.no_answer


def test_own_records_are_scored_and_grouped(tmp_path: Path, scored: Any) -> None:
    samples = jsonl(
        tmp_path / "samples.jsonl",
        [
            {"id": 1, "target": "7", "kind": "number", "chart": "bar", "family": "mean"},
            {"id": 2, "target": ["A", "B"], "kind": "text", "chart": "pie", "family": "letter"},
        ],
    )
    run = scored(
        [{"id": 1, "completion": "\\boxed{7.0}"}, {"id": 2, "completion": "\\boxed{b}"}], samples=samples
    )
    assert {(o.id, o.value, o.groups["chart"]) for o in run.outcomes} == {
        ("1", 1.0, "bar"),
        ("2", 1.0, "pie"),
    }
    assert len({o.cluster for o in run.outcomes}) == 2


def test_own_records_of_one_picture_are_one_cluster(tmp_path: Path, scored: Any, quiet: Any) -> None:
    pictures = ["a.png", "a.png", "b.png", None]
    rows = [
        {"id": n, "target": "7", "kind": "number", "chart": "bar", "family": "mean", "image": picture}
        for n, picture in enumerate(pictures)
    ]
    completions = [{"id": n, "completion": "\\boxed{7}"} for n in range(4)]
    run = scored(completions, samples=jsonl(tmp_path / "samples.jsonl", rows))
    assert len({o.cluster for o in run.outcomes}) == 3
    assert quiet.lines == []
    for row in rows:
        del row["image"]
    run = scored(completions, samples=jsonl(tmp_path / "samples.jsonl", rows))
    assert len({o.cluster for o in run.outcomes}) == 4
    assert "has no field 'image': each sample counts as independent" in quiet.lines[0]


def test_mistakes_of_the_files_are_all_named(tmp_path: Path, scored: Any) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": 1, "completion": "a"}\nnot json\n{"id": 2}\n{"id": 3, "completion": 7}\n[]\n'
                    '{"id": 1, "completion": "b"}\n')  # fmt: skip
    with pytest.raises(RequestError) as refused:
        read_completions(file)
    assert [line.partition(": ")[0] for line in str(refused.value).splitlines()] == [
        f"{file}:{number}" for number in (2, 3, 4, 5, 6)
    ]
    with pytest.raises(RequestError, match="not samples of 'chart_vqa', such as stranger"):
        scored([{"id": "stranger", "completion": ""}])
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(RequestError, match="no rows"):
        read_completions(tmp_path / "empty.jsonl")
    with pytest.raises(RequestError, match="no such file"):
        read_completions(tmp_path / "gone.jsonl")


@pytest.mark.parametrize("text", ["\u2028", "\x85", "\x0b", "a\nb", "\x1c"])
def test_any_character_may_stand_in_a_completion(tmp_path: Path, text: str) -> None:
    file = tmp_path / "completions.jsonl"
    file.write_text(
        json.dumps({"id": "a", "completion": text}, ensure_ascii=False) + "\r\n", encoding="utf-8"
    )
    assert read_completions(file) == {"a": (text, "unknown")}


@pytest.mark.process
def test_inspect_reads_and_scores_the_log(records: list[dict[str, Any]], scored: Any, tmp_path: Path) -> None:
    run = scored([{"id": r["id"], "completion": f"\\boxed{{{golds(r)[0]}}}"} for r in records[:6]])
    log = read_eval_log(run.location)
    assert log.status == "success"
    assert log.samples is not None
    assert len(log.samples) == SIZE
    again = tmp_path / "again.eval"
    done = subprocess.run(
        [
            sys.executable, "-m", "inspect_ai", "score", run.location.removeprefix("file://"),
            "--action", "overwrite", "--output-file", str(again),
        ],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    rescored = read_eval_log(str(again))
    assert rescored.samples is not None
    first = {sample.id: sample.scores for sample in log.samples}
    assert sum(bool(sample.scores) for sample in rescored.samples) >= 6
    for sample in rescored.samples:
        if before := first[sample.id]:
            assert [s.value for s in (sample.scores or {}).values()] == [s.value for s in before.values()]


@pytest.mark.skipif(not TRACES.exists(), reason="needs ../shared/data/reasoning_charts_bar.json")
def test_real_traces_get_the_verdicts_that_the_scorer_explains(tmp_path: Path, scored: Any) -> None:
    traces = json.loads(TRACES.read_text(encoding="utf-8"))
    samples = jsonl(
        tmp_path / "samples.jsonl",
        [
            {
                "id": str(index),
                # The gold is prose: `Median frequency: 7.00`.
                "target": trace["answer"].rpartition(":")[2].strip(),
                "kind": "number",
                "tolerance": 0.01,
                "chart": "bar",
                "family": trace["answer"].rpartition(":")[0] or "number",
            }
            for index, trace in enumerate(traces)
        ],
    )
    run = scored([{"id": i, "completion": t["reasoning"]} for i, t in enumerate(traces)], samples=samples)
    ours = {int(o.id): o.value == 1 for o in run.outcomes}
    # test_boxed_traces.py says why: two right fractions that the authors' check could not read.
    assert {index for index in ours if ours[index] != traces[index]["answer_valid"]} == {27, 49}
    for index, trace in enumerate(traces):
        answer = extract_boxed(trace["reasoning"])
        assert answer is not None
        assert ours[index] == answers_match(answer, trace["answer"], kind="number", tolerance=0.01)
