"""The training loop: transformers' Trainer with our batches, our loss, and checkpoints that appear whole.

Imported only where something is trained: it needs torch and transformers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from trainers.data.batch_order import MicroBatches, Schedule
from trainers.data.collator import IGNORED, Collator
from trainers.data.encoding import EncodedData
from trainers.data.picture_features import PictureFeatures, can_be_kept
from trainers.loop.run_folder import intermediate
from trainers.machine.processes import shard_on_cpu
from trainers.recipe import TrainRecipe

_OPTIMIZERS = {
    "adamw": "adamw_torch",
    "adamw_fused": "adamw_torch_fused",
    "adamw_8bit": "adamw_bnb_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor",
    "sgd": "sgd",
}


def bfloat16_here() -> bool:
    """Whether this machine computes in bfloat16 itself rather than by way of float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def on_cpu() -> bool:
    """Whether training happens on the CPU here."""
    return not (torch.cuda.is_available() or torch.backends.mps.is_available())


def training_arguments(
    recipe: TrainRecipe, folder: Path, steps: int, per_device: int, accumulation: int, report_to: list[str]
) -> TrainingArguments:
    """The recipe in the Trainer's terms. What it would do by itself and we do ourselves is switched off."""
    bfloat16 = recipe.precision == "bfloat16" or (recipe.precision == "auto" and bfloat16_here())
    optimizer, schedule = recipe.optimizer, recipe.schedule
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=per_device,
        per_device_eval_batch_size=per_device,
        gradient_accumulation_steps=accumulation,
        optim=_OPTIMIZERS[optimizer.name],
        learning_rate=optimizer.learning_rate,
        adam_beta1=optimizer.betas[0],
        adam_beta2=optimizer.betas[1],
        adam_epsilon=optimizer.eps,
        weight_decay=optimizer.weight_decay,
        max_grad_norm=optimizer.max_grad_norm,
        lr_scheduler_type=_schedule_name(recipe),
        lr_scheduler_kwargs=dict(schedule.kwargs) or None,
        warmup_steps=schedule.warmup_steps,
        bf16=bfloat16,
        use_cpu=on_cpu(),
        seed=recipe.seed,
        gradient_checkpointing=recipe.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if recipe.gradient_checkpointing else None,
        logging_strategy="steps",
        logging_steps=recipe.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="steps",
        save_steps=recipe.save.every,
        save_total_limit=None,
        ignore_data_skip=True,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=report_to or "none",
        run_name=f"{recipe.name}/{folder.stem}",
        project="tunebench",
        dataloader_pin_memory=False,
    )


def _schedule_name(recipe: TrainRecipe) -> str:
    name = recipe.schedule.name
    return "constant_with_warmup" if name == "constant" and recipe.schedule.warmup_steps else name


class Loop(Trainer):  # type: ignore[misc]
    """The Trainer over encoded data.

    write: called with a folder to write tokenizer and processor into, so that intermediate checkpoints can be
    served as well. keep: how many of these are kept. first_step: the step after which training goes on.
    """

    def __init__(
        self,
        model: Any,
        args: TrainingArguments,
        *,
        schedule: Schedule,
        collator: Collator,
        validation: tuple[EncodedData, Collator] | None,
        write: Callable[[Path], None],
        keep: int,
        first_step: int = 0,
    ) -> None:
        super().__init__(model=model, args=args)
        self.remove_callback(PrinterCallback)
        # The loss below is divided by the trained tokens of the whole step, over passes and processes.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True
        self._schedule = schedule
        self._collator = collator
        self._validation = validation
        self._write = write
        self._keep = keep
        self._staging: Path | None = None
        self._first_step = first_step
        self._features: PictureFeatures | None = None

    def keep_features(self) -> bool:
        """From now on encode each picture once, where the vision encoder is frozen; whether it is."""
        kept = can_be_kept(self.model, self.accelerator.distributed_type.value)
        if kept:
            self._features = PictureFeatures(self.model, self.accelerator.autocast)
            self._collator.pixels = False
        return kept

    def create_accelerator_and_postprocess(self) -> None:
        """As the Trainer does it, with FSDP on CPUs as well."""
        super().create_accelerator_and_postprocess()
        if shard_on_cpu(self.accelerator):
            self.is_fsdp_enabled = True

    def get_train_dataloader(self) -> Any:
        """The schedule's passes after `first_step`, shared among the processes."""
        sampler = MicroBatches(self._schedule, self._train_batch_size, self._first_step)
        loader = torch.utils.data.DataLoader(
            _Positions(),
            batch_sampler=sampler,
            collate_fn=self._collator,
            # Its own generator: drawing from the global one would shift dropout when training goes on.
            generator=torch.Generator().manual_seed(0),
        )
        return self.accelerator.prepare(loader)

    def num_examples(self, dataloader: Any) -> int:
        """Examples of the whole training, repetitions included."""
        return self._schedule.steps * len(self._schedule.step(0))

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Cross-entropy summed over trained tokens, divided by those of the whole step."""
        if self._features is not None:
            inputs = self._features.added(inputs, self._collator.data)
        logits, targets = trained_logits(model, inputs)
        loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        items = num_items_in_batch if num_items_in_batch is not None else len(targets)
        # Gradients are averaged over processes, and `items` counts the tokens of all of them.
        return loss * self.accelerator.num_processes / items

    def validate(self, *, blind: bool = False) -> dict[str, float]:
        """validation_loss (mean over trained tokens) and validation_exact (share of rows decoded exactly).

        blind: with one grey in the place of every picture, and only validation_blind, the share then exact.
        """
        assert self._validation is not None
        data, collator = self._validation
        features = None if blind else self._features
        collator.pixels = features is None
        order = sorted(range(len(data.rows)), key=lambda position: data.rows[position].cost)
        rank, ranks = self.accelerator.process_index, self.accelerator.num_processes
        mine = order[rank::ranks]
        # As many passes in every process: a sharded model is put together by all of them for each pass.
        passes = range(0, -(-len(order) // ranks), self._train_batch_size)
        total = torch.zeros(3, dtype=torch.float64)
        model = self.model_wrapped
        model.eval()
        with torch.no_grad():
            for start in passes:
                positions = mine[start : start + self._train_batch_size]
                batch = self._prepare_inputs(collator(positions or order[:1]))
                if blind:
                    # Not 0, which Idefics3 takes for a picture that is not there.
                    batch["pixel_values"] = torch.full_like(batch["pixel_values"], 0.5)
                if features is not None:
                    batch = features.added(batch, data)
                rows = (batch["labels"][:, 1:] != IGNORED).nonzero()[:, 0]
                with self.accelerator.autocast():
                    logits, targets = trained_logits(model, batch)
                loss = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
                wrong = torch.zeros(int(rows.max()) + 1, device=rows.device)
                wrong.index_add_(0, rows, (logits.argmax(-1) != targets).float())
                if positions:
                    total += torch.tensor([float(loss), float(len(targets)), float((wrong == 0).sum())])
        model.train()
        total = self.accelerator.reduce(total.to(self.args.device), "sum")
        if blind:
            return {"validation_blind": float(total[2] / len(data.rows))}
        return {
            "validation_loss": float(total[0] / total[1]),
            "validation_exact": float(total[2] / len(data.rows)),
        }

    def report(self, found: Mapping[str, float]) -> None:
        """Send a validation to the trackers, which otherwise hear of the training's own points alone."""
        wanted = self.control.should_log
        self.log({name.replace("validation_", "eval_"): value for name, value in found.items()})
        self.control.should_log = wanted  # logging takes this mark of the step's own point away

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: the Trainer's estimate is one of text models."""
        return 0

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging or self.args.output_dir)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write checkpoint-<step> beside, and rename it when it is whole; then drop what is too old."""
        folder = Path(self.args.output_dir)
        self._staging = folder / ".saving"
        try:
            if self.args.should_save:
                shutil.rmtree(self._staging, ignore_errors=True)
            self.accelerator.wait_for_everyone()
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                made = self._staging / f"checkpoint-{self.state.global_step}"
                final = folder / made.name
                shutil.rmtree(final, ignore_errors=True)
                made.replace(final)
                for old in intermediate(folder)[: -self._keep]:
                    shutil.rmtree(old, ignore_errors=True)
            self.accelerator.wait_for_everyone()
        finally:
            if self.args.should_save:
                shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The model as it is served, with its processor."""
        if state_dict is not None:
            # Put together from the parts of several processes, a tied tensor is there under both its names.
            tied = getattr(self.model, "all_tied_weights_keys", None) or {}
            state_dict = {name: tensor for name, tensor in state_dict.items() if name not in tied}
        super()._save(output_dir, state_dict)
        folder = Path(output_dir or self.args.output_dir)
        (folder / "training_args.bin").unlink(missing_ok=True)
        if self.args.should_save:
            self._write(folder)


def trained_logits(model: Any, inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """Logits (n, vocabulary) and labels (n,) of the n trained tokens of a batch.

    The head is applied only at columns where some row is trained: with long prompts and a large vocabulary it
    would otherwise cost more than the rest of a small model.
    """
    inputs = dict(inputs)
    labels = inputs.pop("labels")[:, 1:]
    columns = (labels != IGNORED).any(0).nonzero()[:, 0]
    logits = model(**inputs, logits_to_keep=columns, use_cache=False).logits
    labels = labels[:, columns]
    trained = labels != IGNORED
    return logits[trained], labels[trained]


class _Positions(torch.utils.data.Dataset[int]):
    """Positions of rows: the collator fetches the rows themselves, a batch at a time."""

    def __getitem__(self, position: int) -> int:
        return position
