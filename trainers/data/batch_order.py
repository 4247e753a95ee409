"""Which examples go into which optimizer step: a pure function of seed and step.

Every pass shuffles the examples anew, and a step takes the next `size` of them, across the end of a pass if
need be, so that all steps are full and the last rows are not seen less. With `grouped`, each stretch of
`_WINDOW` steps is sorted by length before it is cut and its steps are shuffled again: what is padded shrinks,
and which examples meet stays random. How a step is split over forward passes and processes does not enter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

# Steps sorted together. With 32 of them the padding of the nano's batches fell from 25.7% to 1.2%, though it
# learned more slowly at first (docs/decisions/0004-training.md); other widths were not compared there.
_WINDOW = 32


class Schedule:
    """The steps of a training.

    lengths: per example, what decides its cost; any tuples that sort (pictures first, then tokens).
    """

    def __init__(
        self, lengths: Sequence[tuple[int, ...]], *, size: int, steps: int, seed: int, grouped: bool
    ) -> None:
        if not lengths:
            raise ValueError("no examples")
        self._count = len(lengths)
        self._size = size
        self.steps = steps
        self._seed = seed
        ranks = {length: rank for rank, length in enumerate(sorted(set(lengths)))}
        self._rank = np.array([ranks[length] for length in lengths], dtype=np.int64)
        self._grouped = grouped
        self._passes: dict[int, NDArray[np.int64]] = {}
        self._windows: dict[int, list[NDArray[np.int64]]] = {}

    def step(self, number: int) -> NDArray[np.int64]:
        """The examples of a step, from 0; within it sorted by length when grouped."""
        if not self._grouped:
            return self._taken(number * self._size, self._size)
        window, place = divmod(number, _WINDOW)
        if window not in self._windows:
            self._windows = {window: self._window(window)}
        return self._windows[window][place]

    def from_step(self, first: int) -> Iterator[NDArray[np.int64]]:
        """The steps from `first` on."""
        return (self.step(number) for number in range(first, self.steps))

    def _window(self, window: int) -> list[NDArray[np.int64]]:
        taken = self._taken(window * _WINDOW * self._size, _WINDOW * self._size)
        rng = np.random.default_rng((self._seed, 1, window))
        # Ties in length are broken by chance, or equal lengths would meet in the order of the file.
        taken = taken[rng.permutation(len(taken))]
        taken = taken[np.argsort(self._rank[taken], kind="stable")]
        cut = [taken[start : start + self._size] for start in range(0, len(taken), self._size)]
        return [cut[place] for place in rng.permutation(len(cut))]

    def _taken(self, start: int, count: int) -> NDArray[np.int64]:
        """Items `start` to `start + count` of the endless list of shuffled passes."""
        pieces = []
        while count:
            number, offset = divmod(start, self._count)
            piece = self._pass(number)[offset : offset + count]
            pieces.append(piece)
            start += len(piece)
            count -= len(piece)
        return np.concatenate(pieces)

    def _pass(self, number: int) -> NDArray[np.int64]:
        if number not in self._passes:
            # A window rarely spans more than two passes; small data sets span many, and are cheap to shuffle.
            if len(self._passes) > 4:
                self._passes.clear()
            self._passes[number] = np.random.default_rng((self._seed, 0, number)).permutation(self._count)
        return self._passes[number]


class MicroBatches:
    """The batch sampler of a `DataLoader`: the schedule's steps, each cut into forward passes.

    Steps are cut so that pass `i` of `n` processes' round goes to process `i % n` (as accelerate deals them).
    """

    def __init__(self, schedule: Schedule, per_device: int, first: int = 0) -> None:
        self._schedule = schedule
        self._per_device = per_device
        self._first = first
        self._per_step = -(-len(schedule.step(first)) // per_device) if first < schedule.steps else 1
        self.batch_size = per_device
        self.drop_last = False  # accelerate reads it of any batch sampler

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._schedule.from_step(self._first):
            for start in range(0, len(step), self._per_device):
                yield step[start : start + self._per_device].tolist()

    def __len__(self) -> int:
        # The whole training's, also when it goes on at a later step: the Trainer counts steps with it.
        return self._schedule.steps * self._per_step
