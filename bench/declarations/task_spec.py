"""What a task.yaml may say.

A task is declared, not programmed: the file holds plain values, and the names in it (of records, solvers,
scorers) resolve in explicit tables. `read_spec` turns a file into a frozen `TaskSpec` or reports every
mistake in it at once, each with its line; `json_schema` is the same contract for editors, kept in
docs/task.schema.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from bench.declarations.dataset_spec import DatasetSpec, unchecked_source
from bench.declarations.distill_spec import DistillSpec, GenerationSpec
from bench.declarations.fields import Names, Section, prompt_fields
from bench.declarations.parts import NamedPart, Scorers, Solver
from bench.declarations.reading import checked
from bench.declarations.yaml_lines import Problem
from bench.errors import RequestError


class ReportSpec(Section):
    """How the scores are summed up."""

    by: Names = Field(default=(), description="Fields of the record to group the scores by, one table each.")
    cluster: str | None = Field(
        default=None,
        description="Field whose equal values mark records that are not independent, such as image.",
    )


class ShotsSpec(Section):
    """Solved examples that stand before the question, the same for every sample."""

    k: int = Field(default=0, ge=0, description="How many; `-T shots=3` overrides it.")
    split: str = Field(
        default="train", min_length=1, description="Split they come from, never the one being scored."
    )
    seed: int = Field(default=0, ge=0, description="Seed of the draw.")
    answer: str = Field(
        default="{target}", min_length=1, description="The answer shown, with fields of the record in braces."
    )

    @field_validator("answer")
    @classmethod
    def _valid_answer(cls, answer: str) -> str:
        prompt_fields(answer)
        return answer


class TaskSpec(Section):
    """A task: what it asks, where its records come from, how it is scored and how it is reported."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$",
        max_length=64,
        description="Name in small letters, digits, _ and -, such as chart_vqa.",
    )
    version: str = Field(
        pattern=r"^\d+-[A-Z]$",
        description="Number and capital letter, such as 1-A: scores are comparable within one number; "
        "the letter marks cosmetic changes.",
    )
    summary: str = Field(min_length=1, description="What the task measures, in one sentence.")
    dataset: DatasetSpec = Field(description="Where the records come from.")
    prompt: str = Field(
        min_length=1,
        description="Text of the question with fields of the record in braces, such as {question}; "
        "literal braces are doubled. Images stand before it.",
    )
    system: str | None = Field(default=None, description="System message, sent unchanged.")
    shots: ShotsSpec = Field(default=ShotsSpec(), description="Solved examples before each question.")
    solver: Solver = Field(
        default=NamedPart("generate", {}),
        description="How a sample becomes a completion: a name, or {name: arguments}.",
    )
    scorer: Scorers = Field(
        description="How a completion is scored: a name, {name: arguments}, or a list of those; the first is "
        "the main one."
    )
    report: ReportSpec = Field(default=ReportSpec(), description="By which fields the scores are summed up.")
    generation: GenerationSpec = Field(
        default=GenerationSpec(),
        description="How the model generates, unless the command line says otherwise.",
    )
    distill: DistillSpec | None = Field(
        default=None, description="How a teacher is asked for training data; `bench distill` needs it."
    )

    @field_validator("distill")
    @classmethod
    def _hidden_from_the_student(
        cls, distill: DistillSpec | None, info: ValidationInfo
    ) -> DistillSpec | None:
        shown = prompt_fields(str(info.data.get("prompt", "")))
        shots = info.data.get("shots")
        shown += prompt_fields(shots.answer) if isinstance(shots, ShotsSpec) else ()
        for name in distill.hidden if distill else ():
            if name in shown:
                raise ValueError(
                    f"hidden: {name!r} is shown in the task's prompt; take it out of one of them"
                )
        return distill

    @field_validator("prompt")
    @classmethod
    def _valid_prompt(cls, prompt: str, info: ValidationInfo) -> str:
        dataset = info.data.get("dataset")
        images = dataset.image if isinstance(dataset, DatasetSpec) else ()
        for name in prompt_fields(prompt):
            if name in images:
                raise ValueError(f"{{{name}}} is an image, which stands before the text; leave it out")
        return prompt

    @property
    def prompt_fields(self) -> tuple[str, ...]:
        """The fields of a record that the prompt shows, in order of appearance."""
        return prompt_fields(self.prompt)

    def render(self, record: Mapping[str, object]) -> str:
        """The prompt for a record; KeyError when the record lacks one of `prompt_fields`."""
        field = self.dataset.choices
        if field is not None and isinstance(choices := record.get(field), Sequence):
            record = {**record, field: _lettered(choices)}
        return self.prompt.format_map(record)

    def as_plain(self) -> dict[str, Any]:
        """The resolved declaration as plain JSON values, in the form of a task.yaml."""
        return self.model_dump(mode="json", exclude_none=True)


def _lettered(choices: Sequence[object]) -> str:
    """Options as lines `(A) text`."""
    return "\n".join(f"({chr(ord('A') + place)}) {choice}" for place, choice in enumerate(choices))


def read_spec(path: Path) -> TaskSpec:
    """The task declared in a file; RequestError with every mistake in it, one `path:line: message` each."""
    spec, problems = _checked(path)
    if spec is None:
        raise RequestError("\n".join(problem.at(path) for problem in problems))
    return spec


def spec_problems(path: Path) -> list[Problem]:
    """Every mistake in a task.yaml, in the order of its lines; RequestError when it cannot be opened."""
    return _checked(path)[1]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a task.yaml."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TaskSpec.model_json_schema()}


def _checked(path: Path) -> tuple[TaskSpec | None, list[Problem]]:
    return checked(TaskSpec, path, unseen=unchecked_source)
