"""Loads the records that a task.yaml declares, from wherever they come, in one form.

A record is a dict with the fields of its row and

- `id`: a string, unique in the list (the row's number where the rows have no id),
- the target field: a string or a list of strings,
- the image fields: a Path each, or a list of them where a row has several in one field.

A row that cannot be used (broken JSON, no target, no such image) does not stop the rest: it becomes a record
with `id`, `unreadable` (the reason, with file and row) and the fields that could be read, so that it can be
counted as unscored. What is wrong with all rows (no such file, no such column) is a RequestError.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from bench.declarations.dataset_spec import DatasetSpec
from bench.declarations.task_spec import TaskSpec
from bench.errors import RequestError, did_you_mean, first_line
from bench.records.images import image_file
from bench.records.rows import Row, Rows, csv_rows, given_rows, hub_rows, jsonl_rows, parquet_rows
from tasks.declared import record_function
from trainers.machine.reasons import machine_reason

Record: TypeAlias = dict[str, object]
Progress: TypeAlias = Callable[[int, int], None]

_FILES: Mapping[str, Callable[[Path], Rows]] = MappingProxyType(
    {"jsonl": jsonl_rows, "csv": csv_rows, "parquet": parquet_rows}
)

_LISTED = 5
"""Examples in a message that could list thousands."""


def load_records(
    spec: TaskSpec,
    overrides: Mapping[str, object] = MappingProxyType({}),
    *,
    progress: Progress | None = None,
) -> list[Record]:
    """The records of a task, in the order of their source.

    `overrides` are the user's `-T key=value`: arguments of the record function, `path` and `split` of a file,
    `config`, `revision` and `split` of a data set on the hub. `progress` is called with the numbers done and
    wanted, where these are known.

    RequestError when the source is missing, an override is not allowed, no row has a field that the
    declaration names, or ids repeat.
    """
    try:
        rows = _open(spec, overrides, progress)
        return _records(spec, rows, progress if spec.dataset.records is None else None)
    except RequestError as error:
        raise RequestError(f"task {spec.name!r}: {error}") from error


def image_files(spec: TaskSpec, record: Record) -> list[Path]:
    """The record's images, in prompt order."""
    files: list[Path] = []
    for name in spec.dataset.image:
        value = record.get(name)
        if isinstance(value, Path):
            files.append(value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            files.extend(path for path in value if isinstance(path, Path))
    return files


def _open(spec: TaskSpec, overrides: Mapping[str, object], progress: Progress | None) -> Rows:
    dataset = spec.dataset
    if dataset.records is not None:
        return _from_function(dataset, dataset.records, overrides, progress)
    if dataset.hf is not None:
        return _from_hub(dataset, dataset.hf, overrides)
    return _from_file(dataset, overrides)


def _from_function(
    dataset: DatasetSpec, name: str, overrides: Mapping[str, object], progress: Progress | None
) -> Rows:
    function = record_function(name)
    parameters = inspect.signature(function).parameters
    allowed = [parameter for parameter in parameters if parameter != "progress"]
    _check_keys(dataset.args, allowed, "dataset.args")
    _check_keys(overrides, allowed)
    given: dict[str, Any] = {**dataset.args, **overrides}
    if "split" in parameters:
        given.setdefault("split", dataset.split)
    if "progress" in parameters:
        given["progress"] = progress
    try:
        return given_rows(name, function(**given))
    except (ValueError, TypeError, OSError) as error:
        if machine_reason(error):
            raise
        raise RequestError(
            f"{name}: {first_line(error)} (arguments come from dataset.args and -T key=value: "
            f"{', '.join(allowed)})"
        ) from error


def _from_hub(dataset: DatasetSpec, name: str, overrides: Mapping[str, object]) -> Rows:
    _check_keys(overrides, ("split", "config", "revision"))
    chosen = {"split": dataset.split, "config": dataset.config, "revision": dataset.revision, **overrides}
    config, revision = (None if chosen[key] is None else str(chosen[key]) for key in ("config", "revision"))
    try:
        return hub_rows(name, config, revision, str(chosen["split"]))
    except ModuleNotFoundError as error:
        raise RequestError(
            f"data set {name} is on the hub, and reading it needs the library {error.name!r}; "
            "pip install 'tunebench[hub]', or save the data set as parquet and declare `parquet: FILE`"
        ) from error
    except Exception as error:  # the hub's client has no common error: network, names, access, formats
        raise RequestError(
            f"data set {name} (config {config}, revision {revision}, split {chosen['split']}) cannot be "
            f"loaded: {first_line(error)}. Check these names and the network (the first use downloads it, "
            "later ones read the copy on disk), or save it as parquet and declare `parquet: FILE`"
        ) from error


def _from_file(dataset: DatasetSpec, overrides: Mapping[str, object]) -> Rows:
    _check_keys(overrides, ("path", "split"))
    own: Path = getattr(dataset, dataset.source)
    declared = Path(str(overrides.get("path", own))).expanduser()
    if "split" in overrides and "{split}" not in str(declared):
        raise RequestError(
            f"split={overrides['split']} was given, but {declared.name} is one file for all; write {{split}} "
            f"into dataset.{dataset.source}, or give the split's own file with -T path=FILE"
        )
    path = Path(str(declared).replace("{split}", str(overrides.get("split", dataset.split)))).absolute()
    if not path.is_file():
        raise RequestError(
            f"no file {path} (dataset.{dataset.source}); put it there, or give another with -T path=FILE"
        )
    try:
        return _FILES[dataset.source](path)
    except (ValueError, OSError) as error:
        raise _broken(path.name, error) from error


def _broken(source: str, error: Exception) -> RequestError:
    return RequestError(f"{source} cannot be read: {first_line(error)}")


def _check_keys(given: Iterable[str], allowed: Iterable[str], where: str = "-T") -> None:
    names = list(allowed)
    unknown = [key for key in given if key not in names]
    if unknown:
        hints = ", ".join(f"{key!r}{did_you_mean(key, names)}" for key in unknown)
        raise RequestError(f"{where} has no {hints} (allowed: {', '.join(names)})")


def _records(spec: TaskSpec, rows: Rows, progress: Progress | None) -> list[Record]:
    records: list[Record] = []
    present: set[str] = set()
    places: dict[str, list[str]] = defaultdict(list)
    first_mistake: str | None = None
    try:
        for row in rows.rows:
            present.update(row.fields)
            if row.mistake is not None and first_mistake is None:
                first_mistake = f"{row.where}: {row.mistake}"
            record = _record(spec, row, rows.folder)
            places[str(record["id"])].append(row.where)
            records.append(record)
            if progress is not None and rows.total is not None:
                progress(len(records), rows.total)
    except (ValueError, OSError) as error:
        raise _broken(rows.source, error) from error
    if records and not present:
        raise RequestError(f"no row of {rows.source} can be read; the first: {first_mistake}")
    if records:
        _check_fields(spec, rows.source, present)
    _check_ids(places)
    return records


def _check_fields(spec: TaskSpec, source: str, present: set[str]) -> None:
    """Every field that the declaration names must be in some row at least."""
    dataset = spec.dataset
    named = [("dataset.target", dataset.target), *(("dataset.image", name) for name in dataset.image)]
    if "id" in dataset.model_fields_set:
        named.append(("dataset.id", dataset.id))
    if dataset.choices is not None:
        named.append(("dataset.choices", dataset.choices))
    named += [("the prompt", name) for name in spec.prompt_fields]
    missing = [(user, name) for user, name in named if name not in present]
    if not missing:
        return
    said = ", ".join(f"{name!r} (named by {user}){did_you_mean(name, present)}" for user, name in missing)
    images = any(user == "dataset.image" for user, _ in missing)
    text_only = " For a task without images write `image: null`." if images else ""
    raise RequestError(f"no row of {source} has {said} (fields: {', '.join(sorted(present))}).{text_only}")


def _check_ids(places: Mapping[str, list[str]]) -> None:
    repeated = [(name, where) for name, where in places.items() if len(where) > 1]
    if repeated:
        shown = "; ".join(f"{name!r} in {', '.join(where[:_LISTED])}" for name, where in repeated[:_LISTED])
        more = f"; and {len(repeated) - _LISTED} more" if len(repeated) > _LISTED else ""
        raise RequestError(
            f"{len(repeated)} ids are not unique: {shown}{more}; give each record its own id, or name "
            "another field in dataset.id"
        )


def _record(spec: TaskSpec, row: Row, folder: Path) -> Record:
    """The record of a row; with `unreadable` when something in it cannot be used."""
    if row.mistake is not None:
        return {"id": f"row-{row.number}", "unreadable": f"{row.where}: {row.mistake}"}
    dataset = spec.dataset
    reasons: list[str] = []
    images: Record = {}
    for name in dataset.image:
        try:
            value = row.fields.get(name)
            absent = dataset.image_optional and (value is None or value == "" or value == [])
            images[name] = [] if absent else _images(value, folder)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
    known = {name: _plain(value) for name, value in row.fields.items() if name not in dataset.image}
    record: Record = {name: value for name, value in known.items() if value is not _BINARY}
    record.update(images)
    given = row.fields.get(dataset.target)
    try:
        record[dataset.target] = "" if dataset.target_optional and given in (None, "") else _target(given)
    except ValueError as error:
        reasons.append(f"{dataset.target}: {error}")
    if dataset.choices is not None and (mistake := _choices_mistake(record.get(dataset.choices))):
        reasons.append(f"{dataset.choices}: {mistake}")
    missing = [name for name in spec.prompt_fields if record.get(name) is None and name not in dataset.image]
    reasons += [f"{name}: missing, and the prompt shows it" for name in missing if name != dataset.target]
    identity = row.fields.get(dataset.id)
    record["id"] = str(row.number if identity is None else identity)
    if not isinstance(identity, str | int | None) or identity == "":
        record["id"] = f"row-{row.number}"
        reasons.append(f"{dataset.id}: an id is text or a whole number, not {identity!r}")
    if reasons:
        record["unreadable"] = f"{row.where}: {'; '.join(reasons)}"
    return record


def _images(value: object, folder: Path) -> object:
    """A field's image, or its list of images, as files; ValueError when one cannot be read."""
    if isinstance(value, list | tuple) and value:
        return [image_file(item, folder) for item in value]
    return image_file(value, folder)


def _choices_mistake(value: object) -> str | None:
    """What keeps a value from being a list of options, or None."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        return f"options are a list of texts, not {str(value)[:60]!r}"
    if not 2 <= len(value) <= 26:
        return f"{len(value)} options; a question has from 2 to 26"
    return None


def _target(value: object) -> str | list[str]:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("an empty list has no right answer")
        return [_answer(item) for item in value]
    return _answer(value)


def _answer(value: object) -> str:
    if value is None or value == "" or value != value:
        raise ValueError("missing, so nothing can be scored")
    if not isinstance(value, str | int | float | Decimal):
        raise ValueError(f"a right answer is text or a number, not a {type(value).__name__}")
    return str(value)


_BINARY = object()


def _plain(value: object) -> object:
    """A value as JSON has it, Paths left as they are; _BINARY for what has no such form and is left out."""
    if value is None or isinstance(value, str | int | float | Path):
        return value
    if isinstance(value, date | time | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        items = {str(key): _plain(below) for key, below in value.items()}
        return _BINARY if any(below is _BINARY for below in items.values()) else items
    if isinstance(value, list | tuple):
        listed = [_plain(item) for item in value]
        return _BINARY if any(item is _BINARY for item in listed) else listed
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return _plain(value.tolist())
    return _BINARY
