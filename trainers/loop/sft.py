"""Supervised fine-tuning: a recipe, examples and a base checkpoint → a checkpoint that is served as it is.

    result = train(recipe, data, base=Path("checkpoints/base"), out=Path("checkpoints/nano/run-1"))

While it trains, everything is in `<out>.unfinished`: the curve, checkpoint-<step> folders, run.json. When it
is done, that folder becomes `out` by one rename: a folder without `.unfinished` is whole. A training that was
killed goes on with `resume=True`, from its last checkpoint, with the same batches, dropout and learning rates
as if nothing had happened.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.cache import cache_folder
from trainers.data.encoding import EncodedData, Encoder, pictures_digest
from trainers.data.examples import TrainExample, data_hash
from trainers.data.pixels import MappedStore, sweep
from trainers.data.shared_examples import overlaps
from trainers.lineage import Digest, git_commit, is_of, read_lineage, versions, write_lineage
from trainers.loop import curves
from trainers.loop.trackers import finish, tracker_failure
from trainers.machine.processes import first_alone, is_first, join, running, together
from trainers.machine.quiet import quiet_libraries
from trainers.machine.reasons import OUT_OF_MEMORY, machine_reason
from trainers.machine.watch import Silent, Watch
from trainers.models.base import (
    context_length,
    copy_processor_files,
    end_ids,
    load_model,
    load_processor,
    processor_digest,
)
from trainers.models.parts import part_sizes
from trainers.recipe import TrainRecipe

UNFINISHED = ".unfinished"
"""What the name of a folder ends with while its checkpoint is being made."""

_RUN = "run.json"
_CACHE_BYTES = 40 * 2**30
_HISTORY = 500


class OverlapError(ValueError):
    """Examples to train on are also examples to evaluate on."""


class TrainingStopped(RuntimeError):  # not a mistake in the request: the machine or a tracker gave out
    """Training could not go on; the last checkpoint is kept, and `resume` goes on from it."""


@dataclass(frozen=True)
class TrainData:
    """The examples of a training.

    held_out: those of the test splits it will be scored on, which it may share nothing with. left_out: id →
    why a row of the source is not among the examples. described: where they come from, for the lineage.
    """

    train: Sequence[TrainExample]
    validation: Sequence[TrainExample] = ()
    held_out: Sequence[TrainExample] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)


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
        "data_hash": data_hash(data.train),
        "validation_hash": data_hash(data.validation),
        "base_digest": base_digest,
    }
    with first_alone():
        first = _opened(folder, out, identity, recipe, resume) if is_first() else _last_step(folder)
    if resume:
        watch.say(f"going on after step {first}" if first else "nothing to go on from: starting at step 0")
    with _MachineErrors(folder), quiet_libraries():
        made = _trained(recipe, data, base, folder, watch, first, list(report_to))
        lineage = {
            **_lineage(recipe, data, parent, identity, shared),
            **made,
            "loss_history": _thinned(curves.read_points(folder)),
        }
        together()
        if is_first():
            if digest is not None:
                made_of = (base, folder) if recipe.adapter else (folder, None)
                lineage["weights_digest"] = digest(*made_of)
            write_lineage(folder, lineage)
            curves.draw(curves.read_points(folder), folder / curves.PNG, f"{recipe.name}: {recipe.summary}")
            (folder / _RUN).unlink(missing_ok=True)
            folder.replace(out)
        together()
        finish(report_to)
    return TrainResult(out, int(lineage["steps"]), curves.read_points(out), lineage)


def check_overlap(data: TrainData, allow: bool) -> dict[str, int]:
    """How many examples of validation and test training shares; OverlapError unless that is allowed."""
    found = {
        "validation": overlaps(data.train, data.validation),
        "test": overlaps(data.train, data.held_out),
        "validation and test": overlaps(data.validation, data.held_out),
    }
    if any(found.values()) and not allow:
        lines = [
            f"{len(pairs)} examples of {split} are also in {'validation' if ' ' in split else 'train'}: "
            + ", ".join(f"{one.other_id} (same {one.what} as {one.train_id})" for one in pairs[:5])
            + (", …" if len(pairs) > 5 else "")
            for split, pairs in found.items()
            if pairs
        ]
        raise OverlapError("\n".join(lines))
    return {split: len(pairs) for split, pairs in found.items() if pairs}


def encode(
    recipe: TrainRecipe, examples: Sequence[TrainExample], base: Path, processor: Any, watch: Watch
) -> EncodedData:
    """Examples as tokens with their pictures prepared; ValueError when none is left."""
    from transformers import GenerationConfig

    try:
        generation = GenerationConfig.from_pretrained(base)
    except OSError:  # an older checkpoint without generation_config.json
        generation = None
    limit = context_length(base)
    if recipe.max_tokens and limit and recipe.max_tokens > limit:
        raise ValueError(f"max_tokens: {recipe.max_tokens} are more than the base's context of {limit}")
    encoder = Encoder(
        processor,
        end_ids=end_ids(_Holder(generation), processor),
        max_tokens=recipe.max_tokens or limit or 2**31,
    )
    folder = cache_folder("pixels")
    digest = pictures_digest(examples, processor_digest(recipe, base))
    store = MappedStore(folder, digest, limit=None if recipe.image.cache else 0)
    made = encoder.encode(examples, store, watch.preparing)
    sweep(folder, _CACHE_BYTES)
    if not made.rows:
        raise ValueError(f"no example can be trained on: {reasons(made.dropped) or 'there are none'}")
    return made


def _trained(
    recipe: TrainRecipe,
    data: TrainData,
    base: Path,
    folder: Path,
    watch: Watch,
    first: int,
    report_to: list[str],
) -> dict[str, Any]:
    """Train in `folder` until the model, its processor files and the curve are there."""
    from trainers.data.batch_order import Schedule
    from trainers.data.collator import Collator
    from trainers.data.packing import PackedCollator, packed
    from trainers.loop.loop import Curve, Loop, intermediate, training_arguments

    processor = load_processor(recipe, base)
    with first_alone():  # the others find its pictures prepared
        rows = encode(recipe, data.train, base, processor, watch)
        held = encode(recipe, data.validation, base, processor, watch) if data.validation else None
    dropped = {**data.left_out, **rows.dropped}
    if dropped:
        total = len(data.train) + len(data.left_out)
        watch.say(f"{len(dropped)} of {total} examples are left out: {reasons(dropped)}")
    model = load_model(recipe, base)
    examples, collator = len(rows.rows), Collator
    if recipe.batch.packed:
        rows, collator = packed(rows, getattr(model.config, "image_token_id", None)), PackedCollator
    steps = recipe.total_steps(len(rows.rows))
    world = join()
    per_device = recipe.batch.share(world)
    schedule = Schedule(
        [row.cost for row in rows.rows],
        size=recipe.batch.size,
        steps=steps,
        seed=recipe.seed,
        grouped=recipe.batch.grouped,
    )
    arguments = training_arguments(
        recipe, folder, steps, per_device, recipe.batch.size // (per_device * world), report_to
    )
    tokenizer = getattr(processor, "tokenizer", processor)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    curve = Curve(recipe, folder, schedule, rows, watch)
    loop = Loop(
        model,
        arguments,
        schedule=schedule,
        collator=collator(rows, pad_id=pad),
        validation=(held, Collator(held, pad_id=pad)) if held else None,
        write=lambda into: copy_processor_files(recipe, base, into),
        keep=recipe.save.keep,
        callbacks=[curve],
    )
    parallel = running(loop.accelerator)
    if world > 1:
        watch.say(parallel)
    if recipe.image.cache and _seen_again(recipe, rows, held, steps) and loop.keep_features():
        watch.say("the vision encoder is frozen: each picture is encoded once")
    curve.validate = loop.validate if held else None
    curve.report = loop.report if report_to else None
    loop.first_step = first
    started = time.monotonic()
    loop.train(resume_from_checkpoint=str(intermediate(folder)[-1]) if first else None)
    seconds = time.monotonic() - started
    loop.save_model(str(folder))
    if loop.args.should_save:
        for done in intermediate(folder):
            if done.name == f"checkpoint-{steps}":  # the same weights again, with the optimizer's state
                shutil.rmtree(done)
    before = json.loads((folder / _RUN).read_text())
    return {
        "steps": steps,
        "examples": examples,
        "dropped": len(dropped),
        "dropped_reasons": reasons(dropped),
        "trained_tokens_per_pass": sum(len(row.trained) for row in rows.rows),
        "tokens": sum(len(rows.rows[at].ids) for number in range(steps) for at in schedule.step(number)),
        "seconds": round(seconds + float(before.get("seconds", 0)), 1),
        "device": _device(),
        "precision": "bfloat16" if loop.args.bf16 else "float32",
        "processes": world,
        "parallelism": str(loop.accelerator.distributed_type.value),
        "parameters": {size.part: [size.parameters, size.trained] for size in part_sizes(model)},
    }


def _seen_again(recipe: TrainRecipe, rows: EncodedData, held: EncodedData | None, steps: int) -> bool:
    """Whether a picture is trained on or validated with more than once."""
    pictures = {row.picture for row in rows.rows} - {None}
    trained = bool(pictures) and steps * recipe.batch.size > len(pictures)
    return trained or (held is not None and steps > recipe.validation.every)


def _opened(folder: Path, out: Path, identity: Mapping[str, Any], recipe: TrainRecipe, resume: bool) -> int:
    """Make or enter the unfinished folder; the step that training goes on after, 0 for a new one."""
    if out.exists():
        raise ValueError(f"{out}: exists already; give another folder, or remove it")
    run = folder / _RUN
    if not run.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise ValueError(f"{folder}: exists and is no unfinished training; give another folder")
        folder.mkdir(parents=True, exist_ok=True)
        run.write_text(json.dumps({**identity, "recipe": recipe.as_plain()}, indent=2))
        return 0
    if not resume:
        raise ValueError(f"{folder}: an unfinished training; go on with --resume, or remove the folder")
    before = json.loads(run.read_text())
    changed = [name for name, value in identity.items() if before.get(name) != value]
    if changed:
        raise ValueError(
            f"{folder}: begun with another {' and '.join(name.split('_')[0] for name in changed)}"
            f"{_changed_keys(before['recipe'], recipe.as_plain())}; give the same, or another folder"
        )
    step = _last_step(folder)
    curves.cut_after(folder, step)
    return step


def _last_step(folder: Path) -> int:
    """The step of the newest intermediate checkpoint, 0 without one."""
    from trainers.loop.loop import intermediate, step_of

    found = intermediate(folder)
    return step_of(found[-1]) if found else 0


def _changed_keys(before: Mapping[str, Any], now: Mapping[str, Any], place: str = "") -> str:
    """` (optimizer.learning_rate: 0.001, now 0.002)` for what differs."""
    said = [f"{key}: {old}, now {new}" for key, old, new in _differences(before, now, "")]
    return f" ({'; '.join(said)})" if said else ""


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], place: str) -> list[tuple[str, Any, Any]]:
    found = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _differences(old, new, f"{place}{key}.")
        elif old != new:
            found.append((f"{place}{key}", old, new))
    return found


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


def reasons(dropped: Mapping[str, str]) -> str:
    """Why examples were left out, with counts: numbers in a reason do not make it another."""
    counts: dict[str, int] = {}
    for reason in dropped.values():
        kind = "too long" if reason.endswith("are allowed") else reason
        counts[kind] = counts.get(kind, 0) + 1
    listed = sorted(counts.items(), key=lambda item: -item[1])
    return "; ".join(f"{count} {reason}" for reason, count in listed[:5])


class _Holder:
    """What end_ids expects of a model, around generation settings alone."""

    def __init__(self, generation_config: Any) -> None:
        self.generation_config = generation_config


class _MachineErrors:
    """Turns what a machine without memory or disk or a tracker raises into one TrainingStopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        request = isinstance(error, ValueError) and tracker_failure(error) is None
        if request and [path.name for path in self._folder.iterdir()] == [_RUN]:
            shutil.rmtree(self._folder, ignore_errors=True)  # a mistake in the request: nothing was begun
        from trainers.loop.loop import NotFiniteError, intermediate

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


def _device() -> str:
    import platform

    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
