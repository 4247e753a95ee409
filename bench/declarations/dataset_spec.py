"""Where a task's records come from, as its task.yaml says it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ConfigDict, Field, JsonValue, field_validator, model_validator

from bench.declarations.fields import File, Names, Section
from bench.declarations.parts import not_one_of
from bench.declarations.reading import Details
from bench.declarations.yaml_lines import Declaration, Problem
from tasks.declared import RECORDS

SOURCES = ("records", "hf", "jsonl", "csv", "parquet")
"""The places records can come from; a data set names exactly one."""


def source_mistake(dataset: Mapping[str, object]) -> str | None:
    """What is wrong with the choice of a source and with what goes along with it."""
    given = [source for source in SOURCES if dataset.get(source) is not None]
    pinned = [key for key in ("config", "revision") if dataset.get(key) is not None]
    if len(given) != 1:
        return f"give exactly one of {', '.join(SOURCES)}, not {' and '.join(given) or 'none'}"
    if given == ["hf"] and "revision" not in pinned:
        return (
            "hf needs revision, the commit of the data set (see 'Files and versions' on the hub), "
            "so that scores stay comparable when the data set changes"
        )
    if given != ["hf"] and pinned:
        return f"{' and '.join(pinned)} can only go with hf, not with {given[0]}; leave out {pinned[0]}"
    if given != ["records"] and dataset.get("args"):
        return f"args can only go with records, not with {given[0]}; leave them out"
    return None


class DatasetSpec(Section):
    """Where the records come from, and what their fields mean."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [source]} for source in SOURCES]})

    records: str | None = Field(
        default=None,
        description="Name of a record function that comes with Tunebench.",
        json_schema_extra={"examples": list(RECORDS)},
    )
    hf: str | None = Field(
        default=None,
        min_length=1,
        description="Data set on the Hugging Face hub, such as owner/name; needs revision.",
    )
    config: str | None = Field(
        default=None, description="Configuration of the hub's data set, when it has several."
    )
    revision: str | None = Field(
        default=None,
        min_length=1,
        description="Commit, tag or branch of the hub's data set; a commit never changes.",
    )
    jsonl: File | None = Field(
        default=None,
        description="File of JSON objects, one per line; relative to the task.yaml; {split} is filled in.",
    )
    csv: File | None = Field(
        default=None,
        description="CSV file with a header line; relative to the task.yaml; {split} is filled in.",
    )
    parquet: File | None = Field(
        default=None, description="Parquet file; relative to the task.yaml; {split} is filled in."
    )
    split: str = Field(default="test", min_length=1, description="Split to evaluate on.")
    args: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Arguments of the record function; `-T key=value` overrides them.",
    )
    id: str = Field(
        default="id",
        min_length=1,
        description="Field that identifies a record; without it, rows are numbered from 1.",
    )
    target: str = Field(
        default="target",
        min_length=1,
        description="Field with the right answer, or the list of all right answers.",
    )
    target_optional: bool = Field(
        default=False,
        description="Records without a right answer are run too, and get the scores that need none.",
    )
    kept: Names = Field(
        default=(),
        description="Fields that scorers read from the log, kept there at any length.",
    )
    image: Names = Field(
        default=("image",),
        description="Field or fields with the image, in the order the model sees them; null for text only.",
    )
    image_optional: bool = Field(
        default=False, description="Records without an image are asked as text, not reported as unreadable."
    )
    choices: str | None = Field(
        default=None,
        min_length=1,
        description="Field with the list of options, which the prompt shows with letters, one per line.",
    )

    @property
    def source(self) -> str:
        """Which of SOURCES the records come from."""
        return next(source for source in SOURCES if getattr(self, source) is not None)

    @field_validator("records")
    @classmethod
    def _known_records(cls, name: str | None) -> str | None:
        if name is not None and name not in RECORDS:
            raise ValueError(not_one_of(name, RECORDS))
        return name

    @model_validator(mode="after")
    def _one_source(self) -> DatasetSpec:
        mistake = source_mistake(self.model_dump(exclude_defaults=True))
        if mistake:
            raise ValueError(mistake)
        return self


def unchecked_source(details: Details, declared: Declaration) -> list[Problem]:
    """The mistake in the choice of a source that other mistakes in `dataset` kept from being seen."""
    dataset = declared.data.get("dataset")
    places = {detail["loc"] for detail in details}
    if ("dataset",) in places or not isinstance(dataset, Mapping):
        return []
    if not any(place[:1] == ("dataset",) for place in places):
        return []
    mistake = source_mistake(dataset)
    return [Problem(declared.line(("dataset",)), f"dataset: {mistake}")] if mistake else []
