"""Fields that several sections of a task.yaml have: names, files, texts with fields of a record in braces."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema

from bench.declarations.reading import quoted

_NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]
}


class Section(BaseModel):
    """A mapping in a task.yaml: frozen, every key known, every value of its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _names(value: object) -> object:
    """One name, a list of names or null, as the tuple it stands for."""
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise ValueError(f"give a name or a list of names, not {quoted(value)}")
    if "" in names:
        raise ValueError("holds an empty text; leave it out")
    return tuple(names)


def _file(value: object, info: ValidationInfo) -> object:
    """A path as declared, made absolute from the folder of the task.yaml."""
    if not isinstance(value, str | Path):
        return value
    path = Path(value).expanduser()
    return (info.context or {}).get("folder", Path()) / path


Names: TypeAlias = Annotated[
    tuple[str, ...], Field(strict=False), BeforeValidator(_names), WithJsonSchema(_NAMES_SCHEMA)
]
File: TypeAlias = Annotated[
    Path, Field(strict=True), BeforeValidator(_file), WithJsonSchema({"type": "string"})
]


def prompt_fields(prompt: str) -> tuple[str, ...]:
    """The fields named in a prompt; ValueError when a brace is out of place or holds more than a name."""
    try:
        pieces = list(Formatter().parse(prompt))
    except ValueError as error:
        raise ValueError(f"{error}; braces hold a field's name, and literal braces are doubled") from None
    fields: dict[str, None] = {}
    for _, name, form, conversion in pieces:
        if name is None:
            continue
        if form or conversion or not name.strip() or name.isdigit() or re.search(r"[.\[\]{}]", name):
            written = (
                "{" + name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "") + "}"
            )
            raise ValueError(
                f"{written} is not just a field's name; write {{name}}, and literal braces twice"
            )
        fields[name] = None
    return tuple(fields)
