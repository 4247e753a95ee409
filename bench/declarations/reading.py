"""A declaration in YAML → a frozen object, or every mistake in it at once, each with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bench.declarations.yaml_lines import Declaration, Place, Problem, read_declaration
from bench.errors import did_you_mean

M = TypeVar("M", bound=BaseModel)

Details = Sequence[ErrorDetails]
Unseen = Callable[[Details, Declaration], list[Problem]]
"""Finds mistakes about a whole section that other mistakes in it kept pydantic from looking for."""


def checked(
    model: type[M],
    path: Path,
    *,
    changes: Mapping[Place, object] | None = None,
    unseen: Unseen | None = None,
    folder: Path | None = None,
) -> tuple[M | None, list[Problem]]:
    """What a file declares, and every mistake in it in the order of its lines; no object when there is one.

    changes: values that the command line puts in the place of the file's; a mistake in one has line 0.
    Paths in the file are relative to its folder, or to `folder`. RequestError when the file cannot be opened.
    """
    declared = read_declaration(path)
    for place, value in (changes or {}).items():
        _put(declared, place, value)
    problems = list(declared.problems)
    made = None
    if declared.lines or not problems:
        try:
            made = model.model_validate(
                declared.data, context={"folder": folder or path.expanduser().absolute().parent}
            )
        except ValidationError as error:
            details = error.errors(include_url=False)
            problems += [_problem(model, detail, declared) for detail in details]
            problems += unseen(details, declared) if unseen else []
    problems.sort(key=lambda problem: problem.line)
    return (None if problems else made), problems


def _put(declared: Declaration, place: Place, value: object) -> None:
    """Put a value at a place, with mappings made on the way."""
    inside: dict[str, object] = declared.data
    for depth, key in enumerate(place[:-1], start=1):
        below = inside.get(key)
        if not isinstance(below, dict):
            below = {}
            inside[key] = below
            declared.lines[place[:depth]] = 0
        inside = below
    inside[place[-1]] = value
    declared.lines[place] = 0


def _problem(model: type[BaseModel], detail: ErrorDetails, declared: Declaration) -> Problem:
    """What pydantic found, in our words and with its line."""
    place = tuple(str(step) for step in detail["loc"])
    return Problem(declared.line(place), _message(model, detail, place))


def _message(model: type[BaseModel], detail: ErrorDetails, place: Place) -> str:
    dotted = ".".join(place)
    section = _section(model, place[:-1])
    match detail["type"]:
        case "extra_forbidden":
            allowed = list(section.model_fields)
            where = f" in {'.'.join(place[:-1])}" if place[:-1] else ""
            return (
                f"unknown key {place[-1]!r}{where}{did_you_mean(place[-1], allowed)} "
                f"(allowed: {', '.join(allowed)})"
            )
        case "missing":
            return f"{dotted} is missing: {section.model_fields[place[-1]].description}"
        case "value_error":
            said = detail["msg"].removeprefix("Value error, ")
            return f"{dotted}: {said}" if dotted else said
        case "string_pattern_mismatch" | "string_too_short":
            return (
                f"{dotted}: {detail['input']!r} is not allowed: {section.model_fields[place[-1]].description}"
            )
        case "model_type":
            return f"{dotted}: should be a mapping, `key: value` lines, not {quoted(detail['input'])}"
        case "literal_error":
            expected = str((detail.get("ctx") or {}).get("expected", ""))
            near = did_you_mean(
                str(detail["input"]), [name.strip(" '") for name in expected.replace(" or ", ",").split(",")]
            )
            return f"{dotted}: should be {expected}, not {quoted(detail['input'])}{near}"
        case _:
            said = detail["msg"].replace("Input should be", "should be").replace("Input ", "")
            number = isinstance(detail["input"], bool | int | float)
            quotes = "; put it in quotes" if detail["type"] == "string_type" and number else ""
            return f"{dotted}: {said}, not {quoted(detail['input'])}{quotes}"


def _section(model: type[BaseModel], place: Place) -> type[BaseModel]:
    """The section of a declaration that a place leads to, or the nearest one around it."""
    for key in place:
        field = model.model_fields.get(key)
        below = _model_in(field.annotation) if field else None
        if below is None:
            break
        model = below
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `Section` or `Section | None`."""
    choices = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    for choice in choices:
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def quoted(value: object) -> str:
    """A value as a message quotes it: at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
