"""Solvers and scorers as a task.yaml says them: a name, `{name: arguments}`, or a list of those."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, NamedTuple, TypeAlias

from pydantic import (
    ConfigDict,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from bench.declarations.reading import quoted
from bench.declarations.yaml_lines import Place
from bench.errors import did_you_mean
from scorers.declared import SCORERS
from solvers.declared import SOLVERS

_ARGUMENTS = TypeAdapter(dict[str, JsonValue], config=ConfigDict(strict=True))


class NamedPart(NamedTuple):
    """A solver or scorer: its name and the arguments it gets."""

    name: str
    args: dict[str, JsonValue]


def _parts(value: object, known: Collection[str]) -> tuple[NamedPart, ...]:
    """`name`, `{name: args}` or a list of those; ValueError when it is none of these or a name is unknown."""
    items = value if isinstance(value, list | tuple) else [value]
    if not items:
        raise ValueError(f"is an empty list; give one or more of {', '.join(known)}")
    parts: list[NamedPart] = []
    mistakes: list[str] = []
    for item in items:
        try:
            parts.append(_part(item))
        except ValueError as error:
            mistakes.append(str(error))
    mistakes += [not_one_of(part.name, known) for part in parts if part.name not in known]
    if len({part.name for part in parts}) < len(parts):
        mistakes.append("names the same one twice; give each name once")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return tuple(parts)


def _part(item: object) -> NamedPart:
    if isinstance(item, NamedPart):
        return item
    if isinstance(item, str):
        return NamedPart(item, {})
    if isinstance(item, Mapping) and len(item) == 1:
        [(name, args)] = item.items()
        return NamedPart(str(name), _arguments(name, args))
    raise ValueError(f"give a name or {{name: {{key: value}}}}, not {item!r}")


def declared_parts(value: object) -> Iterator[tuple[Place, NamedPart]]:
    """What of a solver or scorer, as a YAML file has it, can be read: where it stands below its key."""
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        above = (str(number),) if isinstance(value, list) else ()
        with contextlib.suppress(ValueError):
            part = _part(item)
            yield (*above, part.name), part


def _arguments(name: object, args: object) -> dict[str, JsonValue]:
    if args is None:
        return {}
    try:
        return _ARGUMENTS.validate_python(args)
    except ValidationError:
        raise ValueError(
            f"the arguments of {name!r} are plain values such as {{key: value}}, not {quoted(args)}"
        ) from None


def not_one_of(name: str, known: Collection[str]) -> str:
    return f"{name!r} is not one of {', '.join(known)}{did_you_mean(name, known)}"


def one_solver(value: object) -> NamedPart:
    """A solver as a task.yaml may say it, `name` or `{name: args}`; ValueError when it is none of ours."""
    parts = _parts(value, SOLVERS)
    if len(parts) > 1 or (isinstance(value, list | tuple) and not isinstance(value, NamedPart)):
        raise ValueError("is a list; a task has one solver")
    return parts[0]


def _declared(part: NamedPart) -> str | dict[str, JsonValue]:
    """A part as a task.yaml says it."""
    return {part.name: part.args} if part.args else part.name


def _part_schema(known: Collection[str]) -> dict[str, Any]:
    arguments = {"type": ["object", "null"]}
    return {
        "anyOf": [
            {"enum": list(known)},
            {
                "type": "object",
                "properties": dict.fromkeys(known, arguments),
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _several(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*schema["anyOf"], {"type": "array", "items": schema, "minItems": 1}]}


Solver: TypeAlias = Annotated[
    NamedPart, PlainValidator(one_solver), PlainSerializer(_declared), WithJsonSchema(_part_schema(SOLVERS))
]
Scorers: TypeAlias = Annotated[
    tuple[NamedPart, ...],
    PlainValidator(lambda value: _parts(value, SCORERS)),
    PlainSerializer(lambda parts: [_declared(part) for part in parts]),
    WithJsonSchema(_several(_part_schema(SCORERS))),
]
