"""Records of VQAonline (Chen et al. 2023): from a folder in its layout or from the hub, one form for both.

from tasks.vqaonline.records import vqaonline

for record in vqaonline("val", path="~/data/VQAonline", size="all"):
    print(record["topic"], record["question"], record["context"], record["image"], record["target"])
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tasks.arguments import drawn
from tasks.vqaonline.sources import REVISION, folder_source, hub_source

_SPLITS = ("train", "val", "test")


def vqaonline(
    split: str = "test",
    *,
    path: Path | str | None = None,
    revision: str = REVISION,
    size: int | str = "all",
    seed: int | str = 1,
    topics: Iterable[str] | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, object]]:
    """The questions of a split (train 665, val 285, test 63,746 of the published data set), in its order.

    A record has `id` (the row's own, else split and row number), `question`, `context` (what the asker
    wrote beside it, may be empty), `context_line` (as the prompt shows it, or nothing), `image` (path),
    `target` (the accepted answer), `topic` and `url` ("" where the row has none).

    `path` is a folder as `git clone` of the data set makes it: SPLIT.json, a list of objects with
    `question`, `context`, `answer`, `image` (a file name) and `topic`; and the pictures in one or more
    folders whose names begin with `images`. Without it the data set comes from the hub, at `revision`, and
    only the pictures that are needed. `topics` are names, or one string with commas; `size` a number or
    "all": so many rows drawn with `seed`. `progress` is called with the pictures fetched and wanted.

    Raises ValueError for an argument that is not allowed or rows of another form, OSError when the data are
    not there, with how to get them.
    """
    split = "val" if split == "validation" else split
    if split not in _SPLITS:
        raise ValueError(f"split {split!r} is not one of {', '.join(_SPLITS)}")
    source = hub_source(revision, split) if path is None else folder_source(Path(path).expanduser(), split)
    rows = [(number, _checked(row, source.name, number)) for number, row in enumerate(source.rows)]
    if topics is not None:
        wanted = _known_topics(topics, [row for _, row in rows])
        rows = [(number, row) for number, row in rows if _text(row, "topic") in wanted]
    rows = drawn(rows, size, seed)
    pictures = source.pictures([_text(row, "image") for _, row in rows], progress)
    return [_record(row, f"{split}-{number:05d}", pictures) for number, row in rows]


def _checked(row: object, source: str, number: int) -> Mapping[str, object]:
    if not isinstance(row, Mapping):
        raise ValueError(f"{source}: row {number} is no object but {type(row).__name__}")
    missing = [name for name in ("question", "answer", "image") if name not in row]
    if missing:
        has = ", ".join(map(str, row)) or "nothing"
        raise ValueError(f"{source}: row {number} has no {', '.join(missing)} (it has {has})")
    return row


def _known_topics(topics: Iterable[str] | str, rows: Sequence[Mapping[str, object]]) -> set[str]:
    named = topics.split(",") if isinstance(topics, str) else list(topics)
    wanted = {name.strip() for name in named if name.strip()}
    there = sorted({_text(row, "topic") for row in rows})
    for name in sorted(wanted - set(there)):
        near = difflib.get_close_matches(name, there, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"topics: {name!r} is not one of the {len(there)}: {', '.join(there)}{hint}")
    if not wanted:
        raise ValueError("topics is empty; leave it out for all")
    return wanted


def _record(row: Mapping[str, object], number: str, pictures: Mapping[str, Path | None]) -> dict[str, object]:
    context = _text(row, "context")
    return {
        "id": str(row.get("id") or number),
        "image": pictures.get(_text(row, "image")),
        "question": _text(row, "question"),
        "context": context,
        "context_line": f"Context: {context}\n\n" if context else "",
        "target": _text(row, "answer"),
        "topic": _text(row, "topic") or "(none)",
        "url": _text(row, "url"),
    }


def _text(row: Mapping[str, object], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
