"""The order in which people expect numbered names: s2 before s10."""

from __future__ import annotations

import itertools
from typing import Any


def natural_order(name: str) -> tuple[Any, ...]:
    """A sort key by which numbers within a name stand in their order.

    >>> sorted(["s10", "s2"], key=natural_order)
    ['s2', 's10']
    """
    parts = ["".join(group) for _, group in itertools.groupby(name, str.isdecimal)]
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
