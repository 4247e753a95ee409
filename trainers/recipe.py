"""What a recipe says: how records become a checkpoint.

A recipe is declared, not programmed: `TrainRecipe` is the whole of it, frozen, with every default.
Reading a YAML file with all its mistakes at once is the command line's (`bench.declarations.recipes`);
resolving its data into examples too, since only `bench` knows tasks and files. So that what is left is

    recipe = TrainRecipe.model_validate({...})
    train(recipe, TrainData(train_examples, validation_examples), base=folder, out=folder)

`recipe.digest` names a recipe by what it does: equal digests and data give equal weights on one machine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

DATA_SOURCES = ("task", "folder", "jsonl", "parquet", "hub")
"""Where examples can come from; a recipe names exactly one."""

ModelPart: TypeAlias = Literal["vision", "connector", "text"]
"""A part of a vision-language model; `trainers.models.model_parts` says which parameter belongs to which."""

TargetForm: TypeAlias = Literal[
    "answer_only", "rationale_then_answer", "staged_tags", "essay_structured", "essay_unstructured"
]
"""What a completion looks like; `trainers.data.targets` makes and checks each."""


def _file(value: object, info: ValidationInfo) -> object:
    """A path as declared, made absolute from the folder of the recipe."""
    if not isinstance(value, str | Path):
        return value
    return (info.context or {}).get("folder", Path()) / Path(value).expanduser()


def _tuple(value: object) -> object:
    """A list, as YAML has it, as the tuple that a frozen recipe keeps; one name stands for a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


DataFile: TypeAlias = Annotated[
    Path, Field(strict=True), BeforeValidator(_file), WithJsonSchema({"type": "string"})
]
ModelParts: TypeAlias = Annotated[tuple[ModelPart, ...], Field(strict=False), BeforeValidator(_tuple)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class BaseRecipe(_Section):
    """The model that training begins with."""

    checkpoint: str = Field(
        min_length=1, description="Checkpoint folder, hub id (owner/name), or nano-untrained."
    )
    revision: str | None = Field(default=None, description="Commit of the hub id, so that it never changes.")
    trust_remote_code: bool = Field(
        default=False, description="Run code that comes with the checkpoint; also needs --trust-remote-code."
    )
    dtype: Literal["float32", "bfloat16"] = Field(
        default="float32",
        description="How weights are kept in memory: float32 to train them, bfloat16 for a frozen base.",
    )

    @field_validator("checkpoint")
    @classmethod
    def _from_the_recipe(cls, checkpoint: str, info: ValidationInfo) -> str:
        if not checkpoint.startswith((".", "~", "/")):
            return checkpoint
        return str((info.context or {}).get("folder", Path()) / Path(checkpoint).expanduser())


class DataRecipe(_Section):
    """Where the examples come from: exactly one of task, folder, jsonl, parquet, hub."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [source]} for source in DATA_SOURCES]}
    )

    task: str | None = Field(
        default=None, min_length=1, description="A task's train split, with its rationales where it has them."
    )
    folder: DataFile | None = Field(
        default=None, description="Training folder: parquet files with images, prompt, completion, sample_id."
    )
    jsonl: DataFile | None = Field(
        default=None, description="File of JSON objects with prompt, completion and image or images."
    )
    parquet: DataFile | None = Field(default=None, description="Parquet file with the same columns.")
    hub: str | None = Field(default=None, min_length=1, description="Hub data set with the same columns.")
    revision: str | None = Field(default=None, description="Commit of the hub data set.")
    split: str = Field(default="train", min_length=1, description="Split of a task or hub data set.")
    args: dict[str, JsonValue] = Field(
        default_factory=dict, description="Arguments of the task's records, such as size and seed."
    )
    limit: int | None = Field(default=None, ge=1, description="Take only the first examples.")

    @property
    def source(self) -> str:
        """Which of DATA_SOURCES the examples come from."""
        return next(source for source in DATA_SOURCES if getattr(self, source) is not None)

    @model_validator(mode="after")
    def _one_source(self) -> DataRecipe:
        mistake = data_mistake(self.model_dump(exclude_defaults=True))
        if mistake:
            raise ValueError(mistake)
        return self


def data_mistake(data: Mapping[str, object]) -> str | None:
    """What is wrong with the choice of a source, and with what goes along with it."""
    given = [source for source in DATA_SOURCES if data.get(source) is not None]
    if len(given) != 1:
        return f"give exactly one of {', '.join(DATA_SOURCES)}, not {' and '.join(given) or 'none'}"
    if data.get("args") and given != ["task"]:
        return f"args can only go with task, not with {given[0]}; leave them out"
    if data.get("revision") is not None and given != ["hub"]:
        return f"revision can only go with hub, not with {given[0]}; leave it out"
    if given == ["hub"] and data.get("revision") is None:
        return "hub needs revision, the commit of the data set, so that the recipe stays the same recipe"
    return None


class TargetRecipe(_Section):
    """What the model learns to write."""

    form: TargetForm = Field(description="The form of the completion.")
    answer: str = Field(
        default="\\boxed{{{answer}}}",
        description="How answer_only writes an answer; literal braces are doubled.",
    )

    @field_validator("answer")
    @classmethod
    def _shows_the_answer(cls, answer: str) -> str:
        try:
            if "7" not in answer.format(answer="7"):
                raise ValueError("has no {answer} in it, so every target would be the same")
        except (KeyError, IndexError):
            raise ValueError(
                f"{answer!r} has another field than {{answer}}; literal braces are doubled"
            ) from None
        return answer


class AdapterRecipe(_Section):
    """A low-rank adapter on a frozen base."""

    kind: Literal["lora", "dora", "qlora", "qdora"] = Field(
        description="qlora and qdora keep the base in 4 bits (NF4, double quantisation)."
    )
    r: int = Field(default=16, ge=1, description="Rank.")
    alpha: int = Field(default=32, ge=1, description="The update is scaled by alpha / r.")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="Dropout before the adapter.")
    targets: str | None = Field(
        default=None,
        description="Regular expression over module names; null means all linear layers of the text model.",
    )

    @field_validator("targets")
    @classmethod
    def _compiles(cls, targets: str | None) -> str | None:
        try:
            re.compile(targets or "")
        except re.error as error:
            raise ValueError(f"{targets!r} is no regular expression: {error}") from None
        return targets


class OptimizerRecipe(_Section):
    """How a gradient changes the weights."""

    name: Literal["adamw", "adamw_fused", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"] = Field(
        default="adamw_fused", description="adamw_fused is adamw in one pass over the weights: faster."
    )
    learning_rate: float = Field(gt=0, strict=False, description="The highest learning rate.")
    betas: Annotated[tuple[float, float], Field(strict=False), BeforeValidator(_tuple)] = Field(
        default=(0.9, 0.999), description="AdamW's two betas."
    )
    eps: float = Field(default=1e-8, gt=0, strict=False, description="AdamW's epsilon.")
    weight_decay: float = Field(
        default=0.0, ge=0, strict=False, description="Weight decay; none on norms and biases."
    )
    max_grad_norm: float = Field(
        default=1.0, ge=0, strict=False, description="Gradients are clipped to this norm; 0 turns this off."
    )


class ScheduleRecipe(_Section):
    """How the learning rate changes, in optimizer steps."""

    name: Literal["cosine", "linear", "constant", "cosine_with_min_lr", "warmup_stable_decay"] = "cosine"
    warmup_steps: int = Field(default=0, ge=0, description="Steps of linear warm-up.")
    kwargs: dict[str, JsonValue] = Field(
        default_factory=dict, description="Further arguments of transformers' schedule, such as min_lr_rate."
    )


class BatchRecipe(_Section):
    """How many examples an optimizer step sees, and how they are laid out.

    `size` decides what is learned. `per_device` only fits memory: gradients are accumulated up to `size`,
    which gives the same gradient for any number of processes.
    """

    size: int = Field(ge=1, description="Examples of an optimizer step, over all processes.")
    per_device: int | None = Field(
        default=None, ge=1, description="Examples of one forward pass; null means all of the step's share."
    )
    packed: bool = Field(
        default=False,
        description="Examples about one picture share a row, and the picture is encoded once; size then "
        "counts pictures. The result is that of separate examples. Needs attention: sdpa.",
    )
    grouped: bool = Field(
        default=True, description="Examples of similar length and image size go together: less padding."
    )

    @model_validator(mode="after")
    def _divides(self) -> BatchRecipe:
        if self.per_device is not None and self.size % self.per_device:
            raise ValueError(f"size {self.size} is no multiple of per_device {self.per_device}")
        return self

    def share(self, processes: int) -> int:
        """Examples in one forward pass of each process; ValueError where they do not come out even."""
        examples = self.per_device or -(-self.size // processes)
        if self.size % (examples * processes):
            raise ValueError(
                f"batch.size: {self.size} cannot be shared by {processes} processes of {examples} examples "
                "in each forward pass; it must be a multiple of their product"
            )
        return examples


class ImageRecipe(_Section):
    """How pictures are prepared."""

    longest_edge: int | None = Field(
        default=None, ge=14, description="Pixels of the longer side; null leaves the base's own setting."
    )
    cache: bool = Field(
        default=True,
        description="Prepare each picture once and keep it on disk, if there is room; keep the output of "
        "a frozen vision encoder in memory.",
    )


class ValidationRecipe(_Section):
    """What is held back from training, and when it is scored."""

    size: int = Field(default=200, ge=0, description="Examples; 0 for none.")
    every: int = Field(default=200, ge=1, description="Optimizer steps between two validations.")
    blind: bool = Field(
        default=False,
        description="At the end validate once more, with plain grey instead of every picture: answers "
        "that are still right were guessed from the question.",
    )


class SaveRecipe(_Section):
    """When intermediate checkpoints are written; an interrupted run continues from the last one."""

    every: int = Field(default=200, ge=1, description="Optimizer steps between two checkpoints.")
    keep: int = Field(default=1, ge=1, description="How many of the newest are kept.")


class TrainRecipe(_Section):
    """A recipe: base, data, target, what is trained, and how."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$",
        max_length=64,
        description="Name in small letters, digits, _ and -; checkpoints go to checkpoints/<name>/.",
    )
    summary: str = Field(min_length=1, description="What the recipe makes, in one sentence.")
    base: BaseRecipe = Field(description="The model that training begins with.")
    data: DataRecipe = Field(description="Where the examples come from.")
    target: TargetRecipe = Field(description="What the model learns to write.")
    frozen: ModelParts = Field(
        default=(), description="Parts that stay as they are: vision, connector, text. Without adapter only."
    )
    adapter: AdapterRecipe | None = Field(
        default=None, description="Train a low-rank adapter and nothing else; null trains the model itself."
    )
    optimizer: OptimizerRecipe = Field(description="How a gradient changes the weights.")
    schedule: ScheduleRecipe = Field(default=ScheduleRecipe(), description="How the learning rate changes.")
    batch: BatchRecipe = Field(description="How many examples an optimizer step sees.")
    epochs: float | None = Field(
        default=None, gt=0, strict=False, description="Passes over the examples; this or steps."
    )
    steps: int | None = Field(default=None, ge=1, description="Optimizer steps; this or epochs.")
    max_tokens: int | None = Field(
        default=None,
        ge=16,
        description="Longest example in tokens, image included; longer ones are dropped and counted. Null "
        "means the model's context.",
    )
    image: ImageRecipe = Field(default=ImageRecipe(), description="How pictures are prepared.")
    seed: int = Field(default=0, ge=0, description="Seed of order, dropout and new weights.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Precision of the arithmetic; auto is bfloat16 where the machine supports it.",
    )
    attention: Literal["sdpa", "eager", "flash_attention_2"] = Field(
        default="sdpa", description="Implementation of attention."
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Compute activations twice instead of keeping them: slower, less memory."
    )
    validation: ValidationRecipe = Field(
        default=ValidationRecipe(), description="What is held back, and when it is scored."
    )
    save: SaveRecipe = Field(default=SaveRecipe(), description="When intermediate checkpoints are written.")
    log_every: int = Field(default=10, ge=1, description="Optimizer steps between two points of the curve.")

    @model_validator(mode="after")
    def _consistent(self) -> TrainRecipe:
        mistake = length_mistake(self.epochs, self.steps)
        if mistake is None and self.adapter is not None and self.frozen:
            mistake = "frozen and adapter exclude each other: an adapter freezes the whole base"
        if mistake is None and set(self.frozen) == {"vision", "connector", "text"}:
            mistake = "frozen names every part, so nothing would be trained; leave one out"
        if mistake is None and self.batch.packed and self.attention != "sdpa":
            mistake = f"batch.packed needs attention: sdpa, not {self.attention}"
        if mistake:
            raise ValueError(mistake)
        return self

    @property
    def digest(self) -> str:
        """SHA-256 over what the recipe does; its summary and the folders of its files do not enter."""
        plain = self.model_dump(mode="json", exclude={"summary"})
        for section, key in (
            ("base", "checkpoint"),
            *(("data", file) for file in ("folder", "jsonl", "parquet")),
        ):
            if str(plain[section][key]).startswith("/"):
                plain[section][key] = Path(plain[section][key]).name
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

    def as_plain(self) -> dict[str, Any]:
        """The resolved recipe as plain JSON values, in the form of its YAML file."""
        return self.model_dump(mode="json", exclude_none=True)

    def total_steps(self, examples: int) -> int:
        """Optimizer steps over this many examples."""
        if self.steps is not None:
            return self.steps
        return max(1, -int(-(self.epochs or 0) * examples // self.batch.size))


def length_mistake(epochs: object, steps: object) -> str | None:
    """What is wrong with how the length of the training is given."""
    if (epochs is None) == (steps is None):
        return f"give exactly one of epochs and steps, not {'none' if epochs is None else 'both'}"
    return None
