"""Holding examples back for validation, so that nothing in them is trained on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from trainers.data.examples import TrainExample, image_key


def hold_back(
    examples: Sequence[TrainExample], size: int, seed: int
) -> tuple[list[TrainExample], list[TrainExample]]:
    """(train, validation): about `size` examples for validation, and at most a tenth of all.

    Examples that share a picture, a source or (without pictures) a prompt go to the same side. Which side
    does not depend on their order.
    """
    wanted = min(size, len(examples) // 10)
    if wanted == 0:
        return list(examples), []
    groups = _groups(examples)
    order = sorted(groups, key=lambda group: _chance(examples[group[0]], seed))
    held: set[int] = set()
    for group in order:
        if len(held) + len(group) <= wanted:
            held.update(group)
        if len(held) == wanted:
            break
    train = [example for place, example in enumerate(examples) if place not in held]
    return train, [examples[place] for place in sorted(held)]


def _chance(example: TrainExample, seed: int) -> str:
    return hashlib.sha256(f"{seed}/{'/'.join(_shared(example))}".encode("utf-8", "surrogatepass")).hexdigest()


def _shared(example: TrainExample) -> Iterator[str]:
    for path in example.images:
        yield image_key(path)
    yield from example.sources
    if not example.images:
        yield " ".join(example.prompt.split())


def _groups(examples: Sequence[TrainExample]) -> list[list[int]]:
    """Positions of examples that are linked by what they share, however indirectly."""
    leader = list(range(len(examples)))

    def find(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    first: dict[str, int] = {}
    for place, example in enumerate(examples):
        for key in _shared(example):
            leader[find(place)] = find(first.setdefault(key, place))
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(len(examples)):
        groups[find(place)].append(place)
    return list(groups.values())
