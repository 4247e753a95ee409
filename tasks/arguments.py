"""What users give to record functions, checked: names out of a list, whole numbers, how many of how many.

They come as Python values, or as texts where they were typed behind `-T`. A ValueError names the argument.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def chosen(argument: str, given: Iterable[str] | str, allowed: Sequence[str]) -> tuple[str, ...]:
    """The names in `given`, a list or one text with commas, without repetition; each is allowed."""
    names = given.split(",") if isinstance(given, str) else [str(name) for name in given]
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise ValueError(f"{argument} is empty; give one or more of {', '.join(allowed)}")
    for name in names:
        check_allowed(argument, name, allowed)
    return tuple(dict.fromkeys(names))


def check_allowed(argument: str, given: str, allowed: Sequence[str]) -> None:
    """ValueError with the nearest allowed name when `given` is none of them."""
    if given not in allowed:
        near = difflib.get_close_matches(given, allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{argument}: {given!r} is not one of {', '.join(allowed)}{hint}")


def whole(argument: str, given: int | str, least: int | None = None, most: int | None = None) -> int:
    """`given` as a whole number between the bounds."""
    try:
        if isinstance(given, bool) or (isinstance(given, float) and given != int(given)):
            raise ValueError
        value = int(given)
    except (TypeError, ValueError):
        raise ValueError(f"{argument} must be a whole number, not {given!r}") from None
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{argument} must be {bounds}, not {value}")
    return value


def drawn(items: Sequence[T], size: int | str, seed: int | str) -> list[T]:
    """`size` of the items in their order, drawn with `seed`; all for "all" and where there are no more."""
    if size == "all":
        return list(items)
    if isinstance(size, str) and not size.strip().lstrip("-").isdecimal():
        raise ValueError(f"size is a whole number or all, not {size!r}")
    count, start = whole("size", size, 1), whole("seed", seed)
    if count >= len(items):
        return list(items)
    return [items[place] for place in sorted(Random(start).sample(range(len(items)), count))]
