"""What follows a training step by step: points of its curve, validations, a word to who watches."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from trainers.data.batch_order import Schedule
from trainers.data.encoding import EncodedData
from trainers.loop.curve_file import NotFiniteError, append_point
from trainers.machine.processes import check_sharded
from trainers.machine.watch import Watch
from trainers.recipe import TrainRecipe


class Curve(TrainerCallback):  # type: ignore[misc]
    """Writes curve.jsonl, tells the watch, validates when it is time.

    validate: `Loop.validate`; None with nothing held back. report: `Loop.report`; None without trackers.
    """

    def __init__(
        self,
        recipe: TrainRecipe,
        folder: Path,
        schedule: Schedule,
        data: EncodedData,
        watch: Watch,
        *,
        validate: Callable[..., dict[str, float]] | None = None,
        report: Callable[[Mapping[str, float]], None] | None = None,
    ) -> None:
        self._recipe = recipe
        self._folder = folder
        self._schedule = schedule
        self._data = data
        self._watch = watch
        self._since = time.monotonic()
        self._started = time.monotonic()
        self._first_step = 0
        self._tokens = self._images = 0
        self._validate = validate
        self._report = report

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        check_sharded(given["model"])
        self._since = self._started = time.monotonic()
        self._first_step = state.global_step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        rows = [self._data.rows[position] for position in self._schedule.step(state.global_step - 1)]
        self._tokens += sum(len(row.ids) for row in rows)
        self._images += sum(row.images for row in rows)
        step = state.global_step
        # The last step is always a point and a validation: every curve ends with what was reached.
        if step == state.max_steps:
            control.should_log = True
        if self._validate and (step % self._recipe.validation.every == 0 or step == state.max_steps):
            before = time.monotonic()
            found = self._validate()
            if self._recipe.validation.blind and step == state.max_steps:
                found |= self._validate(blind=True)
            self._add(state, {"step": step, **found})
            if self._report:
                self._report(found)
            self._since += time.monotonic() - before

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
        if "loss" not in logs:
            return
        now = time.monotonic()
        seconds = max(now - self._since, 1e-9)
        step = state.global_step
        per_step = (now - self._started) / max(step - self._first_step, 1)
        point = {
            "step": step,
            "examples": step * len(self._schedule.step(0)),
            "loss": logs["loss"],
            "learning_rate": logs.get("learning_rate"),
            "grad_norm": logs.get("grad_norm"),
            "tokens_per_second": round(self._tokens / seconds, 1),
            "images_per_second": round(self._images / seconds, 2),
            "seconds": round(now - self._started, 3),
        }
        self._since, self._tokens, self._images = now, 0, 0
        self._add(state, point, eta=per_step * (state.max_steps - step))
        if not math.isfinite(logs["loss"]):
            raise NotFiniteError(f"the loss is {logs['loss']} at step {step}")

    def _add(self, state: Any, point: Mapping[str, Any], **more: Any) -> None:
        if state.is_world_process_zero:
            append_point(self._folder, point)
            self._watch.point({**point, "steps": state.max_steps, **more})
