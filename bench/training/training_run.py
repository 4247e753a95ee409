"""Recipe → checkpoint: the recipe's data and base are found, trained on, and the result can be scored."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.declarations.recipes import check_data_is_there, find_recipe
from bench.errors import IncompleteRunError, RequestError, did_you_mean
from bench.serving.checkpoint import Checkpoint, find_checkpoint
from bench.serving.digests import checkpoint_digest
from trainers.loop.trackers import TRACKERS, missing, open_trackers
from trainers.machine.processes import NotAsAskedError, first_alone
from trainers.machine.reasons import machine_reason
from trainers.recipe import TrainRecipe

if TYPE_CHECKING:
    from trainers.data.examples import TrainData
    from trainers.training import TrainResult

CHECKPOINTS = Path("checkpoints")


class TrainShow(Protocol):
    """Who is told how a training goes; a `trainers.machine.watch.Watch` that also hears of the records."""

    def say(self, line: str) -> None: ...
    def preparing(self, done: int, total: int) -> None: ...
    def point(self, point: Mapping[str, Any]) -> None: ...
    def records(self, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class TrainRequest:
    """What `bench train` was asked for. changes: the values of --set, by dotted key.

    dataset_args: -T, arguments of the records that the checkpoint is scored on and compared with.
    """

    recipe: str
    changes: Mapping[str, object] = field(default_factory=dict)
    out: Path | None = None
    resume: bool = False
    max_steps: int | None = None
    evaluate: tuple[str, ...] = ()
    dataset_args: Mapping[str, object] = field(default_factory=dict)
    report_to: tuple[str, ...] = ()
    allow_overlap: bool = False
    trust_remote_code: bool = False


def resolved(request: TrainRequest) -> TrainRecipe:
    """The recipe as it will be trained; RequestError with every mistake in it."""
    changes = dict(request.changes)
    if request.max_steps is not None:
        changes.update({"steps": request.max_steps, "epochs": None})
    recipe = find_recipe(request.recipe, changes)
    if recipe.base.trust_remote_code and not request.trust_remote_code:
        raise RequestError(
            f"recipe {recipe.name!r} runs code that comes with {recipe.base.checkpoint}; read it, then "
            "allow it with --trust-remote-code"
        )
    return recipe


def base_checkpoint(recipe: TrainRecipe) -> Checkpoint:
    """The files of the recipe's base; RequestError when it is unavailable or is itself an adapter."""
    name = recipe.base.checkpoint
    try:
        found = find_checkpoint(name, revision=recipe.base.revision)
    except RequestError as error:
        raise RequestError(f"base.checkpoint: {str(error).removeprefix('--model ')}") from error
    if found.adapter is not None:
        raise RequestError(
            f"base.checkpoint: {name} is an adapter; merge it first (`bench merge {name}`), and train on that"
        )
    return found


def run_training(request: TrainRequest, show: TrainShow) -> TrainResult:
    """Train a recipe into a checkpoint folder.

    Raises RequestError when recipe, data, base and folder do not fit together, IncompleteRunError when the
    machine gave out; what was trained is kept, and the same request with `resume` goes on.
    """
    recipe = resolved(request)
    out = request.out or new_folder(recipe, resume=request.resume)
    if out.exists():  # said before records are drawn
        raise RequestError(f"--out {out}: exists already; give another folder, or remove it")
    check_data_is_there(recipe)  # before a base is fetched from the hub
    _check_installed()
    base = base_checkpoint(recipe)
    try:
        open_trackers(request.report_to)
    except ValueError as error:
        raise RequestError(str(error)) from error
    except ConnectionError as error:
        raise IncompleteRunError(str(error)) from error
    from trainers.data.shared_examples import OverlapError
    from trainers.training import TrainingStopped, train

    with first_alone():  # the others find its records drawn
        data = _data(request, recipe, show)
    for name, reason in data.described["held_out_unchecked"].items():
        show.say(f"overlap with the test split of {name} is not checked: {reason}")
    try:
        return train(
            recipe,
            data,
            base=base.folder,
            out=out,
            base_digest=base.digest,
            digest=checkpoint_digest,
            watch=show,
            resume=request.resume,
            allow_overlap=request.allow_overlap,
            report_to=request.report_to,
        )
    except OverlapError as error:
        raise RequestError(
            f"{error}\nA score on them would measure memory. Take them out of the training data; or allow it "
            "with --allow-overlap, which the lineage then records"
        ) from error
    except (TrainingStopped, NotAsAskedError) as error:
        raise IncompleteRunError(str(error)) from error
    except ImportError as error:
        raise _missing(error.name) from error
    except ValueError as error:
        raise RequestError(str(error)) from error


def describe_training(request: TrainRequest, show: TrainShow) -> dict[str, Any]:
    """What `run_training` would do, with everything but the training itself really done."""
    recipe = resolved(request)
    check_data_is_there(recipe)  # before a base is fetched from the hub
    _check_installed()
    base = base_checkpoint(recipe)
    data = _data(request, recipe, show)
    try:
        from trainers.training import preview

        return preview(recipe, data, base.folder, show)
    except ImportError as error:
        raise _missing(error.name) from error
    except ValueError as error:
        raise RequestError(str(error)) from error
    except Exception as error:  # torch raises a RuntimeError for a memory that is full
        if reason := machine_reason(error):
            raise IncompleteRunError(f"{reason} while the base was loaded") from error
        raise


def new_folder(recipe: TrainRecipe, *, resume: bool) -> Path:
    """checkpoints/<recipe>/<run>: a new one named for the time, or the newest unfinished one."""
    from trainers.loop.run_folder import UNFINISHED

    home = CHECKPOINTS / recipe.name
    if resume:
        found = sorted(home.glob(f"*{UNFINISHED}"), key=lambda folder: folder.stat().st_mtime)
        if not found:
            raise RequestError(f"--resume: no unfinished training in {home}; give its folder with --out")
        return found[-1].with_name(found[-1].name.removesuffix(UNFINISHED))
    return home / time.strftime("%Y-%m-%dT%H-%M-%S")


def _data(request: TrainRequest, recipe: TrainRecipe, show: TrainShow) -> TrainData:
    # Imported only now: a mistake in the recipe is said at once, without the libraries that read data.
    from bench.training.training_data import training_data

    return training_data(
        recipe,
        also_held_out=request.evaluate,
        held_out_args=request.dataset_args,
        progress=show.records,
    )


def _check_installed() -> None:
    """Said before anything is fetched or drawn; looked for and not imported, which takes seconds."""
    for name in ("torch", "transformers", "accelerate"):
        if find_spec(name) is None:
            raise _missing(name)


def _missing(library: str | None) -> RequestError:
    return RequestError(f"training needs {library}; install tunebench[train]")


def report_names(given: Sequence[str]) -> tuple[str, ...]:
    """The trackers of --report-to; RequestError for one that is unknown or not installed."""
    for name in given:
        if name not in TRACKERS:
            raise RequestError(
                f"--report-to {name}: not one of {', '.join(TRACKERS)}{did_you_mean(name, TRACKERS)}"
            )
        if missing(name):
            raise RequestError(f"--report-to {name}: not installed; pip install {name}")
    return tuple(given)
