"""A recipe, examples and a base checkpoint → a checkpoint that is served as it is, by the recipe's method.

    result = train(recipe, data, base=Path("checkpoints/base"), out=Path("checkpoints/nano/run-1"))

While it trains, everything is in `<out>.unfinished` (`trainers.loop.run_folder`). When it is done, that
folder becomes `out` by one rename: a folder without `.unfinished` is whole. A training that was killed goes
on with `resume=True`, from its last checkpoint, with the same batches, dropout and learning rates as if
nothing had happened.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers.data.examples import TrainData, examples_hash
from trainers.data.shared_examples import check_overlap
from trainers.lineage import Digest, git_commit, is_of, read_lineage, versions, write_lineage
from trainers.loop import curve_file
from trainers.loop.curve_file import NotFiniteError
from trainers.loop.run_folder import RUN, UNFINISHED, intermediate, last_step, opened
from trainers.loop.trackers import close_trackers, tracker_failure
from trainers.machine.processes import first_alone, is_first, together
from trainers.machine.quiet import quiet_libraries
from trainers.machine.reasons import OUT_OF_MEMORY, machine_reason
from trainers.machine.watch import Silent, Watch
from trainers.methods.contract import Training
from trainers.methods.declared import method_of
from trainers.models.base import Base
from trainers.recipe import TrainRecipe

# A lineage is copied into those of its children: a curve of so many points can still be drawn from it, and
# takes some 100 kB.
_HISTORY = 500


class TrainingStopped(RuntimeError):  # not a mistake in the request: the machine or a tracker gave out
    """Training could not go on; the last checkpoint is kept, and `resume` goes on from it."""


@dataclass(frozen=True)
class TrainResult:
    """What a training made. points: its curve. lineage: what lineage.json says."""

    folder: Path
    steps: int
    points: list[dict[str, Any]]
    lineage: dict[str, Any]


def train(
    recipe: TrainRecipe,
    data: TrainData,
    *,
    base: Path,
    out: Path,
    base_digest: str | None = None,
    digest: Digest | None = None,
    watch: Watch | None = None,
    resume: bool = False,
    allow_overlap: bool = False,
    report_to: Sequence[str] = (),
) -> TrainResult:
    """Train, write the checkpoint to `out`, and return what came out.

    base: the folder of the base checkpoint. base_digest: its name. digest: names what is made, in the
    lineage. Raises OverlapError when splits share an example, ValueError when the base, the data or the
    recipe do not fit together or `out` is taken, TrainingStopped when memory or disk gave out.
    """
    watch = watch or Silent()
    parent = read_lineage(base)
    if parent is not None and not is_of(parent, base_digest):
        watch.say(f"{base / 'lineage.json'} is about other weights than the base has now: left out")
        parent = None
    shared = check_overlap(data, allow_overlap)
    folder = out.with_name(out.name + UNFINISHED)
    identity = {
        "recipe_digest": recipe.digest,
        "data_hash": examples_hash(data.train),
        "validation_hash": examples_hash(data.validation),
        "base_digest": base_digest,
    }
    with first_alone():
        first = opened(folder, out, identity, recipe, resume) if is_first() else last_step(folder)
    if resume:
        watch.say(f"going on after step {first}" if first else "nothing to go on from: starting at step 0")
    with _MachineErrors(folder), quiet_libraries():
        loaded = Base(recipe, base)
        made = method_of(recipe).train(Training(recipe, data, loaded, folder, watch, first, report_to))
        lineage = {
            **_lineage(recipe, data, parent, identity, shared),
            **made,
            "loss_history": _thinned(curve_file.read_points(folder)),
        }
        together()
        if is_first():
            if digest is not None:
                made_of = (base, folder) if recipe.adapter else (folder, None)
                lineage["weights_digest"] = digest(*made_of)
            write_lineage(folder, lineage)
            points = curve_file.read_points(folder)
            curve_file.draw(points, folder / curve_file.PNG, f"{recipe.name}: {recipe.summary}")
            (folder / RUN).unlink(missing_ok=True)
            folder.replace(out)
        together()
        close_trackers(report_to)
    return TrainResult(out, int(lineage["steps"]), curve_file.read_points(out), lineage)


def preview(recipe: TrainRecipe, data: TrainData, base: Path, watch: Watch) -> dict[str, Any]:
    """What `train` would do, as plain data: everything is loaded and counted, and nothing is trained.

    Raises ValueError for what would also end the training. An overlap of splits is reported, not raised.
    """
    with quiet_libraries():
        return method_of(recipe).preview(recipe, data, Base(recipe, base), watch)


def _lineage(
    recipe: TrainRecipe,
    data: TrainData,
    parent: Mapping[str, Any] | None,
    identity: Mapping[str, Any],
    shared: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "recipe": recipe.as_plain(),
        **identity,
        "data": dict(data.described),
        "overlap_allowed": dict(shared),
        "commit": git_commit(Path(__file__).parent),
        "versions": versions(),
        "seed": recipe.seed,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "parent": parent,
    }


def _thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most _HISTORY points, the last one among them."""
    stride = -(-len(points) // _HISTORY) or 1
    return points[::-1][::stride][::-1]


class _MachineErrors:
    """Turns what a machine without memory or disk or a tracker raises into one TrainingStopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        request = isinstance(error, ValueError) and tracker_failure(error) is None
        if request and [path.name for path in self._folder.iterdir()] == [RUN]:
            shutil.rmtree(self._folder, ignore_errors=True)  # a mistake in the request: nothing was begun
        if error is None:
            return
        reason = f"{error}" if isinstance(error, NotFiniteError) else machine_reason(error)
        reason = reason or tracker_failure(error)
        if reason is None:
            return
        found = intermediate(self._folder)
        kept = f"{found[-1]} is kept" if found else "no checkpoint was written yet"
        if isinstance(error, NotFiniteError):
            reason += ": lower optimizer.learning_rate, or set precision: float32"
        elif found:
            kept += "; --resume goes on from there"
        if reason == OUT_OF_MEMORY:
            reason += ": lower batch.per_device or max_tokens, or set gradient_checkpointing: true"
        raise TrainingStopped(f"{reason}; {kept}") from error
