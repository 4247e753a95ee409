"""Supervised fine-tuning: the loss is the cross-entropy of the completion's tokens, and of no others."""

from __future__ import annotations

import platform
import shutil
import time
from typing import TYPE_CHECKING, Any

from trainers.data.batch_order import Schedule
from trainers.data.collator import Collator
from trainers.data.encoding import EncodedData, encode, reasons
from trainers.data.packing import PackedCollator, packed
from trainers.loop.run_folder import intermediate
from trainers.machine.processes import first_alone, join, running
from trainers.methods.contract import Training
from trainers.models.model_parts import part_sizes
from trainers.recipe import TrainRecipe

if TYPE_CHECKING:
    from trainers.loop.loop import Loop


def fine_tune(training: Training) -> dict[str, Any]:
    """Train in the folder until model, processor files and curve are there; see `Method.train`."""
    recipe, data, watch = training.recipe, training.data, training.watch
    with first_alone():  # the others find its pictures prepared
        rows = encode(recipe, data.train, training.base, watch)
        held = encode(recipe, data.validation, training.base, watch) if data.validation else None
    dropped = {**data.left_out, **rows.dropped}
    if dropped:
        total = len(data.train) + len(data.left_out)
        watch.say(f"{len(dropped)} of {total} examples are left out: {reasons(dropped)}")
    model = training.base.model()
    laid, collator = laid_out(recipe, model, rows), PackedCollator if recipe.batch.packed else Collator
    schedule = Schedule(
        [row.cost for row in laid.rows],
        size=recipe.batch.size,
        steps=recipe.total_steps(len(laid.rows)),
        seed=recipe.seed,
        grouped=recipe.batch.grouped,
    )
    loop = _loop(training, model, schedule, collator(laid, pad_id=training.base.pad_id), held)
    world = int(loop.accelerator.num_processes)
    parallel = running(loop.accelerator)
    if world > 1:
        watch.say(parallel)
    if recipe.image.cache and _seen_again(recipe, laid, held, schedule.steps) and loop.keep_features():
        watch.say("the vision encoder is frozen: each picture is encoded once")
    seconds = _run(training, loop, schedule.steps)
    return {
        "steps": schedule.steps,
        "examples": len(rows.rows),
        "dropped": len(dropped),
        "dropped_reasons": reasons(dropped),
        "trained_tokens_per_pass": sum(len(row.trained) for row in laid.rows),
        "tokens": sum(len(laid.rows[at].ids) for step in schedule.from_step(0) for at in step),
        "seconds": round(seconds, 1),
        "device": _device(),
        "precision": "bfloat16" if loop.args.bf16 else "float32",
        "processes": world,
        "parallelism": str(loop.accelerator.distributed_type.value),
        "parameters": {size.part: [size.parameters, size.trained] for size in part_sizes(model)},
    }


def laid_out(recipe: TrainRecipe, model: Any, rows: EncodedData) -> EncodedData:
    """What a step counts: examples, or pictures with all that is asked about them."""
    if not recipe.batch.packed:
        return rows
    return packed(rows, getattr(model.config, "image_token_id", None))


def _loop(
    training: Training, model: Any, schedule: Schedule, collator: Collator, held: EncodedData | None
) -> Loop:
    """The loop over all processes, with the curve that follows it."""
    from trainers.loop.curve import Curve
    from trainers.loop.loop import Loop, training_arguments

    recipe, folder = training.recipe, training.folder
    world = join()
    per_device = recipe.batch.share(world)
    accumulation = recipe.batch.size // (per_device * world)
    loop = Loop(
        model,
        training_arguments(
            recipe, folder, schedule.steps, per_device, accumulation, list(training.report_to)
        ),
        schedule=schedule,
        collator=collator,
        validation=(held, Collator(held, pad_id=collator.pad_id)) if held else None,
        write=training.base.copy_processor_files,
        keep=recipe.save.keep,
        first_step=training.first_step,
    )
    loop.add_callback(
        Curve(
            recipe,
            folder,
            schedule,
            collator.data,
            training.watch,
            validate=loop.validate if held else None,
            report=loop.report if training.report_to else None,
        )
    )
    return loop


def _run(training: Training, loop: Loop, steps: int) -> float:
    """Train and leave the model in the folder; the seconds that the steps took."""
    folder = training.folder
    started = time.monotonic()
    loop.train(resume_from_checkpoint=str(intermediate(folder)[-1]) if training.first_step else None)
    seconds = time.monotonic() - started
    loop.save_model(str(folder))
    if loop.args.should_save:
        for done in intermediate(folder):
            if done.name == f"checkpoint-{steps}":  # the same weights again, with the optimizer's state
                shutil.rmtree(done)
    return seconds


def _seen_again(recipe: TrainRecipe, rows: EncodedData, held: EncodedData | None, steps: int) -> bool:
    """Whether a picture is trained on or validated with more than once."""
    pictures = {row.picture for row in rows.rows} - {None}
    trained = bool(pictures) and steps * recipe.batch.size > len(pictures)
    return trained or (held is not None and steps > recipe.validation.every)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
