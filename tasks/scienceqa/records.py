"""Records of ScienceQA: from its official folder or from the hub, one form for both.

from tasks.scienceqa.records import scienceqa

for record in scienceqa("train", path="~/data/scienceqa", subset=2000):
    print(record["image"], record["question"], record["choices"], record["target"], record["solution"])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from tasks.arguments import check_allowed
from tasks.scienceqa.expected_counts import check_counts as check_row_counts
from tasks.scienceqa.sources import REVISION, SourceRow, folder_rows, hub_rows
from tasks.scienceqa.subset import BALANCED, subset_of
from tasks.splits import SPLITS, Split

Questions: TypeAlias = Literal["image", "text", "all"]

QUESTIONS = ("image", "text", "all")

_SUBJECTS = {"natural science": "NAT", "social science": "SOC", "language science": "LAN"}
_LAST_OF_THE_LOWER_GRADES = 6


def scienceqa(
    split: Split | str = "test",
    *,
    questions: Questions | str = "image",
    path: Path | str | None = None,
    revision: str = REVISION,
    subset: int | None = None,
    balanced: str | None = None,
    check_counts: bool = True,
) -> list[dict[str, object]]:
    """The questions of a split, in the order of their source.

    A record has `id`, `image` (path, the bytes of the file, or None), `question`, `choices` (list of
    texts), `hint`, `context_line` (the hint as the prompt shows it, or nothing), `target` (the letter of the
    right choice), `topic`, `subject` (NAT, SOC, LAN), `context` (all of TXT, IMG and NO that hold,
    as the official evaluation counts them), `grades` (G1-6, G7-12), `grade`, `category`, `skill`, and
    `lecture` and `solution`, which are for teachers and never part of a prompt.

    `questions` keeps those with an image, without, or all. `path` is a folder in the official layout
    (problems.json, pid_splits.json, SPLIT/ID/image.png); without it the data set comes from the hub, at
    `revision`. `subset` takes the first so many, or with `balanced` (topic, subject, grades) as many of
    each group as there are. Without a subset the counts must be those of the published data set;
    `check_counts=false` loads another set of the same form.

    Raises ValueError for an argument that is not allowed or counts that differ, OSError when the data are
    not there, with how to get them.
    """
    check_allowed("split", split, SPLITS)
    check_allowed("questions", questions, QUESTIONS)
    if balanced is not None:
        check_allowed("balanced", balanced, BALANCED)
    if not isinstance(check_counts, bool):
        raise ValueError(f"check_counts is true or false, not {check_counts!r}")
    rows = folder_rows(Path(path), split) if path is not None else hub_rows(revision, split)
    if check_counts and subset is None:
        check_row_counts(rows, split)
    kept = [row for row in rows if questions == "all" or (questions == "image") == row.has_image]
    return subset_of([_record(row) for row in kept], subset, balanced)


def _record(row: SourceRow) -> dict[str, object]:
    fields = row.fields
    hint = _text(fields, "hint")
    context = [name for name, holds in (("TXT", bool(hint)), ("IMG", row.has_image)) if holds]
    grade = int(_text(fields, "grade").removeprefix("grade") or 0)
    choices = fields.get("choices")
    return {
        "id": row.id,
        "image": row.image,
        "question": _text(fields, "question"),
        "choices": [" ".join(str(choice).split()) for choice in choices]
        if isinstance(choices, Sequence)
        else [],
        "hint": hint,
        "context_line": f"Context: {hint}\n" if hint else "",
        "target": chr(ord("A") + int(str(fields.get("answer", -1)))),
        "topic": _text(fields, "topic"),
        "subject": _SUBJECTS.get(_text(fields, "subject"), _text(fields, "subject")),
        "context": context or ["NO"],
        "grades": "G1-6" if grade <= _LAST_OF_THE_LOWER_GRADES else "G7-12",
        "grade": grade,
        "category": _text(fields, "category"),
        "skill": _text(fields, "skill"),
        "lecture": _text(fields, "lecture"),
        "solution": _text(fields, "solution"),
    }


def _text(fields: Mapping[str, object], name: str) -> str:
    """A field's text with its spaces normalised, as the paper has it; line breaks stay."""
    lines = str(fields.get(name) or "").strip().splitlines()
    return "\n".join(" ".join(line.split()) for line in lines)
