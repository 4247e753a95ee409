"""Digests that say whether two results measured the same thing.

All are SHA-256 in hexadecimal over text that is the same on every machine.

Canonical JSON below means: keys sorted, no spaces, characters as they are (UTF-8), numbers as Python's
`json` writes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bench.declarations.task_spec import TaskSpec


def image_digest(path: Path) -> str:
    """The digest of an image file's bytes, wherever it lies and whatever it is called."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def data_hash(
    records: Iterable[Mapping[str, object]],
    image_fields: Iterable[str],
    digests: Mapping[Path, str] = MappingProxyType({}),
) -> str:
    """The digest of a list of records and their images.

    Per record, in the order of their ids (as strings): its canonical JSON and a line feed. Every image (a
    value of an image field, and any other Path) is replaced by its `image_digest`; null stands for an image
    that cannot be read, and `true` for the reason in `unreadable`, which may name this machine's files. So
    the digest does not depend on paths or on the order of the records, and changes with any bit of what the
    model sees or is scored by. digests: those of images that are known already.
    """
    fields = frozenset(image_fields)
    known: dict[Path, str | None] = dict(digests)
    digest = hashlib.sha256()
    for record in sorted(records, key=lambda record: str(record["id"])):
        unreadable = "unreadable" in record
        content = {
            name: _replaced(value, known, force=name in fields, unreadable=unreadable)
            for name, value in record.items()
            if name != "unreadable"
        }
        if unreadable:
            content["unreadable"] = True
        digest.update(_canonical(content))
        digest.update(b"\n")
    return digest.hexdigest()


def prompt_hash(spec: TaskSpec, shots: str | None = None) -> str:
    """The digest of what turns a record into what the model is asked.

    It covers, as canonical JSON of one object: `prompt` and `system` as declared (before a record is filled
    in), `solver` as [name, arguments], and `image`, the image fields in the order in which the model sees
    them; with solved examples before the question also `shots`, their own digest. It leaves out the records
    (`data_hash`), the generation settings and the scorer.
    """
    content: dict[str, object] = {
        "prompt": spec.prompt,
        "system": spec.system,
        "solver": [spec.solver.name, spec.solver.args],
        "image": list(spec.dataset.image),
    }
    if shots is not None:
        content["shots"] = shots
    return hashlib.sha256(_canonical(content)).hexdigest()


def _canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _replaced(value: object, known: dict[Path, str | None], *, force: bool, unreadable: bool) -> object:
    """The value with images replaced; `force` takes text for an image's path."""
    if isinstance(value, Path) or (force and isinstance(value, str)):
        return _digest(Path(value), known, unreadable=unreadable)
    if isinstance(value, Mapping):
        return {
            str(name): _replaced(below, known, force=False, unreadable=unreadable)
            for name, below in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_replaced(item, known, force=force, unreadable=unreadable) for item in value]
    return value


def _digest(path: Path, known: dict[Path, str | None], *, unreadable: bool) -> str | None:
    """The digest of an image, once per file; of an unreadable record's image, null when it is not there."""
    if path not in known:
        try:
            known[path] = image_digest(path)
        except OSError:
            if not unreadable:
                raise
            known[path] = None
    return known[path]
