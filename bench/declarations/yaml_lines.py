"""YAML read with the line of every key, so that each mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

import yaml

from bench.errors import RequestError

Place: TypeAlias = tuple[str, ...]
"""Where a value stands: the keys (and, in lists, the positions) that lead to it."""


class Problem(NamedTuple):
    """One mistake in a file: lines and columns count from 1."""

    line: int
    message: str
    column: int | None = None

    def at(self, path: Path) -> str:
        """`path:line: message`, with the column where there is one."""
        column = "" if self.column is None else f"{self.column}:"
        return f"{path}:{self.line}:{column} {self.message}"


@dataclass(frozen=True)
class Declaration:
    """A YAML mapping as plain data, the line of each of its keys, and what is wrong with it as YAML."""

    data: dict[str, object] = field(default_factory=dict)
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it when the place itself is not in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_declaration(path: Path) -> Declaration:
    """The mapping in a YAML file. Its mistakes are returned; RequestError when it cannot be opened."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RequestError(f"no file {path}; give the path of a YAML file that exists") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Declaration(problems=[Problem(line, "not UTF-8 text; save the file as UTF-8")])
    return _parse(text)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader as it comes: lm-format-enforcer, which vLLM imports, reads dates as text in it."""


def _date(loader: _Loader, node: yaml.ScalarNode) -> object:
    return loader.construct_yaml_timestamp(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)


def _parse(text: str) -> Declaration:
    lines: dict[Place, int] = {}
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return Declaration(problems=[Problem(1, "not a mapping; write `key: value` lines")])
        for place, line, earlier in _keys(node, (), set()):
            if earlier is not None:
                problems.append(Problem(line, f"key {place[-1]!r} is given twice, first in line {earlier}"))
            lines.setdefault(place, line)
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Declaration(problems=[*problems, Problem(line, f"not valid YAML: {what}", column)])
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return Declaration(problems=[Problem(line, f"not valid YAML: {error.reason}")])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Declaration(problems=[*problems, Problem(1, f"not valid YAML: {error}")])
    return Declaration(data, lines, problems)


def _keys(node: yaml.Node, place: Place, seen: set[int]) -> Iterator[tuple[Place, int, int | None]]:
    """Each key with its place and line, and the line where its mapping had the same key before."""
    if id(node) in seen:  # an alias of what was walked already, possibly of what it stands in
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            below = (*place, name)
            yield below, line, first.get((key.tag, name)) if name != "<<" else None
            first.setdefault((key.tag, name), line)
            yield from _keys(value, below, seen)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            below = (*place, str(position))
            yield below, item.start_mark.line + 1, None
            yield from _keys(item, below, seen)
