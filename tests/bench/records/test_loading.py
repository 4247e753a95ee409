"""Records from every kind of source: one form, bad rows kept and explained, bad sources refused."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import bench.records.loading
from bench.declarations.dataset_spec import DatasetSpec
from bench.declarations.parts import NamedPart
from bench.declarations.task_spec import TaskSpec
from bench.errors import IncompleteRunError, RequestError
from bench.records.images import image_file
from bench.records.loading import Record, load_records

COLOURS = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("TUNEBENCH_CACHE", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture per colour."""
    home = tmp_path / "data"
    (home / "pictures").mkdir(parents=True)
    for name, colour in COLOURS.items():
        Image.new("RGB", (6, 4), colour).save(home / "pictures" / f"{name}.png")
    return home


def task(prompt: str = "{question}", /, **dataset: Any) -> TaskSpec:
    return TaskSpec(
        name="colours",
        version="1-A",
        summary="Name the colour.",
        dataset=DatasetSpec(**dataset),
        prompt=prompt,
        scorer=(NamedPart("boxed", {}),),
    )


def row(colour: str, **changes: object) -> dict[str, object]:
    return {
        "id": colour,
        "image": f"pictures/{colour}.png",
        "question": "Which?",
        "target": colour,
        **changes,
    }


def jsonl(folder: Path, *rows: Mapping[str, object] | str, name: str = "colours.jsonl") -> Path:
    path = folder / name
    lines = [line if isinstance(line, str) else json.dumps(line) for line in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def reason(record: Record) -> str:
    return str(record["unreadable"])


def refusal(spec: TaskSpec, overrides: Mapping[str, object] | None = None) -> str:
    with pytest.raises(RequestError) as raised:
        load_records(spec, overrides or {})
    assert raised.value.exit_code == 2
    assert str(raised.value).startswith("task 'colours': ")
    return str(raised.value).removeprefix("task 'colours': ")


def png(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (6, 4), COLOURS[colour]).save(buffer, format="PNG")
    return buffer.getvalue()


# --- files ---


def test_jsonl_with_pictures_beside_it(folder: Path) -> None:
    path = jsonl(
        folder, row("red", topic="warm", tags=["a"], extra=None), "", row("blue", target=["blue", "navy"])
    )

    first, second = load_records(task(jsonl=path))

    assert first == {
        "id": "red",
        "image": folder / "pictures" / "red.png",
        "question": "Which?",
        "target": "red",
        "topic": "warm",
        "tags": ["a"],
        "extra": None,
    }
    assert second["target"] == ["blue", "navy"]


def test_csv(folder: Path) -> None:
    path = folder / "colours.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", "question", "answer", "hint"])
        writer.writerow(["pictures/red.png", "Which\none?", "red", ""])
        writer.writerow(["pictures/blue.png", "Which?", "blue", "sky"])

    first, second = load_records(task("{question} {hint}", csv=path, target="answer", image="picture"))

    assert (first["id"], second["id"]) == ("1", "2")
    assert first["picture"] == folder / "pictures" / "red.png"
    assert (first["question"], first["answer"], first["hint"]) == ("Which\none?", "red", "")


def test_parquet_with_embedded_and_named_pictures(folder: Path, cache: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = [
        {
            "image": {"bytes": png("red"), "path": "red.png"},
            "question": "Which?",
            "target": 1.0,
            "thumb": b"\x00",
        },
        {
            "image": {"bytes": None, "path": "pictures/blue.png"},
            "question": "Which?",
            "target": 0.5,
            "thumb": b"\x01",
        },
    ]
    path = folder / "colours.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    seen: list[tuple[int, int]] = []

    first, second = load_records(task(parquet=path), progress=lambda done, total: seen.append((done, total)))

    digest = hashlib.sha256(png("red")).hexdigest()
    assert first["image"] == cache / "images" / f"{digest}.png"
    assert (cache / "images" / f"{digest}.png").read_bytes() == png("red")
    assert second["image"] == folder / "pictures" / "blue.png"
    assert (first["target"], second["target"]) == ("1.0", "0.5")
    assert "thumb" not in first
    assert seen == [(1, 2), (2, 2)]


def test_the_split_is_filled_into_the_path(folder: Path) -> None:
    jsonl(folder, row("red"), name="colours-test.jsonl")
    jsonl(folder, row("blue"), name="colours-train.jsonl")
    spec = task(jsonl=folder / "colours-{split}.jsonl")

    assert [record["id"] for record in load_records(spec)] == ["red"]
    assert [record["id"] for record in load_records(spec, {"split": "train"})] == ["blue"]


def test_another_file_can_be_given(folder: Path) -> None:
    other = jsonl(folder, row("green"), name="other.jsonl")
    spec = task(jsonl=jsonl(folder, row("red")))
    assert [record["id"] for record in load_records(spec, {"path": str(other)})] == ["green"]


def test_a_split_of_a_single_file_is_refused(folder: Path) -> None:
    said = refusal(task(jsonl=jsonl(folder, row("red"))), {"split": "train"})
    assert said.startswith("split=train was given, but colours.jsonl is one file for all; write {split} into")
    assert said.endswith("or give the split's own file with -T path=FILE")


def test_unknown_arguments_are_refused_with_the_allowed_ones(folder: Path) -> None:
    said = refusal(task(jsonl=jsonl(folder, row("red"))), {"pth": "x"})
    assert said == "-T has no 'pth'; did you mean 'path'? (allowed: path, split)"


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_missing_file(folder: Path, kind: str) -> None:
    said = refusal(task(**{kind: folder / "gone"}))
    assert (
        said == f"no file {folder / 'gone'} (dataset.{kind}); put it there, or give another with -T path=FILE"
    )


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("parquet", b"id,image\n", "data cannot be read: Parquet magic bytes not found"),
        ("csv", b"", "data cannot be read: no header line; name the columns in the first line"),
        ("csv", b"id,id,image\n", "data cannot be read: columns named twice: id; give each its own name"),
        ("csv", b"id,image\n1,caf\xe9\n", "data cannot be read: not UTF-8 text (invalid continuation byte)"),
        (
            "jsonl",
            b'[{"id": 1}]\n',
            "no row of data can be read; the first: data line 1: not a JSON object but a list",
        ),
        (
            "jsonl",
            b"\x89PNG\n\n",
            "no row of data can be read; the first: data line 1: not JSON: 'utf-8' codec",
        ),
    ],
)
def test_files_that_are_something_else(folder: Path, kind: str, content: bytes, said: str) -> None:
    (folder / "data").write_bytes(content)
    assert refusal(task(**{kind: folder / "data"})).startswith(said)


def test_an_empty_file_has_no_records(folder: Path) -> None:
    (folder / "none.jsonl").write_bytes(b"\n")
    assert load_records(task(jsonl=folder / "none.jsonl")) == []


def test_fields_that_no_row_has_are_named_together(folder: Path) -> None:
    path = jsonl(folder, {"id": "1", "picture": "pictures/red.png", "question": "Which?", "targets": "red"})

    said = refusal(task("{quesion}", jsonl=path))

    assert said == (
        "no row of colours.jsonl has 'target' (named by dataset.target); did you mean 'targets'?, "
        "'image' (named by dataset.image), 'quesion' (named by the prompt); did you mean 'question'? "
        "(fields: id, picture, question, targets). For a task without images write `image: null`."
    )


def test_a_declared_id_field_must_be_there(folder: Path) -> None:
    said = refusal(task(jsonl=jsonl(folder, row("red")), id="uid"))
    assert said.startswith("no row of colours.jsonl has 'uid' (named by dataset.id); did you mean 'id'?")


def test_ids_that_repeat_are_listed(folder: Path) -> None:
    path = jsonl(folder, row("red", id=7), row("blue", id="7"), row("green", id="g"))
    assert refusal(task(jsonl=path)) == (
        "1 ids are not unique: '7' in colours.jsonl line 1, colours.jsonl line 2; give each record its own "
        "id, or name another field in dataset.id"
    )


# --- rows that cannot be used ---


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"id": "bad", ', "colours.jsonl line 2: not JSON: "),
        ("[1, 2]", "colours.jsonl line 2: not a JSON object but a list"),
        ("[" * 100_000, "colours.jsonl line 2: not JSON: "),
        ('{"n": ' + "9" * 5000 + "}", "colours.jsonl line 2: not JSON: "),
    ],
)
def test_a_broken_line_does_not_stop_the_rest(folder: Path, bad: str, said: str) -> None:
    first, broken, last = load_records(task(jsonl=jsonl(folder, row("red"), bad, row("blue"))))

    assert (first["id"], last["id"]) == ("red", "blue")
    assert broken["id"] == "row-2"
    assert reason(broken).startswith(said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": None}, "target: missing, so nothing can be scored"),
        ({"target": ""}, "target: missing, so nothing can be scored"),
        ({"target": []}, "target: an empty list has no right answer"),
        ({"target": {"a": 1}}, "target: a right answer is text or a number, not a dict"),
        ({"question": None}, "question: missing, and the prompt shows it"),
        ({"image": None}, "image: no image"),
        ({"image": []}, "image: no image"),
        ({"image": "pictures/gone.png"}, "image: image pictures/gone.png: no such file"),
        ({"image": "pictures"}, "image: image pictures: no such file"),
        (
            {"image": "colours.jsonl"},
            "image: image colours.jsonl: not an image that can be read (unknown format)",
        ),
        (
            {"image": "https://example.org/a.png"},
            "image: image https://example.org/a.png: addresses are not fetched",
        ),
        ({"image": "data:image/png;base64,AAAA"}, "image: not an image that can be read (unknown format)"),
        ({"image": "data:image/png;base64,?"}, "image: image in a data: URI is not base64"),
        ({"image": "data:image/png"}, "image: image in a data: URI without a comma"),
        ({"image": 5}, "image: no image in a value of type int: give a path, a data: URI or bytes"),
        ({"id": [1]}, "id: an id is text or a whole number, not [1]"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_with_the_reason(
    folder: Path, changes: dict[str, object], said: str
) -> None:
    path = jsonl(folder, row("red"), row("green", topic="t", **changes), row("blue"))

    first, bad, last = load_records(task(jsonl=path))

    assert "unreadable" not in first and "unreadable" not in last
    assert reason(bad).startswith(f"colours.jsonl line 2: {said}")
    assert bad["topic"] == "t"
    assert bad["id"] == ("row-2" if "id" in changes else "green")


def test_all_reasons_of_a_row_are_given(folder: Path) -> None:
    bad = {"id": "x", "question": "Which?"}
    record = load_records(task(jsonl=jsonl(folder, row("red"), bad)))[1]
    assert (
        reason(record) == "colours.jsonl line 2: image: no image; target: missing, so nothing can be scored"
    )


def test_a_csv_row_with_the_wrong_number_of_cells(folder: Path) -> None:
    path = folder / "colours.csv"
    path.write_text("id,image,question,target\nr,pictures/red.png,Which?,red\nb,x\n", encoding="utf-8")
    records = load_records(task(csv=path))
    assert reason(records[1]) == "colours.csv row 2: 2 cells under 4 columns"


@pytest.mark.parametrize("kept", [0, 10, 40, 60])
def test_a_cut_png_is_found_without_decoding_it(folder: Path, kept: int) -> None:
    picture = folder / "pictures" / "cut.png"
    picture.write_bytes(png("red")[:kept])
    record = load_records(task(jsonl=jsonl(folder, row("cut"))))[0]
    assert "image: image pictures/cut.png: not an image that can be read" in reason(record)


# --- pictures ---


def test_pictures_in_every_form_become_files(folder: Path, cache: Path) -> None:
    content = png("red")
    plain = base64.b64encode(content).decode()
    stored = cache / "images" / f"{hashlib.sha256(content).hexdigest()}.png"

    assert image_file(f"data:image/png;base64,{plain}", folder) == stored
    assert image_file(content, folder) == stored
    assert image_file({"bytes": content, "path": None}, folder) == stored
    assert image_file(Image.open(io.BytesIO(content)), folder).suffix == ".png"
    assert (
        image_file(str(folder / "pictures" / "red.png"), Path("/nowhere")) == folder / "pictures" / "red.png"
    )


def test_a_picture_keeps_its_own_format(folder: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, format="JPEG")
    file = image_file(buffer.getvalue(), folder)
    assert file.suffix == ".jpg"
    assert file.read_bytes() == buffer.getvalue()


def test_a_picture_is_written_once_and_leaves_nothing_half_written(folder: Path, cache: Path) -> None:
    file = image_file(png("red"), folder)
    before = file.stat().st_mtime_ns
    assert image_file(png("red"), folder) == file
    assert file.stat().st_mtime_ns == before
    assert list((cache / "images").iterdir()) == [file]


def test_a_half_written_picture_in_the_cache_is_replaced(folder: Path) -> None:
    file = image_file(png("red"), folder)
    file.write_bytes(b"half")
    assert image_file(png("red"), folder).read_bytes() == png("red")


def test_a_cache_that_cannot_be_written_stops_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_bytes(b"")
    monkeypatch.setenv("TUNEBENCH_CACHE", str(folder / "file"))
    with pytest.raises(IncompleteRunError, match="set TUNEBENCH_CACHE to another folder") as raised:
        image_file(png("red"), folder)
    assert raised.value.exit_code == 4


def test_several_pictures_to_a_record(folder: Path) -> None:
    path = jsonl(
        folder,
        {"left": "pictures/red.png", "right": ["pictures/blue.png", "pictures/green.png"], "target": "x"},
    )
    [record] = load_records(task("Compare.", jsonl=path, image=["left", "right"]))
    pictures = folder / "pictures"
    assert record["left"] == pictures / "red.png"
    assert record["right"] == [pictures / "blue.png", pictures / "green.png"]


def test_a_task_without_pictures(folder: Path) -> None:
    [record] = load_records(task(jsonl=jsonl(folder, {"question": "2 + 2?", "target": 4}), image=None))
    assert record == {"question": "2 + 2?", "target": "4", "id": "1"}


# --- record functions ---


def test_charts(cache: Path) -> None:
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))

    spec = task(records="charts", args={"size": 6, "charts": ["bar"], "workers": 1})
    records = load_records(spec, {"size": "4", "cache_dir": str(cache)}, progress=progress)

    assert len(records) == 4
    assert all(isinstance(record["image"], Path) and record["image"].is_file() for record in records)
    assert all("unreadable" not in record for record in records)
    assert seen and seen[-1][0] == seen[-1][1]


def test_charts_of_another_split(cache: Path) -> None:
    spec = task(records="charts", args={"size": 2, "charts": ["bar"], "workers": 1, "cache_dir": str(cache)})
    test, train = load_records(spec), load_records(spec, {"split": "train"})
    assert {record["text_sha"] for record in test}.isdisjoint(record["text_sha"] for record in train)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"sise": 4}, "-T has no 'sise'; did you mean 'size'? (allowed: split, size, seed, "),
        ({"progress": 1}, "-T has no 'progress'"),
        (
            {"size": "many"},
            "charts: size must be a whole number, not 'many' (arguments come from dataset.args and -T",
        ),
        (
            {"split": "tests"},
            "charts: split: 'tests' is not one of train, validation, test; did you mean 'test'?",
        ),
        ({"text": "/nowhere/text.txt"}, "charts: "),
    ],
)
def test_mistakes_in_a_record_function_s_arguments(overrides: dict[str, object], said: str) -> None:
    assert refusal(task(records="charts"), overrides).startswith(said)


def test_a_declared_argument_that_the_function_does_not_have() -> None:
    said = refusal(task(records="charts", args={"sizes": 4}))
    assert said.startswith("dataset.args has no 'sizes'; did you mean 'size'? (allowed: split, size, ")


def test_records_with_odd_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime
    import decimal

    import numpy

    def odd(*, size: int = 1) -> list[dict[str, object]]:
        values = {
            "day": datetime.date(2026, 1, 2),
            "price": decimal.Decimal("1.50"),
            "vector": numpy.array([1, 2]),
            "count": numpy.int64(3),
            "pair": (1, {"a": 2}),
            "blob": b"\x00",
            "nested": {"blob": [b"\x00"]},
        }
        return [{"image": Image.open(folder / "pictures" / "red.png"), "target": 2.5, **values}] * size

    monkeypatch.setattr(bench.records.loading, "record_function", lambda name: odd)
    [record] = load_records(task("Look.", records="charts"))

    assert isinstance(record.pop("image"), Path)
    assert record == {
        "id": "1",
        "target": "2.5",
        "day": "2026-01-02",
        "price": "1.50",
        "vector": [1, 2],
        "count": 3,
        "pair": [1, {"a": 2}],
    }


# --- the hub ---


def test_a_data_set_of_the_hub(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `datasets` library is real; only the download is not."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "more": datasets.List(datasets.Image()),
            "question": datasets.Value("string"),
            "target": datasets.Value("int64"),
        }
    )
    rows = [
        {"image": {"bytes": png("red"), "path": None}, "more": [], "question": "Which?", "target": 1},
        {"image": None, "more": [], "question": "Which?", "target": 2},
    ]
    asked: list[tuple[object, ...]] = []

    def load_dataset(name: str, config: str | None, *, revision: str, split: str) -> object:
        asked.append((name, config, revision, split))
        return datasets.Dataset.from_list(rows, features=features)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    spec = task(hf="owner/colours", revision="abc", config="small")

    first, second = load_records(spec, {"split": "validation"})

    assert asked == [("owner/colours", "small", "abc", "validation")]
    assert first["image"] == cache / "images" / f"{hashlib.sha256(png('red')).hexdigest()}.png"
    assert first["target"] == "1"
    assert reason(second) == "owner/colours row 2: image: no image"


def test_a_data_set_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")

    def load_dataset(*_: object, **__: object) -> None:
        raise ConnectionError("the hub cannot be reached\nlong trace")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    said = refusal(task(hf="owner/colours", revision="abc"))
    assert said.startswith(
        "data set owner/colours (config None, revision abc, split test) cannot be loaded: "
    )
    assert "the hub cannot be reached. Check these names and the network" in said
    assert said.endswith("or save it as parquet and declare `parquet: FILE`")
    assert refusal(task(hf="owner/colours", revision="abc"), {"size": 3}) == (
        "-T has no 'size' (allowed: split, config, revision)"
    )


def test_without_the_library_for_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "datasets", None)
    said = refusal(task(hf="owner/colours", revision="abc"))
    assert "needs the library 'datasets'; pip install 'tunebench[hub]'" in said


def test_records_do_not_depend_on_the_working_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = task(jsonl=jsonl(folder, row("red")))
    here = load_records(spec)
    monkeypatch.chdir(tmp_path)
    assert load_records(spec) == here
    assert os.fspath(str(here[0]["image"])).startswith(str(folder))
