"""How a model is asked: as a student is, and as a teacher of training data is."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from bench.declarations.fields import Names, Section, prompt_fields
from bench.declarations.parts import not_one_of
from tasks.declared import TEACHERS


class GenerationSpec(Section):
    """How the model generates."""

    temperature: float = Field(default=0.0, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Sample only from the most likely tokens with this total probability.",
    )
    top_k: int | None = Field(
        default=None, ge=1, description="Sample only from this many of the most likely tokens."
    )
    seed: int | None = Field(default=None, ge=0, description="Seed of the sampling.")
    max_tokens: int = Field(
        default=512, ge=1, description="Maximum tokens of a completion; a longer one is cut."
    )
    stop: Names | None = Field(default=None, description="Text, or list of texts, that ends the completion.")


class DistillSpec(Section):
    """How `bench distill` asks a teacher on the train split, and which part of its text a student learns."""

    teacher: str | None = Field(
        default=None,
        description="Name of a teacher that comes with Tunebench, instead of prompt and stages: its code "
        "writes the messages, accepts the texts and decides what students learn.",
        json_schema_extra={"examples": list(TEACHERS)},
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="Text that the teacher gets, with fields of the record; the task's own prompt when not "
        "given. {stages} is where the stages are asked for.",
    )
    system: str | None = Field(default=None, description="The teacher's system message, sent unchanged.")
    hidden: Names = Field(
        default=(),
        description="Fields that only the teacher may see, such as solution; the task's prompt has none.",
    )
    stages: dict[str, str] = Field(
        default_factory=dict,
        description="Tag of each stage and what it asks for, in order; the last is the conclusion. Without "
        "stages the teacher's text is learned as it is.",
    )
    calls: Literal["one", "stage"] = Field(
        default="one", description="One call for all stages, or a call for each; `--calls` overrides it."
    )
    follow_up: str = Field(
        default="Go on with this stage, inside its tags, and write nothing else:\n{stages}",
        min_length=1,
        description="What is asked in each call after the first, where there is a call for each stage.",
    )
    conclusion: str = Field(
        default="{target}",
        min_length=1,
        description="What the student learns to write in the last stage, with fields of the record.",
    )
    fallback: str | None = Field(
        default=None,
        min_length=1,
        description="What the student learns where the teacher is not accepted, with `--fallback`.",
    )
    forbid: Names = Field(
        default=(),
        description="Phrases that no accepted text may contain, such as 'the lecture', which is hidden.",
    )
    retries: int = Field(
        default=2, ge=0, description="Further attempts, each with another seed; `--retries` overrides it."
    )
    generation: GenerationSpec = Field(
        default=GenerationSpec(temperature=0.7, max_tokens=1024), description="How the teacher generates."
    )

    @field_validator("teacher")
    @classmethod
    def _known_teacher(cls, name: str | None) -> str | None:
        if name is not None and name not in TEACHERS:
            raise ValueError(not_one_of(name, TEACHERS))
        return name

    @field_validator("stages")
    @classmethod
    def _valid_stages(cls, stages: dict[str, str]) -> dict[str, str]:
        for tag, asks in stages.items():
            if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,30}", tag):
                raise ValueError(f"{tag!r} is no tag; write it in capital letters, such as REASONING")
            if not asks.strip():
                raise ValueError(f"{tag} asks for nothing; say what the stage is about")
        if len({tag.casefold() for tag in stages}) == 1:
            raise ValueError("one stage is none; give two or more, or leave them out")
        return stages

    @field_validator("prompt", "follow_up", "conclusion", "fallback")
    @classmethod
    def _valid_text(cls, text: str | None) -> str | None:
        prompt_fields(text or "")
        return text

    @model_validator(mode="after")
    def _whole(self) -> DistillSpec:
        own = [name for name in ("prompt", "system", "stages", "fallback", "forbid") if getattr(self, name)]
        if self.teacher is not None and own:
            raise ValueError(f"teacher {self.teacher!r} has its own {own[0]}; leave one of the two out")
        asked = "stages" in prompt_fields(self.prompt or "")
        if bool(self.stages) is not asked:
            raise ValueError(
                "prompt has no {stages}; write it where the teacher is asked for them"
                if self.stages
                else "prompt shows {stages}, and there are none; declare stages"
            )
        if self.calls == "stage" and not self.stages:
            raise ValueError("calls: a call for each stage needs stages; declare them")
        if self.retries and self.generation.temperature == 0:
            raise ValueError(
                "retries with generation.temperature 0 would write the same again; give a temperature, or "
                "retries: 0"
            )
        return self
