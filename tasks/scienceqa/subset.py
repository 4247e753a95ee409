"""A part of the records: the first so many, or as evenly from each group as there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, zip_longest

Record = dict[str, object]

BALANCED = ("topic", "subject", "grades")


def subset_of(records: Sequence[Record], size: int | None, balanced: str | None) -> list[Record]:
    """The first `size` records, in their order; all without a size.

    balanced: a field whose groups take turns, so that each has as many as the others until it is used up.
    ValueError for a size that is no whole number from 1 up, or more than there are.
    """
    if size is None:
        if balanced is not None:
            raise ValueError("balanced goes with a subset; give subset=SIZE as well")
        return list(records)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ValueError(f"subset is a whole number from 1 up, not {size!r}")
    if size > len(records):
        raise ValueError(f"subset={size}, and there are {len(records)} questions")
    if balanced is None:
        return list(records[:size])
    groups: dict[object, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        groups[record[balanced]].append(place)
    turns = chain.from_iterable(zip_longest(*groups.values()))
    chosen = [place for place in turns if place is not None][:size]
    return [records[place] for place in sorted(chosen)]
