"""The ScienceQA declarations as inspect tasks: what the model sees, what is scored, what is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ContentImage

from bench.building.task import build_task
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.running.request import RunRequest
from bench.running.run import run_one
from results.logs.logged_run import read_run
from scorers.options.option_scorer import option_score

TASKS = ("scienceqa", "scienceqa_full", "scienceqa_cot", "scienceqa_stages")


def made(folder: Path, name: str = "scienceqa", **arguments: Any) -> Task:
    return build_task(find_task(name), {"path": str(folder), "check_counts": False, **arguments})


def prompt(sample: Any) -> str:
    return "\n".join(message.text for message in sample.input)


@pytest.mark.parametrize("name", TASKS)
def test_the_prompt_shows_the_question_and_never_what_teachers_know(
    scienceqa_folder: Path, name: str
) -> None:
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    task = made(scienceqa_folder, name, shots=3)
    train = [row for row in problems.values() if row["split"] == "train"]
    for sample in task.dataset:
        row = problems[str(sample.id)]
        shown = prompt(sample)
        assert row["question"] in shown and row["hint"] in shown
        for letter, choice in zip("ABC", row["choices"], strict=False):
            assert f"({letter}) {choice}" in shown
        for secret in (row, *train):
            assert secret["solution"] not in shown
            assert not secret["lecture"] or secret["lecture"] not in shown


@pytest.mark.parametrize("name", TASKS)
def test_the_gold_passes_its_own_scorer(scienceqa_folder: Path, name: str) -> None:
    for sample in made(scienceqa_folder, name).dataset:
        assert sample.choices is not None
        score = option_score(
            f"The answer is ({sample.target}).", [sample.target], sample.choices, truncated=False
        )
        assert score.value == "C" and score.answer == sample.target


def test_only_the_full_task_has_questions_without_a_picture(scienceqa_folder: Path) -> None:
    pictured = [isinstance(s.input[-1].content[0], ContentImage) for s in made(scienceqa_folder).dataset]
    full = [
        isinstance(s.input[-1].content[0], ContentImage)
        for s in made(scienceqa_folder, "scienceqa_full").dataset
    ]
    assert (len(pictured), all(pictured)) == (14, True)
    assert (len(full), sum(full)) == (18, 14)


def test_the_variants_ask_differently_about_the_same_data(scienceqa_folder: Path) -> None:
    identities = [
        made(scienceqa_folder, name).metadata["identity"]  # type: ignore[index]
        for name in ("scienceqa", "scienceqa_cot", "scienceqa_stages")
    ]
    assert len({identity["data_hash"] for identity in identities}) == 1
    assert len({identity["prompt_hash"] for identity in identities}) == 3


def test_shots_come_from_the_train_split_with_their_answers(scienceqa_folder: Path) -> None:
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    train = {row["question"]: row for row in problems.values() if row["split"] == "train"}
    task = made(scienceqa_folder, shots=2)
    for sample in task.dataset:
        roles = [message.role for message in sample.input]
        assert roles == ["user", "assistant", "user", "assistant", "user"]
        for question, answer in zip(sample.input[0:4:2], sample.input[1:4:2], strict=True):
            assert isinstance(question, ChatMessageUser) and isinstance(answer, ChatMessageAssistant)
            assert any(text in question.text for text in train)
            picture = question.content[0]
            assert isinstance(picture, ContentImage) and "/train/" in picture.image
            assert question.text != sample.input[-1].text
            assert answer.text in "ABCD"
    plain = made(scienceqa_folder)
    again, other = made(scienceqa_folder, shots=2), made(scienceqa_folder, shots=1)
    hashes = [t.metadata["identity"]["prompt_hash"] for t in (plain, task, again, other)]  # type: ignore[index]
    assert hashes[1] == hashes[2] and len(set(hashes)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shots": 2, "split": "train"}, "which is being scored"),
        ({"shots": 500}, "has 28 records; ask for fewer"),
        ({"shots": -1}, "shots=-1"),
        ({"solver": "option_likelyhood"}, "did you mean 'option_likelihood'"),
        ({"solver": {"option_likelihood": {"normalise": "log"}}}, "normalise 'log' is not one of raw"),
    ],
)
def test_wrong_shots_and_solvers_are_refused(
    scienceqa_folder: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        made(scienceqa_folder, **arguments)


def test_options_must_be_a_list_of_texts(tmp_path: Path) -> None:
    rows = [
        {"question": "?", "choices": ["a cat", "a dog"], "target": "a dog"},
        {"question": "?", "choices": "ab"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"target": "A", **row}) for row in rows))
    (tmp_path / "task.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Mine.\n"
        "dataset: {jsonl: rows.jsonl, image: null, choices: choices}\n"
        'prompt: "{question} {choices}"\nscorer: option_letter\n'
    )
    good, bad = build_task(find_task(str(tmp_path))).dataset
    assert good.choices == ["a cat", "a dog"] and "(A) a cat\n(B) a dog" in prompt(good)
    assert bad.metadata is not None and "options are a list of texts" in bad.metadata["unreadable"]


def test_reasoned_right_and_concluded_wrong_is_a_rate_of_its_own(
    bench: Any, scienceqa_folder: Path, tmp_path: Path
) -> None:
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    test = {pid: row for pid, row in problems.items() if row["split"] == "test" and row["image"]}
    rows, wrong = [], 0
    for place, (pid, row) in enumerate(test.items()):
        answer = (row["answer"] + (place % 3 == 0)) % len(row["choices"])
        reasoning = f"So it must be {row['choices'][row['answer']]}." if place % 2 else "It is hard to tell."
        stages = f"<REASONING> {reasoning} </REASONING> <CONCLUSION> {'ABCD'[answer]} </CONCLUSION>"
        rows.append({"id": pid, "completion": stages})
        wrong += place % 3 == 0 and place % 2 == 1
    (tmp_path / "completions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = ("-T", f"path={scienceqa_folder}", "-T", "check_counts=false")
    done = bench("score", "scienceqa_stages", "completions.jsonl", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)
    numbers = {metric["name"]: metric for metric in said["metrics"]}
    assert wrong == 2
    rate = numbers["reasoned right, concluded wrong"]
    assert (rate["n"], rate["mean"]) == (14, pytest.approx(2 / 14)) and rate["low"] < rate["mean"] < rate[
        "high"
    ]
    assert numbers["reasoned right"]["mean"] == pytest.approx(7 / 14)
    assert said["score"]["mean"] == pytest.approx(9 / 14)
    shown = bench("score", "scienceqa_stages", "completions.jsonl", *arguments).stdout
    assert "reasoned right, concluded wrong" in shown and "answered ±95%" in shown


def test_the_report_agrees_with_an_independent_count(
    bench: Any, scienceqa_folder: Path, tmp_path: Path
) -> None:
    """Known right and wrong answers, scored by the command, counted here from the raw rows."""
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    test = {pid: row for pid, row in problems.items() if row["split"] == "test"}
    right = {pid: place % 3 != 0 for place, pid in enumerate(test)}
    rows = [
        {"id": pid, "completion": f"({'ABCD'[row['answer'] if right[pid] else (row['answer'] + 1) % 2]})"}
        for pid, row in test.items()
    ]
    (tmp_path / "completions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = ("-T", f"path={scienceqa_folder}", "-T", "check_counts=false")
    done = bench("score", "scienceqa_full", "completions.jsonl", *arguments)
    assert done.returncode == 0, done.stderr
    (log,) = (tmp_path / "logs").glob("*.eval")
    run = read_run(log)
    official = {
        ("subject", "NAT"): lambda row: row["subject"] == "natural science",
        ("subject", "SOC"): lambda row: row["subject"] == "social science",
        ("subject", "LAN"): lambda row: row["subject"] == "language science",
        ("context: TXT", "TXT"): lambda row: bool(row["hint"]),
        ("context: IMG", "IMG"): lambda row: bool(row["image"]),
        ("context: NO", "NO"): lambda row: not row["hint"] and not row["image"],
        ("grades", "G1-6"): lambda row: int(row["grade"][5:]) <= 6,
        ("grades", "G7-12"): lambda row: int(row["grade"][5:]) > 6,
        **{("topic", t): lambda row, t=t: row["topic"] == t for t in {r["topic"] for r in test.values()}},
    }
    for (field, group), holds in official.items():
        members = {pid for pid, row in test.items() if holds(row)}
        reported = {o.id: o.value for o in run.outcomes if o.groups.get(field) == group}
        assert set(reported) == members, (field, group)
        assert sum(value or 0 for value in reported.values()) == sum(right[pid] for pid in members)
    assert "scienceqa_full by context " in done.stdout
    (context,) = [part for part in done.stdout.split("\n\n") if "by context " in part]
    assert [line.split()[0] for line in context.splitlines()[1:5]] == ["all", "IMG", "NO", "TXT"]
    assert "* fewer than 30 samples" in done.stdout


@pytest.mark.engine
def test_a_model_that_vllm_serves_runs_it(
    served: Any, drive: Any, quiet: Any, scienceqa_folder: Path, tmp_path: Path
) -> None:
    asked = RunRequest(
        tasks=("scienceqa_full",),
        models=(served.name,),
        log_dir=tmp_path,
        max_tokens=8,
        dataset_args={"path": str(scienceqa_folder), "check_counts": False, "shots": 1},
    )
    run = drive(run_one(asked, made(scienceqa_folder, "scienceqa_full", shots=1), served, quiet))
    assert not run.unscored and len(run.outcomes) == 18
    groups = {name: set(labels.names) for name, labels in run.outcomes.groups.items()}
    assert {"topic", "subject", "context: TXT", "context: IMG", "context: NO", "grades"} == set(groups)
    assert run.minutes is not None and run.minutes > 0
