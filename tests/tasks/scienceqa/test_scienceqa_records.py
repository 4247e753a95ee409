"""Records of ScienceQA: from the official folder, as the paper groups them, with the published counts."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.scienceqa.expected_counts import TOPICS_WITH_IMAGE, TOTAL, WITH_IMAGE, check_counts
from tasks.scienceqa.records import scienceqa
from tasks.scienceqa.sources import SourceRow

Record = dict[str, Any]


def load(folder: Path, split: str = "test", **arguments: Any) -> list[Record]:
    return list(scienceqa(split, path=folder, **{"check_counts": False, "questions": "all", **arguments}))


def published(split: str) -> list[SourceRow]:
    """Rows with the counts of the published test split, and nothing else of it."""
    topics = [topic for topic, count in TOPICS_WITH_IMAGE[split].items() for _ in range(count)]
    topics += ["economics"] * (WITH_IMAGE[split] - len(topics))
    rows = [SourceRow(str(place), b"picture", {"topic": topic}) for place, topic in enumerate(topics)]
    rows += [SourceRow(f"t{place}", None, {"topic": "grammar"}) for place in range(TOTAL[split] - len(rows))]
    return rows


def test_every_split_has_its_own_questions_in_their_order(scienceqa_folder: Path) -> None:
    splits = json.loads((scienceqa_folder / "pid_splits.json").read_text())
    for split, name in (("train", "train"), ("validation", "val"), ("test", "test")):
        assert [record["id"] for record in load(scienceqa_folder, split)] == splits[name]


def test_a_record_agrees_with_its_row(scienceqa_folder: Path) -> None:
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    for record in load(scienceqa_folder):
        row = problems[record["id"]]
        assert (record["question"], record["choices"]) == (row["question"], row["choices"])
        assert record["choices"]["ABCDE".index(record["target"])] == row["choices"][row["answer"]]
        assert (record["lecture"], record["solution"]) == (row["lecture"], row["solution"])
        has_text, has_image = bool(row["hint"]), row["image"] is not None
        assert ("TXT" in record["context"]) == has_text
        assert ("IMG" in record["context"]) == has_image
        assert ("NO" in record["context"]) == (not has_text and not has_image)
        assert record["grades"] == ("G1-6" if int(row["grade"].removeprefix("grade")) <= 6 else "G7-12")
        assert (record["image"] is None) == (not has_image)
        if has_image:
            assert record["image"] == scienceqa_folder / "test" / record["id"] / "image.png"
            assert record["image"].is_file()


def test_subjects_topics_and_contexts_are_all_there(scienceqa_folder: Path) -> None:
    records = load(scienceqa_folder)
    assert {record["subject"] for record in records} == {"NAT", "SOC", "LAN"}
    assert len({record["topic"] for record in records}) == 9
    assert {name for record in records for name in record["context"]} == {"TXT", "IMG", "NO"}


def test_image_and_text_questions_make_up_all(scienceqa_folder: Path) -> None:
    image, text = (load(scienceqa_folder, questions=kind) for kind in ("image", "text"))
    assert all(record["image"] for record in image) and not any(record["image"] for record in text)
    assert sorted(r["id"] for r in [*image, *text]) == sorted(r["id"] for r in load(scienceqa_folder))


def test_a_subset_is_the_first_so_many(scienceqa_folder: Path) -> None:
    whole = load(scienceqa_folder, "train")
    assert load(scienceqa_folder, "train", subset=10) == whole[:10]


@pytest.mark.parametrize("field", ["topic", "subject", "grades"])
def test_a_balanced_subset_has_as_many_of_each(scienceqa_folder: Path, field: str) -> None:
    whole = load(scienceqa_folder, "train")
    part = load(scienceqa_folder, "train", subset=18, balanced=field)
    available = Counter(record[field] for record in whole)
    counts = Counter(record[field] for record in part)
    assert sum(counts.values()) == 18 and set(counts) == set(available)
    # None has two fewer than another unless it is used up.
    assert all(counts[name] >= min(available[name], max(counts.values()) - 1) for name in counts)
    places = [whole.index(record) for record in part]
    assert places == sorted(places)


def test_the_published_counts_pass() -> None:
    check_counts(published("test"), "test")


def test_other_counts_are_named_beside_the_published_ones() -> None:
    rows = published("test")
    with pytest.raises(ValueError) as raised:
        check_counts([row for row in rows if row.fields["topic"] != "geography"], "test")
    said = str(raised.value)
    assert "questions: published 4241, here 3641" in said
    assert "questions with an image: published 2017, here 1417" in said
    assert "of them in geography: published 600, here 0" in said
    assert "physics" not in said


def test_wrong_counts_are_an_error_unless_a_subset_is_asked_for(scienceqa_folder: Path) -> None:
    with pytest.raises(ValueError, match="published 4241, here 18"):
        scienceqa("test", path=scienceqa_folder)
    assert len(scienceqa("test", path=scienceqa_folder, subset=3)) == 3


def test_a_folder_under_images_is_found_too(scienceqa_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(scienceqa_folder / "test", tmp_path / "images" / "test")
    for name in ("problems.json", "pid_splits.json"):
        shutil.copy(scienceqa_folder / name, tmp_path)
    assert [r["id"] for r in load(tmp_path) if r["image"]] == [
        r["id"] for r in load(scienceqa_folder) if r["image"]
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "tset"}, "split: 'tset' is not one of train, validation, test"),
        ({"questions": "images"}, "questions: 'images' is not one of image, text, all"),
        ({"balanced": "colour", "subset": 2}, "balanced: 'colour' is not one of topic, subject, grades"),
        ({"balanced": "topic"}, "balanced goes with a subset"),
        ({"subset": 0}, "subset is a whole number from 1 up"),
        ({"subset": 1000}, "subset=1000, and there are 18 questions"),
        ({"check_counts": "no"}, "check_counts is true or false"),
    ],
)
def test_wrong_arguments_are_refused(scienceqa_folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(scienceqa_folder, **arguments)


def test_a_missing_folder_says_how_to_get_the_data(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no file .*problems\.json; get the official folder .* -T path=FOLDER"):
        load(tmp_path)


def test_without_a_folder_or_the_hub_the_error_says_how_to_get_the_data() -> None:
    pytest.importorskip("datasets")
    with pytest.raises(OSError, match=r"the hub download failed .*-T path=FOLDER.*derek-thomas/ScienceQA"):
        scienceqa()


def test_without_the_hub_s_library_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(OSError, match="datasets library is not installed; get the official folder"):
        scienceqa()


def test_the_hub_s_rows_become_the_same_records(
    scienceqa_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub's form of the data, written with its own library: pictures embedded, the answer an int8."""
    datasets = pytest.importorskip("datasets")
    problems = json.loads((scienceqa_folder / "problems.json").read_text())
    ids = json.loads((scienceqa_folder / "pid_splits.json").read_text())["test"]

    def picture(pid: str) -> bytes:
        return (scienceqa_folder / "test" / pid / "image.png").read_bytes()

    rows = [
        {
            "image": {"bytes": picture(pid), "path": None} if problems[pid]["image"] else None,
            **{name: value for name, value in problems[pid].items() if name not in ("image", "split")},
        }
        for pid in ids
    ]
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "choices": datasets.List(datasets.Value("string")),
            "answer": datasets.Value("int8"),
            **{
                name: datasets.Value("string")
                for name in rows[0]
                if name not in ("image", "choices", "answer")
            },
        }
    )
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(tmp_path / "test.parquet"))
    asked: list[Any] = []
    original = datasets.load_dataset

    def local(name: str, **arguments: Any) -> Any:
        asked.append((name, arguments["revision"]))
        return original("parquet", data_files={"test": str(tmp_path / "test.parquet")}, split="test",
                        cache_dir=str(tmp_path / "cache"))  # fmt: skip

    monkeypatch.setattr(datasets, "load_dataset", local)
    found = scienceqa("test", questions="all", check_counts=False)
    assert asked == [("derek-thomas/ScienceQA", "f18b0a70359ebfb41f658fd564208d0355b013f4")]
    for mine, theirs in zip(load(scienceqa_folder), found, strict=True):
        assert {**mine, "id": 0, "image": 0} == {**theirs, "id": 0, "image": 0}
        assert theirs["image"] == (mine["image"].read_bytes() if mine["image"] else None)
    assert found[0]["id"] == "test-0"
