"""The loader of a local clone of Chart-to-text, in its real layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.ielts_essay.records import ielts_essays

Records = list[dict[str, Any]]


def of(clone: Path, split: str = "test", **arguments: Any) -> Records:
    return ielts_essays(split, path=clone, size="all", **arguments)


def test_a_record_has_title_type_picture_and_table(clone: Path) -> None:
    records = {
        record["id"]: record for split in ("train", "validation", "test") for record in of(clone, split)
    }
    assert len(records) == 32  # the bubble charts are left out
    simple = records["statista-two_col-1"]
    assert simple["title"] == "Sales in statista two_col 1, by place (in millions)"
    assert simple["caption"] == "In 1, it rose."
    # The metadata calls it a column chart.
    assert (simple["chart"], simple["chart_name"], simple["source"]) == ("bar", "bar chart", "statista")
    assert simple["image"] == clone / "statista_dataset/dataset/imgs/1.png" and simple["image"].is_file()
    assert simple["target"] == ""
    table = json.loads(simple["chart_data"])
    assert table["labels"] == ["Ayton", "Beeford", "Catwick"] and table["values"] == [[11.5, 20.0, 3.0]]
    several = records["statista-multi_col-2"]
    assert several["image"] == clone / "statista_dataset/dataset/multiColumn/imgs/2.png"
    assert len(json.loads(several["chart_data"])["series"]) == 2
    # What Pew has are words found in the picture.
    assert {record["chart_data"] for record in records.values() if record["source"] == "pew"} == {""}


def test_the_chart_s_type_comes_from_the_metadata(clone: Path) -> None:
    """Trap 10: it was guessed from the model's own reply."""
    for record in of(clone, "train"):
        number = int(record["id"].rpartition("-")[2])
        assert record["chart"] == ("bar", "line", "pie", "table")[(number - 1) % 4]


def test_official_lists_make_the_splits(clone: Path) -> None:
    names = {split: {r["id"] for r in of(clone, split)} for split in ("train", "validation", "test")}
    assert {name: len(ids) for name, ids in names.items()} == {"train": 16, "validation": 8, "test": 8}
    assert sum(map(len, names.values())) == len(set.union(*names.values()))
    listed = (clone / "pew_dataset/dataset/dataset_split/test_index_mapping.csv").read_text().split()[1:]
    assert {f"pew-{name.removesuffix('.txt')}" for name in listed} == {n for n in names["test"] if "pew" in n}


def test_splits_of_ours_keep_a_title_on_one_side(clone: Path) -> None:
    for folder in ("", "multiColumn"):
        for number in range(1, 9):
            title = clone / "pew_dataset/dataset" / folder / f"titles/{number}.txt"
            title.write_text(f"Shared title {number}")

    def own(seed: int) -> list[Records]:
        found = []
        for split in ("train", "validation", "test"):
            try:
                found.append(of(clone, split, splits="own", sources="pew", split_seed=seed))
            except ValueError:  # of eight titles none may fall to a small split
                found.append([])
        return found

    trains = set()
    for seed in range(6):
        splits = own(seed)
        assert sum(map(len, splits)) == 16
        titles = [{record["title"] for record in records} for records in splits]
        assert sum(map(len, titles)) == 8
        trains.add(frozenset(record["id"] for record in splits[0]))
    assert len(trains) > 1


def test_a_part_is_drawn_the_same_each_time(clone: Path) -> None:
    one, two = (ielts_essays("train", path=clone, size=5, seed=3) for _ in range(2))
    assert one == two and len(one) == 5
    assert ielts_essays("train", path=clone, size=5, seed=4) != one
    assert len(ielts_essays("train", path=clone, size=500)) == 16


def test_sources_and_types_can_be_chosen(clone: Path) -> None:
    assert {record["source"] for record in of(clone, "train", sources="pew")} == {"pew"}
    assert {record["chart"] for record in of(clone, "train", charts="pie,line")} == {"pie", "line"}
    shutil.rmtree(clone / "statista_dataset")
    assert {record["source"] for record in of(clone, "train", sources="pew")} == {"pew"}


def test_golden_essays_come_from_a_file(clone: Path, tmp_path: Path) -> None:
    name = of(clone)[0]["id"]
    golden = tmp_path / "golden.jsonl"
    golden.write_text(json.dumps({"id": name, "completion": "Overall, it rose."}) + "\n")
    targets = {record["id"]: record["target"] for record in of(clone, golden=golden)}
    assert targets[name] == "Overall, it rose." and set(targets.values()) == {"", "Overall, it rose."}
    golden.write_text('{"id": 1}\n')
    with pytest.raises(ValueError, match=r"golden\.jsonl, line 1 is no object with id and completion"):
        of(clone, golden=golden)
    with pytest.raises(FileNotFoundError, match="golden: no file"):
        of(clone, golden=tmp_path / "none")


def test_a_picture_that_is_missing_is_a_record_that_can_be_counted(clone: Path) -> None:
    image = of(clone)[0]["image"]
    image.unlink()
    assert of(clone)[0]["image"] == image


def test_a_title_without_a_file_is_that_of_the_metadata(clone: Path) -> None:
    shutil.rmtree(clone / "pew_dataset/dataset/titles")
    record = next(r for r in of(clone, "train") if r["id"] == "pew-two_col-1")
    assert record["title"] == "Sales in pew two_col 1"


@pytest.mark.parametrize(
    ("cells", "known"),
    [
        ("Place,Share\nAyton,1.5\n", True),
        ('Place,Sales\nAyton,"1,234"\n', True),
        ("Place,Share in percent\nAyton,45%\nBeeford,-\n", True),
        ("Place,Share\nAyton,many\n", False),
        ("Place\nAyton\n", False),
        ("", False),
        ("Place,Share\n", False),
    ],
)
def test_a_table_of_other_things_than_numbers_is_not_known(clone: Path, cells: str, known: bool) -> None:
    (clone / "statista_dataset/dataset/data/1.csv").write_text(cells)
    record = next(r for r in of(clone, "train") if r["id"] == "statista-two_col-1")
    assert bool(record["chart_data"]) is known


def test_one_metadata_file_may_speak_for_both_folders(clone: Path) -> None:
    before = of(clone, "train")
    for source in ("pew", "statista"):
        outer = clone / f"{source}_dataset/dataset/metadata.csv"
        inner = clone / f"{source}_dataset/dataset/multiColumn/metadata.csv"
        rows = inner.read_text().splitlines()[1:]
        outer.write_text(outer.read_text() + "\n".join(rows).replace("imgs/", "multiColumn/imgs/") + "\n")
        inner.unlink()
    assert of(clone, "train") == before


def test_a_few_charts_without_metadata_are_left_out_and_many_are_a_mistake(clone: Path) -> None:
    listed = clone / "pew_dataset/dataset/dataset_split/test_index_mapping.csv"
    names = listed.read_text()
    everything = "".join(f"two_col-{n}.txt\nmulti_col-{n}.txt\n" for n in range(1, 9))
    listed.write_text(f"File_No\n{everything}two_col-777.txt\n")
    assert len(of(clone, sources="pew")) == 16
    listed.write_text(f"{names}two_col-777.txt\n")
    with pytest.raises(ValueError, match=r"lists 1 of 5 charts that no metadata\.csv has"):
        of(clone, sources="pew")


def test_what_is_missing_is_named(clone: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"path .*nowhere is not a folder; git clone https://"):
        of(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="has no statista_dataset/dataset and no pew_dataset"):
        of(clone / "pew_dataset")
    lists = clone / "statista_dataset/dataset/dataset_split"
    shutil.rmtree(lists)
    with pytest.raises(FileNotFoundError, match=r"test_index_mapping\.csv.* or use -T splits=own"):
        of(clone)
    assert of(clone, "train", splits="own")
    (clone / "pew_dataset/dataset/metadata.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no file .*metadata\.csv"):
        of(clone, splits="own")


def test_an_odd_layout_is_named(clone: Path) -> None:
    metadata = clone / "statista_dataset/dataset/metadata.csv"
    rows = metadata.read_text()
    metadata.write_text(rows.replace("chartType", "kind"))
    with pytest.raises(ValueError, match=r"has no column chartType; it has id, title, imgPath, kind"):
        of(clone)
    metadata.write_text("")
    with pytest.raises(ValueError, match="has no rows"):
        of(clone)
    metadata.write_text(rows)
    listed = clone / "statista_dataset/dataset/dataset_split/test_index_mapping.csv"
    listed.write_text("File_No\nchart 7\n")
    with pytest.raises(ValueError, match=r"'chart 7' is no name such as two_col-620\.txt"):
        of(clone)
    listed.write_text("File_No\ntwo_col-777.txt\n")
    with pytest.raises(ValueError, match=r"1 of 1 charts that no metadata\.csv has, such as two_col-777"):
        of(clone)
    listed.write_text("File_No\n")
    with pytest.raises(ValueError, match="lists no chart"):
        of(clone)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"splits": "mine"}, "splits is official or own, not 'mine'"),
        (
            {"sources": "stastista"},
            "sources: 'stastista' is not one of .* did you mean 'statista'",
        ),
        ({"charts": "pies"}, r"charts: 'pies' is not one of bar, line, pie, table; did you mean 'pie'\?"),
        ({"split_seed": "x"}, "split_seed must be a whole number, not 'x'"),
        ({"split": "dev"}, "split: 'dev' is not one of train, validation, test"),
    ],
)
def test_an_argument_that_cannot_be_is_named(clone: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ielts_essays(**{"split": "test", "path": clone, "size": "all", **arguments})
