"""Rows of files and data sets, one at a time: a row that cannot be read is a row with a mistake.

Whatever makes the whole source unreadable (no such file, no header, not parquet at all) is a ValueError or an
OSError; a single broken line is not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.hub import hub

_BATCH = 64
"""Rows read at a time where images are embedded in them."""


@dataclass(frozen=True)
class Row:
    """One row: its number (from 1, as an editor or a viewer shows it), where it is, and what it says.

    `mistake` is why it cannot be read, or None.
    """

    number: int
    where: str
    fields: Mapping[str, object] = field(default_factory=dict)
    mistake: str | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of a source; `total` is how many, where that is known beforehand."""

    source: str
    rows: Iterable[Row]
    folder: Path = field(default_factory=Path.cwd)
    total: int | None = None


def jsonl_rows(path: Path) -> Rows:
    """A JSON object a line; blank lines are passed over, and rows are numbered by line."""
    return Rows(path.name, _jsonl(path), path.parent)


def csv_rows(path: Path) -> Rows:
    """A header line, then rows of as many cells; an empty cell is an empty text."""
    return Rows(path.name, _csv(path), path.parent)


def parquet_rows(path: Path) -> Rows:
    """A parquet file, read piece by piece."""
    from pyarrow import parquet

    path.stat()  # a missing file in the same words as elsewhere
    file = parquet.ParquetFile(path)
    batches = (batch.to_pylist() for batch in file.iter_batches(batch_size=_BATCH))
    return Rows(path.name, _numbered(path.name, batches), path.parent, file.metadata.num_rows)


def hub_rows(name: str, config: str | None, revision: str | None, split: str) -> Rows:
    """A split of a data set on the Hugging Face hub, images as the bytes they are stored in.

    ModuleNotFoundError when the `datasets` library is not installed; otherwise what it raises.
    """
    import datasets

    with hub():
        found = datasets.load_dataset(name, config, revision=revision, split=split)
    pieces = found.with_format("arrow").iter(batch_size=_BATCH)
    batches = (piece.to_pylist() for piece in pieces)
    return Rows(f"{name}, split {split}", _numbered(name, batches), total=len(found))


def given_rows(source: str, records: Iterable[Mapping[str, object]]) -> Rows:
    """Rows that a record function has made."""
    rows = list(records)
    return Rows(source, _numbered(source, [rows]), total=len(rows))


def _numbered(source: str, batches: Iterable[Iterable[Mapping[str, object]]]) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for fields in batch:
            number += 1
            yield Row(number, f"{source} row {number}", fields)


def _jsonl(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path.name} line {number}"
            try:
                fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except json.JSONDecodeError as error:
                yield Row(number, where, mistake=f"not JSON: {error.msg} at column {error.colno}")
            except (ValueError, RecursionError) as error:  # not UTF-8, an endless number, too deep
                yield Row(number, where, mistake=f"not JSON: {error}")
            else:
                if isinstance(fields, dict):
                    yield Row(number, where, fields)
                else:
                    yield Row(number, where, mistake=f"not a JSON object but a {type(fields).__name__}")


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        limit = csv.field_size_limit(1 << 30)  # cells may hold whole images as data: URIs
        try:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise ValueError("no header line; name the columns in the first line")
            twice = sorted({name for name in header if header.count(name) > 1})
            if twice:
                raise ValueError(f"columns named twice: {', '.join(twice)}; give each its own name")
            number = 0
            for cells in reader:
                if not cells:
                    continue
                number += 1
                where = f"{path.name} row {number}"
                if len(cells) != len(header):
                    yield Row(number, where, mistake=f"{len(cells)} cells under {len(header)} columns")
                else:
                    yield Row(number, where, dict(zip(header, cells, strict=True)))
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8 text ({error.reason}); save the file as UTF-8") from None
        except csv.Error as error:
            raise ValueError(f"not CSV: {error}") from None
        finally:
            csv.field_size_limit(limit)
