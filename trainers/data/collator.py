"""Encoded examples → the tensors of one forward pass.

Tokens are padded on the right. Whatever else the processor made is joined along its first axis, with zeros
where pictures differ in their number of tiles: so Idefics3 and SmolVLM (1, tiles, 3, height, width), LLaVA
(pictures, 3, height, width) and Qwen's patches (patches, values) all need no rule of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainers.data.encoding import Encoded, EncodedData

if TYPE_CHECKING:
    import torch

IGNORED = -100
"""The label of a token that is not trained on."""

POSITIONS = "positions"
"""In a batch without pixels: which rows of the data it holds."""


class Collator:
    """Collates the rows of `data`, given by their positions.

    pixels: whether the batch has its pictures' pixels; without, it has the positions themselves.
    """

    def __init__(self, data: EncodedData, *, pad_id: int) -> None:
        self.data = data
        self.pad_id = pad_id
        self.pixels = True

    def __call__(self, positions: Sequence[int]) -> dict[str, torch.Tensor]:
        """input_ids, attention_mask, labels and the model's other inputs, one row an example.

        ValueError when a row has no trained token: its loss would be 0, and training would "succeed".
        """
        import torch

        rows = [self.data.rows[position] for position in positions]
        untrained = [row.id for row in rows if len(row.trained) == 0]
        if untrained:
            raise ValueError(f"no trained token in {', '.join(untrained[:5])}")
        batch = self.tokens(rows, max(len(row.ids) for row in rows))
        if self.pixels:
            found = [self.data.pixels.arrays(row.picture) for row in rows if row.picture is not None]
            for name in {name for arrays in found for name in arrays}:
                batch[name] = joined([arrays[name] for arrays in found])
        else:
            batch[POSITIONS] = np.array(positions, dtype=np.int64)
        return {name: torch.from_numpy(array) for name, array in batch.items()}

    def tokens(self, rows: Sequence[Any], width: int) -> dict[str, NDArray[Any]]:
        """Everything that has one value a token, padded to `width`."""
        batch = {
            "input_ids": padded([row.ids for row in rows], width, self.pad_id),
            "attention_mask": padded([np.ones(len(row.ids), dtype=np.int64) for row in rows], width, 0),
            "labels": padded([_labels(row) for row in rows], width, IGNORED),
        }
        for name in {name for row in rows for name in row.aligned}:
            values = [row.aligned.get(name, np.zeros(0, dtype=np.int64)) for row in rows]
            batch[name] = padded(values, width, 0)
        return batch


def _labels(row: Encoded) -> NDArray[np.int64]:
    return np.concatenate([np.full(row.prompt_length, IGNORED), row.trained])


def padded(rows: Sequence[NDArray[np.int64]], width: int, filling: int) -> NDArray[np.int64]:
    """Rows of different lengths as one array (rows, width), filled up on the right."""
    made = np.full((len(rows), width), filling, dtype=np.int64)
    for place, row in enumerate(rows):
        made[place, : len(row)] = row
    return made


def joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays along their first axis, the other axes padded with zeros to the largest."""
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) == 1:
        return np.concatenate(arrays)
    largest = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    made = np.zeros((sum(len(array) for array in arrays), *largest), dtype=arrays[0].dtype)
    start = 0
    for array in arrays:
        place = (slice(start, start + len(array)), *(slice(0, size) for size in array.shape[1:]))
        made[place] = array
        start += len(array)
    return made
