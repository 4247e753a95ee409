"""Which samples the train split has as well: known repeats are found, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from bench.commands.overlap import overlap as command
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.records.repeats import Repeat, counts, split_repeats

# What tests/scienceqa_fixture.py put there.
REPEATED, NEARLY = "test-geography-0", "test-biology-0"


def found(folder: Path, **arguments: Any) -> dict[str, Repeat]:
    given = {"path": str(folder), "check_counts": False, **arguments}
    return {one.id: one for one in split_repeats(find_task("scienceqa_full"), given)}


def test_the_repeated_item_is_found_and_the_others_are_not(scienceqa_folder: Path) -> None:
    repeats = found(scienceqa_folder)
    assert len(repeats) == 18
    assert [name for name, one in repeats.items() if one.item] == [REPEATED]
    assert [name for name, one in repeats.items() if one.image] == [REPEATED]
    assert repeats[REPEATED].train == "train-geography-1"
    assert {name for name, one in repeats.items() if one.near} == {REPEATED, NEARLY}
    assert repeats[NEARLY].train == "train-biology-2" and not repeats[NEARLY].image


def test_texts_agree_with_an_independent_count(scienceqa_folder: Path) -> None:
    problems = json.loads((scienceqa_folder / "problems.json").read_text())

    def text(row: dict[str, Any]) -> str:
        return json.dumps([row["question"], row["choices"], row["hint"]])

    trained = {text(row) for row in problems.values() if row["split"] == "train"}
    expected = {pid for pid, row in problems.items() if row["split"] == "test" and text(row) in trained}
    same = {name for name, one in found(scienceqa_folder).items() if one.item or one.wording}
    assert same == expected != set()


def test_counts_are_per_group_and_for_all(scienceqa_folder: Path) -> None:
    repeats = list(found(scienceqa_folder).values())
    rows = counts(repeats)
    assert next(iter(rows)) == "all" and rows["all"]["n"] == 18 and rows["all"]["item"] == 1
    assert rows["geography"]["item"] == 1
    topics = Counter(one.groups for one in repeats)
    assert all(rows[topic]["n"] == n for (topic,), n in topics.items())


def test_charts_are_not_repeated_though_their_questions_follow_patterns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    repeats = split_repeats(find_task("chart_vqa"), {"size": 60})
    assert not any(one.repeated for one in repeats)
    assert sum(one.wording for one in repeats) > 10
    command("chart_vqa", task_arg=["size=60"], as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["repeats"] == [] and said["counts"]["all"]["item"] == 0
    assert said["counts"]["all"]["wording"] == sum(one.wording for one in repeats)


def test_case_spaces_and_punctuation_do_not_hide_a_repeat(tmp_path: Path) -> None:
    rows = {
        "test": [("Which town  is north?", "Arlen"), ("Is 4 < 5?", "yes"), ("Is -4 cold?", "yes")],
        "train": [("which town is NORTH", "Bruck"), ("Is 4 > 5?", "yes"), ("Is 4 cold?", "yes")],
    }
    for split, pairs in rows.items():
        lines = [json.dumps({"question": question, "target": target}) for question, target in pairs]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines))
    (tmp_path / "task.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Text only.\n"
        'dataset: {jsonl: "{split}.jsonl", image: null}\nprompt: "{question}"\nscorer: boxed\n'
    )
    repeats = split_repeats(find_task(str(tmp_path)), {})
    assert [one.item for one in repeats] == [True, False, False]
    with pytest.raises(RequestError, match="cannot be compared with itself"):
        split_repeats(find_task(str(tmp_path)), {"split": "train"})


def test_the_same_words_about_another_picture_are_another_item(tmp_path: Path) -> None:
    for split, shape in (("test", "ellipse"), ("train", "rectangle")):
        picture = Image.new("RGB", (80, 80), "white")
        getattr(ImageDraw.Draw(picture), shape)((5, 30, 70, 60), fill="black")
        picture.save(tmp_path / f"{split}.png")
        row = {"question": "How many?", "target": "1", "image": f"{split}.png"}
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(row))
    (tmp_path / "task.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Shapes.\n"
        'dataset: {jsonl: "{split}.jsonl"}\nprompt: "{question}"\nscorer: boxed\n'
    )
    (one,) = split_repeats(find_task(str(tmp_path)), {})
    assert one.wording and not one.repeated and one.train is None


def test_a_task_without_a_train_split_says_so(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "How many?", "target": "1"}')
    (tmp_path / "task.yaml").write_text(
        "name: mine\nversion: 1-A\nsummary: Text only.\n"
        'dataset: {jsonl: rows.jsonl, image: null}\nprompt: "{question}"\nscorer: boxed\n'
    )
    with pytest.raises(RequestError, match="one file for all"):
        split_repeats(find_task(str(tmp_path)), {})


def test_the_command_counts_and_splits_a_log_s_score(
    bench: Any, scienceqa_folder: Path, tmp_path: Path
) -> None:
    arguments = ("-T", f"path={scienceqa_folder}", "-T", "check_counts=false")
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    rows = [
        {"id": pid, "completion": f"The answer is ({'ABC'[row['answer']]})." if pid == REPEATED else "A or B"}
        for pid, row in problems.items()
        if row["split"] == "test" and row["image"]
    ]
    (tmp_path / "completions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    scored = bench("score", "scienceqa", "completions.jsonl", *arguments)
    assert scored.returncode == 0, scored.stderr
    done = bench("overlap", "scienceqa", *arguments, "--log", "logs", "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    assert (scores["all"]["n"], scores["all"]["mean"]) == (14, pytest.approx(1 / 14))
    assert (scores["without repeated items"]["n"], scores["without repeated items"]["mean"]) == (13, 0)
    assert (scores["repeated items"]["n"], scores["repeated items"]["mean"]) == (1, 1)
    assert "geography" in bench("overlap", "scienceqa", *arguments).stdout
    wrong = bench("overlap", "scienceqa", *arguments, "-T", "split=validation", "--log", "logs")
    assert wrong.returncode == 3 and "are not in these data" in wrong.stderr
