"""What a training method is given and what it gives back.

A method is what happens between an opened folder and a finished model: how examples become batches, what the
loss is, when it validates. All the rest (the folder and its resuming, overlaps, lineage, trackers, a machine
that gives out) is around every method alike, in `trainers.training`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers.data.examples import TrainData
from trainers.machine.watch import Watch
from trainers.models.base import Base
from trainers.recipe import TrainRecipe


@dataclass(frozen=True)
class Training:
    """One training, as its method gets it.

    folder: holds nothing but run.json, and after a kill the curve and the checkpoints up to `first_step`;
    of several processes all have the same. first_step: the step after which it goes on, 0 for a new one.
    report_to: names of trackers that are ready to be used.
    """

    recipe: TrainRecipe
    data: TrainData
    base: Base
    folder: Path
    watch: Watch
    first_step: int = 0
    report_to: Sequence[str] = ()


@dataclass(frozen=True)
class Method:
    """A way to train.

    train: leaves in the folder the model with its processor's files, as it is served, and the points of its
    curve; while it runs, checkpoint-<step> folders that appear whole. It returns what the lineage says of it,
    `steps` among that. ValueError when recipe, data and base do not fit together, NotFiniteError when the
    loss is no number; memory and disk may raise what they raise.

    preview: what `train` would do, as plain data, with everything done but the training itself; ValueError
    for what would also end the training.
    """

    train: Callable[[Training], dict[str, Any]]
    preview: Callable[[TrainRecipe, TrainData, Base, Watch], dict[str, Any]]
