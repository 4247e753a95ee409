"""Examples about one picture in one row, so that the picture is encoded once for all of them.

A row begins with what its examples share: everything up to and including the picture, and as much of the
prompts as is equal. Then comes the rest of each example. A token sees the shared beginning and its own
example only, and its position is the one that it has when the example stands alone: so the model computes
for each example what it computes without packing, and what it is asked when it is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.data.collator import IGNORED, Collator, padded
from trainers.data.encoding import Encoded, EncodedData, Ids


@dataclass(frozen=True)
class Packed(Encoded):
    """Examples about one picture: the first `shared` tokens of each are equal and stand there once."""

    rows: tuple[Encoded, ...] = ()
    shared: int = 0

    @property
    def trained(self) -> Ids:
        """The tokens that the loss is computed on."""
        return np.concatenate([row.trained for row in self.rows])

    @cached_property
    def labels(self) -> Ids:
        """The token at each place that is trained on, else IGNORED."""
        made = [np.full(self.shared, IGNORED)]
        for row in self.rows:
            made += [np.full(row.prompt_length - self.shared, IGNORED), row.trained]
        return np.concatenate(made)

    @cached_property
    def positions(self) -> Ids:
        """The position of each token in its own example."""
        own = [np.arange(self.shared, len(row.ids)) for row in self.rows]
        return np.concatenate([np.arange(self.shared), *own])

    @cached_property
    def members(self) -> Ids:
        """Which example each token belongs to, from 1; 0 for what all share."""
        lengths = [self.shared, *(len(row.ids) - self.shared for row in self.rows)]
        return np.repeat(np.arange(len(lengths)), lengths)


def packed(data: EncodedData, image_token: int | None) -> EncodedData:
    """The examples of `data` with those about one picture in one row, in the order of their first ones.

    ValueError for a model that gets more per token than the token (Qwen's positions in space).
    """
    groups: dict[object, list[Encoded]] = {}
    for row in data.rows:
        if row.aligned:
            raise ValueError(
                f"batch.packed: this model also reads {', '.join(row.aligned)} for each token, which packing "
                "cannot give it; leave batch.packed out"
            )
        start = 0
        if image_token is not None and (places := np.flatnonzero(row.ids == image_token)).size:
            start = int(places[-1]) + 1
        # Without a picture, or with other words before it, there is nothing to be encoded once.
        key = (row.picture, row.ids[:start].tobytes()) if row.picture is not None else len(groups)
        groups.setdefault(key, []).append(row)
    return EncodedData([_row(tuple(rows)) for rows in groups.values()], data.pixels, data.dropped)


class PackedCollator(Collator):
    """Collates packed rows."""

    def tokens(self, rows: Sequence[Any], width: int) -> dict[str, NDArray[Any]]:
        """input_ids, labels and position_ids, and attention_mask of shape (rows, 1, width, width)."""
        members = padded([row.members for row in rows], width, -1)
        seen = np.tril(np.ones((width, width), dtype=np.bool_))
        mask = (members[:, :, None] == members[:, None, :]) | (members[:, None, :] == 0)
        return {
            "input_ids": padded([row.ids for row in rows], width, self.pad_id),
            "position_ids": padded([row.positions for row in rows], width, 0),
            "labels": padded([row.labels for row in rows], width, IGNORED),
            "attention_mask": (mask & seen)[:, None],
        }


def _row(rows: tuple[Encoded, ...]) -> Packed:
    first, shared = rows[0], _shared(rows)
    return Packed(
        id=" ".join(row.id for row in rows),
        ids=np.concatenate([first.ids[:shared], *(row.ids[shared:] for row in rows)]),
        prompt_length=shared,
        picture=first.picture,
        images=first.images,
        cells=first.cells,
        rows=rows,
        shared=shared,
    )


def _shared(rows: Sequence[Encoded]) -> int:
    """How many tokens all prompts begin with; of a single row, those before its first trained one."""
    first = rows[0]
    shared = min(row.prompt_length for row in rows) - 1
    for row in rows[1:]:
        differs = np.flatnonzero(first.ids[:shared] != row.ids[:shared])
        shared = int(differs[0]) if differs.size else shared
    return shared
