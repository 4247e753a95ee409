"""Digests agree across machines and change with what matters."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest
from PIL import Image

from bench.declarations.dataset_spec import DatasetSpec
from bench.declarations.distill_spec import GenerationSpec
from bench.declarations.parts import NamedPart
from bench.declarations.task_spec import TaskSpec
from bench.records.identity import data_hash, image_digest, prompt_hash


def picture(folder: Path, name: str, colour: tuple[int, int, int] = (255, 0, 0)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(folder / name)
    return folder / name


def spec(**changes: object) -> TaskSpec:
    declared: dict[str, object] = {
        "name": "colours",
        "version": "1-A",
        "summary": "Name the colour.",
        "dataset": DatasetSpec(records="charts"),
        "prompt": "{question}",
        "scorer": (NamedPart("boxed", {}),),
    }
    return TaskSpec.model_validate({**declared, **changes})


def test_an_image_s_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = picture(tmp_path, "a.png")
    assert image_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image_digest(path) == image_digest(picture(tmp_path / "elsewhere", "b.png"))


def test_the_data_hash_is_what_its_docstring_says(tmp_path: Path) -> None:
    path = picture(tmp_path, "a.png")
    records = [{"id": "b", "image": path, "target": ["é", "x"]}, {"id": "a", "image": path, "target": "1"}]

    lines = [
        {"id": "a", "image": image_digest(path), "target": "1"},
        {"id": "b", "image": image_digest(path), "target": ["é", "x"]},
    ]
    text = "".join(
        json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines
    )
    assert data_hash(records, ["image"]) == hashlib.sha256(text.encode()).hexdigest()


def test_the_data_hash_knows_neither_paths_nor_order(tmp_path: Path) -> None:
    here, there = picture(tmp_path / "here", "a.png"), picture(tmp_path / "there", "z.png")
    one: list[dict[str, object]] = [
        {"id": "1", "image": here, "target": "x"},
        {"id": "2", "image": [here, here], "target": "y"},
    ]
    two: list[dict[str, object]] = [
        {"target": "y", "image": [there, there], "id": "2"},
        {"target": "x", "image": there, "id": "1"},
    ]

    assert data_hash(one, ["image"]) == data_hash(two, ["image"])
    assert data_hash(one, []) == data_hash(two, [])


@pytest.mark.parametrize(
    "change", [{"id": "2"}, {"target": "y"}, {"question": "Where?"}, {"target": ["x"]}, {"more": None}]
)
def test_the_data_hash_changes_with_the_records(tmp_path: Path, change: dict[str, object]) -> None:
    record = {"id": "1", "image": picture(tmp_path, "a.png"), "target": "x", "question": "Which?"}
    assert data_hash([record], ["image"]) != data_hash([{**record, **change}], ["image"])


def test_the_data_hash_changes_with_the_picture(tmp_path: Path) -> None:
    record = {"id": "1", "image": picture(tmp_path, "a.png")}
    before = data_hash([record], ["image"])
    picture(tmp_path, "a.png", (255, 0, 1))
    assert data_hash([record], ["image"]) != before


def test_records_do_not_run_into_each_other(tmp_path: Path) -> None:
    assert data_hash([{"id": "1"}, {"id": "2"}], []) != data_hash([{"id": '1"}\n{"id":"2'}], [])
    assert data_hash([], []) == hashlib.sha256(b"").hexdigest()


def test_an_unreadable_record_counts_without_its_reason(tmp_path: Path) -> None:
    def unreadable(reason: str) -> dict[str, object]:
        return {"id": "1", "image": tmp_path / "gone.png", "unreadable": reason}

    assert data_hash([unreadable("no file /a")], ["image"]) == data_hash(
        [unreadable("no file /b")], ["image"]
    )
    assert data_hash([unreadable("")], ["image"]) != data_hash([{"id": "1", "image": None}], ["image"])


def test_a_picture_that_vanished_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        data_hash([{"id": "1", "image": tmp_path / "gone.png"}], ["image"])


def test_five_thousand_records_take_little_time(tmp_path: Path) -> None:
    paths = [picture(tmp_path, f"{n}.png", (n % 256, n // 256, 0)) for n in range(1700)]
    records = [
        {
            "id": str(n),
            "image": paths[n // 3],
            "question": "Which?" * 20,
            "target": "x",
            "data": {"a": [1] * 20},
        }
        for n in range(5000)
    ]
    start = time.perf_counter()
    data_hash(records, ["image"])
    assert time.perf_counter() - start < 5  # 0.2 s on the machine it was written on


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "{question} "},
        {"system": "Be brief."},
        {"solver": {"generate": {"note": 1}}},
        {"dataset": DatasetSpec(records="charts", image=("left", "right"))},
    ],
)
def test_the_prompt_hash_changes_with_what_the_model_is_asked(change: dict[str, object]) -> None:
    assert prompt_hash(spec()) != prompt_hash(spec(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "Other words."},
        {"version": "1-B"},
        {"generation": GenerationSpec(max_tokens=9)},
        {"dataset": DatasetSpec(records="charts", args={"size": 9})},
        {"scorer": {"boxed": {"tolerance": 1}}},
    ],
)
def test_the_prompt_hash_does_not_change_with_the_rest(change: dict[str, object]) -> None:
    assert prompt_hash(spec()) == prompt_hash(spec(**change))


def test_each_picture_is_read_once_while_a_task_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.building.task import build_task
    from bench.declarations.catalog import find_task

    read: list[str] = []
    digest = hashlib.file_digest
    monkeypatch.setattr(
        hashlib, "file_digest", lambda file, *how: read.append(file.name) or digest(file, *how)
    )
    built = build_task(find_task("chart_vqa"), {"size": 12})
    shown = {str((sample.metadata or {})["image_file"]) for sample in built.dataset}
    assert sorted(map(str, read)) == sorted(shown)
