"""A clone of Chart-to-text in its layout, small, with charts of our own; a folder of pictures."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

import pytest

from tasks.ielts_essay.chart import Chart, ChartKind
from tasks.ielts_essay.pictures import picture, style_of

_KINDS: tuple[ChartKind, ...] = ("bar", "line", "pie", "table")
_TYPE_NAMES = {"bar": "column", "line": "line", "pie": "pie", "table": "table"}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The root of a clone with two charts of each kind in each folder."""
    return draw_clone(tmp_path / "Chart-to-text")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps drawn charts for the whole session."""
    return tmp_path_factory.mktemp("ielts_essay")


def draw_clone(folder: Path, per_kind: int = 2) -> Path:
    """The root of the clone: Statista and Pew, simple and multi-column, official lists of splits."""
    for source in ("statista", "pew"):
        dataset = folder / f"{source}_dataset" / "dataset"
        names = []
        for column, inner in (("two_col", dataset), ("multi_col", dataset / "multiColumn")):
            names += [f"{column}-{number}.txt" for number in _charts(source, inner, column, per_kind)]
        lists = dataset / "dataset_split"
        lists.mkdir()
        # The kinds take turns, and each is in each list.
        turns = [(place + place // 4) % 4 for place in range(len(names))]
        cuts = {"train": (0, 1), "val": (2,), "test": (3,)}
        for split, chosen in cuts.items():
            listed = [name for name, turn in zip(names, turns, strict=True) if turn in chosen]
            text = "".join(f"{name}\n" for name in ["File_No", *listed])
            (lists / f"{split}_index_mapping.csv").write_text(text, encoding="utf-8")
    return folder


def _charts(source: str, folder: Path, column: str, per_kind: int) -> list[int]:
    for name in ("imgs", "titles", "captions", "data"):
        (folder / name).mkdir(parents=True)
    rows, numbers = [], []
    for number in range(1, 4 * per_kind + 1):
        kind = _KINDS[(number - 1) % 4]
        chart = _chart(kind, f"{source} {column} {number}", 1 if column == "two_col" else 2, number)
        png = picture(chart, style_of(Random(number)), 400, 300)
        (folder / "imgs" / f"{number}.png").write_bytes(png)
        # Words and signs stand apart in the data set.
        spaced = f"{chart.title} , by place ( in millions )\n"
        (folder / "titles" / f"{number}.txt").write_text(spaced, encoding="utf-8")
        (folder / "captions" / f"{number}.txt").write_text(f"In {number} , it rose .\n", encoding="utf-8")
        if source == "statista":
            with (folder / "data" / f"{number}.csv").open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file)
                table.writerow(["Place", *chart.series])
                for at, label in enumerate(chart.labels):
                    table.writerow([label, *(row[at] for row in chart.values)])
        else:
            (folder / "data" / f"{number}.txt").write_text("words | 10 | 20 ", encoding="utf-8")
        rows.append([number, chart.title, f"imgs/{number}.png", _TYPE_NAMES[kind]])
        numbers.append(number)
    rows.append([999, "A bubble chart", "imgs/999.png", "bubble"])
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "title", "imgPath", "chartType"])
        table.writerows(rows)
    return numbers


def _chart(kind: ChartKind, name: str, series: int, number: int) -> Chart:
    values = tuple((10.5 + number, 20.0 + place, 3.0) for place in range(series))
    labels = ("1990", "2000", "2010") if kind == "line" else ("Ayton", "Beeford", "Catwick")
    names = tuple(f"Sales {place}" for place in range(series))
    layout = "times" if kind == "line" else "groups"
    return Chart(kind, layout, f"Sales in {name}", "sales", "million", 1, labels, names, values)  # type: ignore[arg-type]
