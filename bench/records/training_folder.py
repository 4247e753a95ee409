"""A training folder: a Hugging Face data set of examples with their pictures inside, and its card.

    FOLDER/data/train.parquet     images, prompt, completion, task, sample_id, groups (and system, if any)
    FOLDER/README.md              the card
    FOLDER/provenance.json        the same for programs

`load_dataset(FOLDER)` reads it, and so does a recipe's `data.folder`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import RequestError
from trainers.data.examples import TrainExample

FILE = Path("data") / "train.parquet"
CARD = "README.md"
PROVENANCE = "provenance.json"

_TEXTS = ("prompt", "completion", "task", "sample_id")
_ROWS_AT_A_TIME = 64


@dataclass(frozen=True)
class FolderRow:
    """One example as the folder has it. images: the bytes of each file."""

    images: tuple[bytes, ...]
    prompt: str
    completion: str
    task: str
    sample_id: str
    groups: Mapping[str, str]
    system: str | None = None


def write_folder(
    folder: Path,
    examples: Sequence[TrainExample],
    task: str,
    provenance: Mapping[str, Any],
    card: str,
) -> None:
    """Write the folder; it is there whole or not at all. A folder that was there before is replaced.

    OSError when a picture cannot be read or the disk is full.
    """
    from pyarrow import parquet

    part = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(part, ignore_errors=True)
    (part / FILE).parent.mkdir(parents=True)
    fields = list(dict.fromkeys(name for example in examples for name in example.groups))
    schema = _schema(fields, any(example.system for example in examples))
    with parquet.ParquetWriter(part / FILE, schema, compression="zstd") as writer:
        for table in _tables(examples, task, fields, schema):
            writer.write_table(table)
    (part / PROVENANCE).write_text(
        json.dumps(provenance, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (part / CARD).write_text(card, encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    part.replace(folder)


def read_folder(folder: Path, most: int | None = None) -> tuple[list[FolderRow], int, dict[str, Any]]:
    """(the first rows, how many there are, provenance); RequestError when it is no training folder."""
    from pyarrow import ArrowException, parquet

    file = folder / FILE
    if not file.is_file():
        raise RequestError(
            f"{folder}: not a training folder (no {FILE} in it); `bench distill TASK --out` makes one"
        )
    try:
        table = parquet.ParquetFile(file)
        rows = []
        for batch in table.iter_batches(batch_size=_ROWS_AT_A_TIME):
            rows += [_row(fields) for fields in batch.to_pylist()]
            if most is not None and len(rows) >= most:
                break
        provenance = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise RequestError(f"{folder}: not a readable training folder ({first})") from error
    return rows[:most], table.metadata.num_rows, provenance


def _row(fields: Mapping[str, Any]) -> FolderRow:
    return FolderRow(
        images=tuple(image["bytes"] or b"" for image in fields["images"]),
        prompt=fields["prompt"],
        completion=fields["completion"],
        task=fields["task"],
        sample_id=fields["sample_id"],
        groups=dict(fields.get("groups") or {}),
        system=fields.get("system"),
    )


def _tables(examples: Sequence[TrainExample], task: str, fields: Sequence[str], schema: Any) -> Iterator[Any]:
    """Tables of a few rows each: pictures are in memory a few at a time."""
    import pyarrow

    for start in range(0, len(examples), _ROWS_AT_A_TIME):
        rows = [_plain(example, task, fields) for example in examples[start : start + _ROWS_AT_A_TIME]]
        yield pyarrow.Table.from_pylist(rows, schema=schema)
    if not examples:
        yield schema.empty_table()


def _plain(example: TrainExample, task: str, fields: Iterable[str]) -> dict[str, Any]:
    return {
        "images": [{"bytes": path.read_bytes(), "path": path.name} for path in example.images],
        "prompt": example.prompt,
        "completion": example.completion,
        "task": task,
        "sample_id": example.id,
        "groups": {name: example.groups.get(name) for name in fields},
        "system": example.system,
    }


def _schema(fields: Sequence[str], system: bool) -> Any:
    """The columns, with the note by which Hugging Face's readers know the pictures.

    parquet has no groups without a name: a task that reports by nothing has no such column.
    """
    import pyarrow

    image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    columns = [("images", pyarrow.list_(image)), *((name, pyarrow.string()) for name in _TEXTS)]
    text = {"dtype": "string", "_type": "Value"}
    features: dict[str, Any] = {
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        **dict.fromkeys(_TEXTS, text),
    }
    if fields:
        columns.append(("groups", pyarrow.struct([(name, pyarrow.string()) for name in fields])))
        features["groups"] = dict.fromkeys(fields, text)
    if system:
        columns.append(("system", pyarrow.string()))
        features["system"] = text
    return pyarrow.schema(columns, metadata={"huggingface": json.dumps({"info": {"features": features}})})
