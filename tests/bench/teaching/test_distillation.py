"""bench distill: which texts of a teacher become rows, what a student sees of them, what a kill costs."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from inspect_ai.log import read_eval_log

from bench import cli
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.records.loading import load_records
from bench.records.training_folder import FILE, read_folder
from bench.registry import teacher_task
from bench.running.run import run_one
from bench.teaching.distillation import DistillRequest, describe_teaching, run_teacher
from scorers.teaching.stages import read_stages
from tasks.ielts_essay.essay import Essay

pytestmark = pytest.mark.slow

TAGS = ("SUMMARY", "CAPTION", "REASONING", "CONCLUSION")


@pytest.fixture(scope="module")
def problems(scienceqa_folder: Path) -> dict[str, dict[str, Any]]:
    """The train questions with a picture, by id: what the oracle knows."""
    rows = json.loads((scienceqa_folder / "problems.json").read_text())
    return {pid: row for pid, row in rows.items() if row["split"] == "train" and row["image"]}


KINDS = ("good", "second", "wrong", "missing", "empty", "told", "both", "cut")


def kind_of(pid: str) -> str:
    """How the oracle treats a question: it is right at once or at the second attempt, or never acceptable."""
    return KINDS[sum(map(ord, pid)) % len(KINDS)]


class Oracle:
    """Answers by the worked answer in the prompt, well or badly as the question's kind says."""

    def __init__(self, problems: dict[str, dict[str, Any]]) -> None:
        self.problems = problems
        self.prompts: list[str] = []

    def pid(self, prompt: str) -> str:
        options = re.findall(r"^\([A-Z]\) (.*)$", prompt, re.MULTILINE)
        found = [
            pid
            for pid, row in self.problems.items()
            if row["question"] in prompt and row["choices"] == options and row["hint"] in prompt
            and row["solution"] in prompt
        ]  # fmt: skip
        return found[0]

    def __call__(self, request: dict[str, Any]) -> str:
        texts = [
            part["text"]
            for message in request["messages"]
            if isinstance(message["content"], list)
            for part in message["content"]
            if part["type"] == "text"
        ]
        self.prompts.append("\n".join(texts))
        pid = self.pid(self.prompts[-1])
        row = self.problems[pid]
        right = "ABCD"[row["answer"]]
        wrong = "ABCD"[(row["answer"] + 1) % len(row["choices"])]
        kind = kind_of(pid)
        letter = wrong if kind == "wrong" or (kind == "second" and request["seed"] == 0) else right
        stages = {
            "SUMMARY": "Read the picture.",
            "CAPTION": f"A drawing of {row['topic']}.",
            "REASONING": "The lesson says so." if kind == "told" else "It is the only one that fits.",
            "CONCLUSION": "A or B" if kind == "both" else letter,
        }
        if kind == "missing":
            del stages["CAPTION"]
        if kind == "empty":
            stages["SUMMARY"] = " "
        text = "Certainly!\n" + "\n".join(f"<{tag}>{content}</{tag}>" for tag, content in stages.items())
        return text.replace("</CONCLUSION>", "") if kind == "cut" else text


REJECTED = {
    "wrong": "wrong answer",
    "missing": "CAPTION is missing",
    "empty": "SUMMARY is empty",
    "told": "says 'the lesson'",
    "both": "no_answer",
    "cut": "CONCLUSION is not closed",
}


def asked_of(url: str, folder: Path, out: object, *more: object) -> list[object]:
    return [
        "distill", "scienceqa_stages", "--teacher", "vllm/fake", "--model-base-url", url, "--out", out,
        "-T", f"path={folder}", "check_counts=false", "--show", "none", *more,
    ]  # fmt: skip


def table(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(folder / FILE).to_pylist()
    return rows


def test_an_oracles_right_rows_are_accepted_and_the_rest_counted_by_reason(
    endpoint: Any,
    problems: dict[str, dict[str, Any]],
    scienceqa_folder: Path,
    bench: Any,
    tmp_path: Path,
) -> None:
    endpoint.answer = oracle = Oracle(problems)
    done = bench(
        *asked_of(endpoint.url, scienceqa_folder, "taught", "--json", "--retries", "1", "--price", "2,4")
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)

    kinds = {pid: kind_of(pid) for pid in problems}
    assert set(kinds.values()) == set(KINDS)
    accepted = {pid for pid, kind in kinds.items() if kind in ("good", "second")}
    assert (said["asked"], said["accepted"], said["unscored"]) == (len(problems), len(accepted), 0)
    expected = [REJECTED[kind] for pid, kind in kinds.items() if pid not in accepted]
    assert said["rejected_because"] == {reason: expected.count(reason) for reason in expected}
    seconds = sum(kind == "second" for kind in kinds.values())
    assert said["attempts"] == endpoint.asked.total() == len(problems) + len(expected) + seconds
    assert said["tokens"] == {"input": 10 * said["attempts"], "output": 5 * said["attempts"]}
    assert said["cost_usd"] == pytest.approx(40 * said["attempts"] / 1e6)
    for topic, row in said["by"]["topic"].items():
        members = {pid for pid in problems if problems[pid]["topic"] == topic}
        assert (row["asked"], row["accepted"]) == (len(members), len(members & accepted))
        assert row["rate"]["n"] == len(members)

    rows = table(tmp_path / "taught")
    assert {row["sample_id"] for row in rows} == accepted
    records = {str(r["id"]): r for r in load_records(find_task("scienceqa_stages"), train(scienceqa_folder))}
    for row in rows:
        problem, record = problems[row["sample_id"]], records[row["sample_id"]]
        assert list(row) == ["images", "prompt", "completion", "task", "sample_id", "groups"]
        assert row["prompt"] == find_task("scienceqa_stages").render(record)
        stages = read_stages(row["completion"], TAGS)
        assert stages["CONCLUSION"] == "ABCD"[problem["answer"]]
        assert stages["CAPTION"] == f"A drawing of {problem['topic']}."
        assert row["completion"].startswith("<SUMMARY>")
        file = scienceqa_folder / "train" / row["sample_id"] / "image.png"
        assert [image["bytes"] for image in row["images"]] == [file.read_bytes()]
        assert row["groups"]["topic"] == problem["topic"]
        # What the teacher alone was shown is in no student's prompt.
        for secret in problems.values():
            assert secret["solution"] not in row["prompt"]
            assert not secret["lecture"] or secret["lecture"] not in row["prompt"]
    shown = "\n".join(oracle.prompts)
    assert all(row["solution"] in shown and row["lecture"] in shown for row in problems.values())

    card = (tmp_path / "taught" / "README.md").read_text()
    assert said["data_hash"] in card and said["teacher_prompt_hash"] in card and "CAPTION is missing" in card
    assert str(tmp_path) not in card and str(scienceqa_folder) not in card
    assert str(tmp_path) not in (tmp_path / "taught" / "provenance.json").read_text()


def train(folder: Path) -> dict[str, object]:
    return {"path": str(folder), "check_counts": False, "split": "train"}


def test_the_folder_is_a_data_set_that_recipes_read(
    endpoint: Any, problems: dict[str, dict[str, Any]], scienceqa_folder: Path, tmp_path: Path, quiet: Any
) -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("torch")
    from bench.declarations.recipes import find_recipe
    from bench.training.training_data import training_data
    from trainers.data.examples import examples_hash

    endpoint.answer = Oracle(problems)
    made = run_teacher(request(endpoint.url, scienceqa_folder, tmp_path / "taught"), quiet)

    loaded = datasets.load_dataset(str(tmp_path / "taught"), split="train", cache_dir=str(tmp_path / "hub"))
    assert len(loaded) == made.rows > 0
    assert loaded[0]["images"][0].size == (160, 120)
    assert set(loaded.column_names) == {"images", "prompt", "completion", "task", "sample_id", "groups"}

    changes = {"data.folder": str(tmp_path / "taught"), "data.limit": None, "validation.size": 0}
    data = training_data(find_recipe("svrd", changes))
    assert (len(data.train), data.left_out) == (made.rows, {})
    assert examples_hash(data.train) == made.provenance["data_hash"]
    assert data.described["groups"]["topic"] == {
        topic: row["accepted"] for topic, row in made.provenance["by"]["topic"].items() if row["accepted"]
    }


def request(url: str, folder: Path, out: Path, **changes: Any) -> DistillRequest:
    plain = DistillRequest(
        task="scienceqa_stages",
        teacher="vllm/fake",
        out=out,
        base_url=url,
        dataset_args={"path": str(folder), "check_counts": False},
    )
    return replace(plain, **changes)


def test_a_call_for_each_stage_is_one_conversation(
    endpoint: Any, problems: dict[str, dict[str, Any]], scienceqa_folder: Path, tmp_path: Path, quiet: Any
) -> None:
    conversations: list[list[str]] = []

    def stage_by_stage(asked: dict[str, Any]) -> str:
        conversations.append([message["role"] for message in asked["messages"]])
        text = json.dumps(asked["messages"][-1])
        tag = next(tag for tag in TAGS if f"<{tag}>" in text)
        pid = Oracle(problems).pid(
            "\n".join(p["text"] for p in asked["messages"][0]["content"] if "text" in p)
        )
        content = "ABCD"[problems[pid]["answer"]] if tag == "CONCLUSION" else f"about the {tag.lower()}"
        return content if tag == "CAPTION" else f"<{tag}> {content} </{tag}>"

    endpoint.answer = stage_by_stage
    made = run_teacher(
        request(endpoint.url, scienceqa_folder, tmp_path / "taught", calls="stage", limit=6, retries=0), quiet
    )
    assert made.rows == 6
    assert sorted(map(len, conversations)) == sorted(6 * [1, 3, 5, 7])
    assert read_stages(table(tmp_path / "taught")[0]["completion"], TAGS)["CAPTION"] == "about the caption"


@pytest.mark.process
def test_a_killed_teacher_is_asked_nothing_twice(
    endpoint: Any, problems: dict[str, dict[str, Any]], scienceqa_folder: Path, tmp_path: Path, quiet: Any
) -> None:
    endpoint.answer = Oracle(problems)
    endpoint.delay = 0.3
    command = [sys.executable, "-m", "bench", *map(str, asked_of(endpoint.url, scienceqa_folder, "out"))]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        journals = tmp_path / "out.logs" / ".journal"
        until(lambda: run.poll() is not None or replies(journals) >= 15)
        run.send_signal(signal.SIGKILL)
        run.communicate(timeout=60)
    assert not (tmp_path / "out").exists()
    made = replies(journals)

    endpoint.delay = 0.0
    before = endpoint.asked.total()
    again = request(endpoint.url, scienceqa_folder, tmp_path / "out", resume=True)
    resumed = run_teacher(again, quiet)
    asked_again = endpoint.asked.total() - before

    endpoint.asked.clear()
    whole = run_teacher(request(endpoint.url, scienceqa_folder, tmp_path / "whole"), quiet)
    wanted = endpoint.asked.total()
    assert set(endpoint.asked.values()) == {1}
    assert 15 <= made < wanted
    assert asked_again == wanted - made
    for name in ("asked", "accepted", "rejected_because", "data_hash", "attempts", "tokens", "by"):
        assert resumed.provenance[name] == whole.provenance[name], name
    assert table(tmp_path / "out") == table(tmp_path / "whole")
    # Once more: nothing is left to ask, and the folder is the same.
    rest = replace(again, out=tmp_path / "whole")
    assert run_teacher(rest, quiet).provenance["data_hash"] == whole.provenance["data_hash"]
    assert endpoint.asked.total() == wanted


def replies(journals: Path) -> int:
    """Whole replies in the journals of a run."""
    text = b"".join(file.read_bytes() for file in journals.glob("*.jsonl"))
    return sum(line.endswith(b"}") and b'"output"' in line for line in text.split(b"\n"))


def until(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_some_of_each_group_are_asked(scienceqa_folder: Path) -> None:
    task = teacher_task(
        student_task="scienceqa_stages",
        samples_per={"topic": 2},
        path=str(scienceqa_folder),
        check_counts=False,
    )
    topics = [str((sample.metadata or {})["topic"]) for sample in task.dataset]
    assert len(topics) == 14 and {topics.count(topic) for topic in topics} == {2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "scienceqa"}, "does not say how a teacher is asked"),
        ({"dataset_args": {"split": "test"}}, "only from the train split"),
        ({"dataset_args": {"split": "validation"}}, "only from the train split"),
        ({"dataset_args": {"shots": 2}}, "-T shots"),
        ({"samples_per": {"topics": 2}}, "did you mean 'topic'"),
        ({"temperature": 0.0}, "--retries 0"),
        ({"fallback": True}, "declares no distill.fallback"),
        ({"teacher": "programmatic"}, "no rationales of its own"),
        ({"task": "chart_vqa", "calls": "stage", "dataset_args": {"size": 2}}, "declares no stages"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anybody_is_asked(
    scienceqa_folder: Path, tmp_path: Path, quiet: Any, changes: dict[str, Any], message: str
) -> None:
    given = {"path": str(scienceqa_folder), "check_counts": False} if "task" not in changes else {}
    asked = DistillRequest(task="scienceqa_stages", teacher="mockllm/model", out=tmp_path / "out")
    own = {**given, **changes.pop("dataset_args", {})}
    with pytest.raises(RequestError, match=message):
        run_teacher(replace(asked, dataset_args=own, **changes), quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_overwritten(tmp_path: Path, quiet: Any) -> None:
    (tmp_path / "mine").mkdir()
    asked = DistillRequest(task="chart_vqa", teacher="programmatic", out=tmp_path / "mine")
    with pytest.raises(RequestError, match="already exists"):
        run_teacher(asked, quiet)


def test_ones_own_single_file_is_what_one_is_scored_on(tmp_path: Path, quiet: Any) -> None:
    row = {"id": "a", "question": "?", "target": "red"}
    for name in ("test.jsonl", "train.jsonl"):
        (tmp_path / name).write_text(json.dumps(row) + "\n")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Mine.\ndataset: {jsonl: test.jsonl, image: null}\n"
        "prompt: '{question}'\nscorer: boxed\ndistill: {retries: 0}\n"
    )
    file = str(tmp_path / "mine.yaml")
    for args in ({}, {"path": str(tmp_path / "test.jsonl")}):
        with pytest.raises(RequestError, match="its only file"):
            teacher_task(student_task=file, **args)
    assert len(teacher_task(student_task=file, path=str(tmp_path / "train.jsonl")).dataset) == 1


def test_the_charts_own_rationales_are_all_accepted(tmp_path: Path, quiet: Any) -> None:
    asked = DistillRequest(
        task="chart_vqa",
        teacher="programmatic",
        out=tmp_path / "out",
        dataset_args={"size": 80, "seed": 5, "workers": 1},
    )
    made = run_teacher(asked, quiet)
    assert (made.rows, made.provenance["accepted"], made.provenance["asked"]) == (80, 80, 80)
    rows, total, _ = read_folder(tmp_path / "out", most=3)
    assert (len(rows), total) == (3, 80)
    assert all("\\boxed{" in row.completion.splitlines()[-1] for row in rows)
    records = load_records(find_task("chart_vqa"), {**asked.dataset_args, "split": "train"})
    assert [row["sample_id"] for row in table(tmp_path / "out")] == [record["id"] for record in records]


def test_rejected_traces_may_become_bare_answers(endpoint: Any, tmp_path: Path, quiet: Any) -> None:
    """The default answer of the test's server is a boxed digit: right now and then."""
    asked = DistillRequest(
        task="chart_vqa",
        teacher="vllm/fake",
        base_url=endpoint.url,
        out=tmp_path / "out",
        fallback=True,
        retries=0,
        dataset_args={"size": 60, "charts": "bar", "families": "number_of_letters", "workers": 1},
    )
    made = run_teacher(asked, quiet)
    accepted, rejected = made.provenance["accepted"], made.provenance["rejected"]
    assert accepted and rejected and accepted + rejected == 60
    assert (made.rows, made.provenance["fallbacks"]) == (60, rejected)
    records = {
        str(r["id"]): r
        for r in load_records(find_task("chart_vqa"), {**asked.dataset_args, "split": "train"})
    }
    bare = 0
    for row in table(tmp_path / "out"):
        answer = records[row["sample_id"]]["target"]
        assert row["completion"] in (f"It is \\boxed{{{answer}}}", f"\\boxed{{{answer}}}")
        bare += row["completion"].startswith("\\boxed")
    assert bare == rejected


def test_a_dry_run_shows_the_whole_prompt(scienceqa_folder: Path, tmp_path: Path) -> None:
    plan = describe_teaching(request("http://127.0.0.1:9/v1", scienceqa_folder, tmp_path / "out"))
    assert plan["samples"] == 28 and plan["generation"]["temperature"] == 0.7
    (message,) = plan["prompt"]["messages"]
    text = message["content"][-1]["text"]
    assert "Worked answer: " in text and "<CONCLUSION> the letter of that option" in text
    assert not any(tmp_path.iterdir())


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one whenever a task's records are loaded, whoever loads them."""
    made: list[object] = []

    def counted(*given: object, **named: object) -> object:
        made.append(given)
        return load_records(*given, **named)  # type: ignore[arg-type]

    for module in list(sys.modules.values()):
        if vars(module).get("load_records") is load_records and module.__name__ != __name__:
            monkeypatch.setattr(module, "load_records", counted)
    return made


@pytest.mark.parametrize(
    ("task", "teacher"),
    [("chart_vqa", "programmatic"), ("chart_vqa", "vllm/fake"), ("ielts_essay", "vllm/fake")],
)
def test_records_are_loaded_once(
    endpoint: Any, tmp_path: Path, quiet: Any, loads: list[object], task: str, teacher: str
) -> None:
    """They may take minutes."""
    asked = DistillRequest(
        task=task,
        teacher=teacher,
        base_url=None if teacher == "programmatic" else endpoint.url,
        out=tmp_path / "out",
        retries=0,
        dataset_args={"size": 4},
    )
    describe_teaching(asked)
    assert len(loads) == 1
    made = run_teacher(asked, quiet)
    assert len(loads) == 2
    read_folder(made.folders[0], most=3)
    assert len(loads) == 2


@pytest.mark.engine
def test_a_vllm_served_teacher_has_its_right_rows_accepted(
    served: Any,
    drive: Any,
    quiet: Any,
    scienceqa_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A random model that a grammar keeps to the stages: which letter it concludes is its own, by seed."""
    vllm = pytest.importorskip("vllm.sampling_params")
    import bench.serving.vllm_engine.engine as engine
    import bench.teaching.distillation as module

    stages = "".join(f"<{tag}> [a-z]{{3,6}} </{tag}>" for tag in TAGS[:3])
    grammar = vllm.StructuredOutputsParams(regex=f"{stages}<CONCLUSION> [AB] </CONCLUSION>")
    drawn: list[Any] = []
    plain = engine._sampling_params

    def kept_to_the_stages(config: Any) -> Any:
        params = plain(config)
        params.structured_outputs = grammar
        drawn.append(params)
        return params

    monkeypatch.setattr(engine, "_sampling_params", kept_to_the_stages)
    asked = DistillRequest(
        task="scienceqa_stages",
        teacher="tiny",
        out=tmp_path / "out",
        retries=1,
        max_tokens=200,
        dataset_args={"path": str(scienceqa_folder), "check_counts": False},
    )

    # The session's engine, which stays.
    async def ask(request: DistillRequest, task: Any, show: Any) -> tuple[str, dict[str, Any]]:
        run = await run_one(module.run_request(request), task, served, show)
        return run.location, served.identity()

    spec, task = module._checked(asked)
    log, identity = drive(ask(asked, task, quiet))
    made = module._written(asked, spec, task, log, identity)

    said = made.provenance
    assert said["teacher"]["weights_digest"] == served.checkpoint.digest
    assert said["asked"] == 28 and said["unscored"] == 0
    # Recomputed from the log itself, which inspect reads.
    samples = read_eval_log(log).samples or []
    right = {
        str(sample.id)
        for sample in samples
        if read_stages(sample.output.completion, TAGS)["CONCLUSION"] == sample.target
    }
    assert {row["sample_id"] for row in table(tmp_path / "out")} == right
    assert 0 < len(right) < 28
    assert said["rejected_because"] == {"wrong answer": 28 - len(right)}
    assert {params.seed for params in drawn} == {0, 1}
    assert said["attempts"] == len(drawn) > 28


def test_a_teachers_essays_become_both_variants(endpoint: Any, tmp_path: Path, quiet: Any) -> None:
    spec = find_task("ielts_essay")
    args = {"size": 8, "seed": 2}
    records = load_records(spec, {**args, "split": "train"})
    by_title = {str(record["title"]): record for record in records}
    sent: list[list[dict[str, Any]]] = []

    def essay(asked: dict[str, Any]) -> str:
        sent.append(asked["messages"])
        text = asked["messages"][-1]["content"][-1]["text"]
        record = by_title[text.partition(": ")[2]]
        first, *middle, last = str(record["target"]).split("\n\n")
        structured = Essay(first, tuple(middle), last).structured()
        return "Overall, no." if records.index(record) % 4 == 3 else structured

    endpoint.answer = essay
    asked = DistillRequest(
        task="ielts_essay",
        teacher="vllm/fake",
        base_url=endpoint.url,
        out=tmp_path / "essays",
        retries=1,
        dataset_args=args,
    )
    made = run_teacher(asked, quiet)

    assert made.folders == (tmp_path / "essays" / "structured", tmp_path / "essays" / "unstructured")
    assert (made.rows, made.provenance["rejected_because"]) == (6, {"parts": 2})
    # An example with its own picture, or several, and then the chart: as many pictures as questions.
    for messages in sent:
        users = [message for message in messages if message["role"] == "user"]
        assert len(users) > 1 and messages[0]["role"] == "system"
        assert all([part["type"] for part in one["content"]] == ["image_url", "text"] for one in users)
    structured, unstructured = (table(folder) for folder in made.folders)
    assert [row["sample_id"] for row in structured] == [row["sample_id"] for row in unstructured]
    known = {str(record["id"]): record for record in records}
    for one, other in zip(structured, unstructured, strict=True):
        record = known[one["sample_id"]]
        assert one["completion"].startswith("Step 1: ") and "Step" not in other["completion"]
        assert other["completion"] == record["target"]
        assert one["prompt"] == other["prompt"] == spec.render(record)
        assert str(record["chart_data"]) not in one["prompt"]
    hashes = [json.loads((folder / "provenance.json").read_text())["data_hash"] for folder in made.folders]
    assert len(set(hashes)) == 2


def test_the_golden_essays_are_all_accepted(tmp_path: Path, quiet: Any) -> None:
    asked = DistillRequest(
        task="ielts_essay", teacher="programmatic", out=tmp_path / "out", dataset_args={"size": 40, "seed": 4}
    )
    made = run_teacher(asked, quiet)
    assert made.provenance["accepted"] == made.provenance["asked"] == 40
    assert [len(table(folder)) for folder in made.folders] == [40, 40]


def test_what_could_not_be_asked_is_unscored_and_tried_again(
    endpoint: Any, problems: dict[str, dict[str, Any]], scienceqa_folder: Path, tmp_path: Path, quiet: Any
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(scienceqa_folder, mine)
    good = next(pid for pid in problems if kind_of(pid) == "good")
    picture = mine / "train" / good / "image.png"
    content = picture.read_bytes()
    picture.write_bytes(b"")
    endpoint.answer = Oracle(problems)
    made = run_teacher(request(endpoint.url, mine, tmp_path / "out", retries=0), quiet)
    assert (made.provenance["asked"], made.provenance["unscored"]) == (28, 1)
    (reason,) = made.provenance["unscored_because"]
    assert "image" in reason
    assert made.provenance["by"]["topic"][problems[good]["topic"]]["unscored"] == 1
    assert good not in {row["sample_id"] for row in table(tmp_path / "out")}
    assert "Unscored because" in (tmp_path / "out" / "README.md").read_text()

    # Mended data are other data: a new run, and the sample is in.
    picture.write_bytes(content)
    again = run_teacher(request(endpoint.url, mine, tmp_path / "again", retries=0), quiet)
    assert again.provenance["unscored"] == 0 and again.rows == made.rows + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "TASK, --teacher, --out missing"),
        (("chart_vqa", "--teacher", "nano"), "--out missing"),
        (("chart_vqa", "--teacher", "nano", "--out", "o", "--price", "1"), "--price 1: give IN,OUT"),
        (("chart_vqa", "--teacher", "nano", "--out", "o", "--samples-per", "chart=no"), "a whole number"),
        (("--inspect", "nowhere"), "not a training folder"),
        (("chart_vqu", "--teacher", "nano", "--out", "o"), "did you mean 'chart_vqa'"),
    ],
)
def test_a_wrong_request_is_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench", "distill", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
