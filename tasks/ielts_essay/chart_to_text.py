"""Charts of a clone of Chart-to-text (Kantharaj et al. 2022): Statista and Pew, simple and multi-column.

    CLONE/statista_dataset/dataset/{imgs,titles,captions,data}/ID.*, metadata.csv, multiColumn/ with the same,
    dataset_split/{train,val,test}_index_mapping.csv with names such as two_col-620.txt and multi_col-12.txt;
    CLONE/pew_dataset/dataset/ likewise

The type of a chart stands in its metadata, never in anybody's reply. Statista's data are tables and known;
Pew's are words found in the picture, which are no data.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.ielts_essay.chart import chart_data
from tasks.splits import Split, digest

CHART_SOURCES = ("statista", "pew")
CLONE = "git clone https://github.com/vis-nlp/Chart-to-text"

_FOLDERS = {"two_col": "", "multi_col": "multiColumn"}
_SPLIT_FILES: Mapping[str, str] = {"train": "train", "validation": "val", "test": "test"}
# As the metadata name what is drawn alike.
_TYPES = {"column": "bar", "bar": "bar", "line": "line", "pie": "pie", "table": "table"}
_OWN_TRAIN, _OWN_VALIDATION = 70, 85
_MOST_UNKNOWN = 0.1
_NO_VALUE = ("", "-", "–", "n/a", "na", "none")


@dataclass(frozen=True)
class PublishedChart:
    """One chart, whose files are read when asked for. name: `two_col-620`; folder: where imgs/ is."""

    source: str
    name: str
    chart: str
    folder: Path
    listed_title: str

    @property
    def number(self) -> str:
        """What its files are called."""
        return self.name.partition("-")[2]

    @cached_property
    def title(self) -> str:
        """Its title, that of the metadata where it has no file."""
        return _tidy(_text(self.folder / "titles" / f"{self.number}.txt") or self.listed_title)

    @property
    def caption(self) -> str:
        """What the data set says of it, or ""."""
        return _tidy(_text(self.folder / "captions" / f"{self.number}.txt"))

    @property
    def image(self) -> Path:
        """Where its picture is or should be."""
        return self.folder / "imgs" / f"{self.number}.png"

    @property
    def data(self) -> str:
        """Its `chart_data`, or "" where the values are not known."""
        return _data(self.folder / "data" / f"{self.number}.csv", self.title)


def read_items(
    clone: Path,
    split: Split,
    *,
    sources: Sequence[str] = CHART_SOURCES,
    charts: Sequence[str],
    splits: str = "official",
    split_seed: int = 0,
) -> list[PublishedChart]:
    """The charts of a split in the order of its list; those of a type that is not in `charts` are left out.

    splits: "official", by the lists of the data set; "own", 70% train, 15% validation and 15% test by the
    chart's title, so that one chart that stands there twice is in one split. FileNotFoundError or ValueError
    says which file is missing or what is wrong in it.
    """
    if splits not in ("official", "own"):
        raise ValueError(f"splits is official or own, not {splits!r}")
    if not clone.is_dir():
        raise FileNotFoundError(f"path {clone} is not a folder; {CLONE} makes one")
    folders = {source: clone / f"{source}_dataset" / "dataset" for source in sources}
    missing = [str(folder.relative_to(clone)) for folder in folders.values() if not folder.is_dir()]
    if missing:
        has = ", ".join(sorted(p.name for p in clone.iterdir() if p.is_dir())[:8]) or "no folder"
        raise FileNotFoundError(
            f"{clone} has no {' and no '.join(missing)} (it has {has}); give the root of the clone "
            f"({CLONE}), or choose with sources={','.join(CHART_SOURCES)}"
        )
    return [
        item
        for source, folder in folders.items()
        for item in _items(source, folder, split, splits, split_seed)
        if item.chart in charts
    ]


def _items(source: str, folder: Path, split: Split, splits: str, split_seed: int) -> Iterator[PublishedChart]:
    types = _types(folder)
    if splits == "official":
        names = _listed(folder / "dataset_split" / f"{_SPLIT_FILES[split]}_index_mapping.csv", types)
    else:
        names = list(types)
    for name in names:
        kind, title = types[name]
        item = PublishedChart(source, name, kind, folder / _FOLDERS[name.partition("-")[0]], title)
        if splits == "official" or _own_split(item.title or name, split_seed) == split:
            yield item


def _types(folder: Path) -> dict[str, tuple[str, str]]:
    """Name of each chart → its type and its title, from the metadata of both folders."""
    found = _metadata(folder / "metadata.csv")
    inner = folder / "multiColumn" / "metadata.csv"
    # One file may speak for both folders.
    if inner.is_file() or not any(name.startswith("multi_col") for name in found):
        found |= _metadata(inner, "multi_col")
    return found


def _metadata(file: Path, column: str = "two_col") -> dict[str, tuple[str, str]]:
    """Name → (type, title) of each row."""
    rows = _rows(file)
    if not rows:
        raise ValueError(f"{file} has no rows")
    absent = [name for name in ("id", "chartType") if name not in rows[0]]
    if absent:
        has = ", ".join(map(str, rows[0]))
        raise ValueError(f"{file} has no column {' and no '.join(absent)}; it has {has}")
    found = {}
    for row in rows:
        kind = re.sub(r"\W*(?:chart|graph|plot)$", "", (row["chartType"] or "").strip().lower())
        own = "multi_col" if (row.get("imgPath") or "").startswith("multiColumn/") else column
        number = (row["id"] or "").strip()
        found[f"{own}-{number}"] = _TYPES.get(kind, kind), (row.get("title") or "").strip()
    return found


def _listed(file: Path, known: Mapping[str, object]) -> list[str]:
    """The names in a list of a split, without their ending."""
    try:
        rows = _rows(file)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}, or use -T splits=own for Tunebench's own split") from None
    column = next(iter(rows[0])) if rows else ""
    names = [(row[column] or "").strip().removesuffix(".txt") for row in rows]
    odd = [name for name in names if not re.fullmatch(r"(?:two|multi)_col-\d+", name)]
    if odd:
        raise ValueError(f"{file}: {odd[0]!r} is no name such as two_col-620.txt ({len(odd)} are not)")
    strangers = [name for name in names if name not in known]
    if len(strangers) > _MOST_UNKNOWN * len(names):
        raise ValueError(
            f"{file} lists {len(strangers)} of {len(names)} charts that no metadata.csv has, such as "
            f"{strangers[0]}"
        )
    if not names:
        raise ValueError(f"{file} lists no chart")
    # Of the others nothing says what type they are.
    return [name for name in names if name in known]


def _own_split(title: str, seed: int) -> Split:
    percent = int(digest(f"{seed}:{' '.join(title.casefold().split())}")[:15], 16) % 100
    return "train" if percent < _OWN_TRAIN else "validation" if percent < _OWN_VALIDATION else "test"


def _data(file: Path, title: str) -> str:
    """`chart_data` of a table in a CSV file, or "" where there is none or its cells are no numbers."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        head, *rows = [row for row in csv.reader(lines) if row] or [[]]
    rows = [row for row in rows if len(row) == len(head)]
    if len(head) < 2 or not rows:
        return ""
    try:
        columns = [tuple(_number(row[place]) for row in rows) for place in range(1, len(head))]
    except ValueError:
        return ""
    series = tuple(head[1:])
    said = any(re.search(r"%|percent", name, re.IGNORECASE) for name in (*series, title))
    unit = "%" if said or any("%" in cell for row in rows for cell in row[1:]) else ""
    return chart_data(
        title,
        unit or (series[0] if len(series) == 1 else ""),
        tuple(row[0] for row in rows),
        series,
        tuple(columns),
    )


def _number(cell: str) -> float | None:
    """A cell's number, or None for an empty one; ValueError for anything else."""
    bare = re.sub(r"[\s,%$€£]", "", cell)
    return None if bare.lower() in _NO_VALUE else float(bare.rstrip("*"))


def _rows(file: Path) -> list[dict[str, str | None]]:
    if not file.is_file():
        raise FileNotFoundError(f"no file {file}; check the clone ({CLONE})")
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return list(csv.DictReader(lines))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _tidy(text: str) -> str:
    """A text of the data set, whose words and signs stand apart, as it is printed."""
    line = " ".join(text.split())
    line = re.sub(r" ([,.;:!?)%\]])", r"\1", line)
    return re.sub(r"([(\[$£€]) ", r"\1", line)
