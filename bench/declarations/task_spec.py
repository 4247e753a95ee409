"""What a task.yaml may say.

A task is declared, not programmed: the file holds plain values, and the names in it (of records, solvers,
scorers) resolve in explicit tables. `read_spec` turns a file into a frozen `TaskSpec` or reports every
mistake in it at once, each with its line; `json_schema` is the same contract for editors, kept in
docs/task.schema.json.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bench.declarations.reading import Details, checked, short
from bench.declarations.yaml_lines import Declaration, Place, Problem
from bench.errors import RequestError, did_you_mean
from scorers.declared import SCORERS
from solvers.declared import SOLVERS
from tasks.declared import RECORDS, TEACHERS

__all__ = [
    "DatasetSpec",
    "DistillSpec",
    "GenerationSpec",
    "Part",
    "Problem",
    "ReportSpec",
    "ShotsSpec",
    "TaskSpec",
    "declared_parts",
    "json_schema",
    "one_solver",
    "read_spec",
    "spec_problems",
]

SOURCES = ("records", "hf", "jsonl", "csv", "parquet")
"""The places records can come from; a data set names exactly one."""

_ARGUMENTS = TypeAdapter(dict[str, JsonValue], config=ConfigDict(strict=True))

_NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]
}


class Part(NamedTuple):
    """A solver or scorer: its name and the arguments it gets."""

    name: str
    args: dict[str, JsonValue]


def _names(value: object) -> object:
    """One name, a list of names or null, as the tuple it stands for."""
    if value is None:
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise ValueError(f"give a name or a list of names, not {short(value)}")
    if "" in names:
        raise ValueError("holds an empty text; leave it out")
    return tuple(names)


def _parts(value: object, known: Collection[str]) -> tuple[Part, ...]:
    """`name`, `{name: args}` or a list of those; ValueError when it is none of these or a name is unknown."""
    items = value if isinstance(value, list | tuple) else [value]
    if not items:
        raise ValueError(f"is an empty list; give one or more of {', '.join(known)}")
    parts: list[Part] = []
    mistakes: list[str] = []
    for item in items:
        try:
            parts.append(_part(item))
        except ValueError as error:
            mistakes.append(str(error))
    mistakes += [_not_one_of(part.name, known) for part in parts if part.name not in known]
    if len({part.name for part in parts}) < len(parts):
        mistakes.append("names the same one twice; give each name once")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return tuple(parts)


def _part(item: object) -> Part:
    if isinstance(item, Part):
        return item
    if isinstance(item, str):
        return Part(item, {})
    if isinstance(item, Mapping) and len(item) == 1:
        [(name, args)] = item.items()
        return Part(str(name), _arguments(name, args))
    raise ValueError(f"give a name or {{name: {{key: value}}}}, not {item!r}")


def declared_parts(value: object) -> Iterator[tuple[Place, Part]]:
    """What of a solver or scorer, as a YAML file has it, can be read: where it stands below its key."""
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        above = (str(number),) if isinstance(value, list) else ()
        with contextlib.suppress(ValueError):
            part = _part(item)
            yield (*above, part.name), part


def _arguments(name: object, args: object) -> dict[str, JsonValue]:
    if args is None:
        return {}
    try:
        return _ARGUMENTS.validate_python(args)
    except ValidationError:
        raise ValueError(
            f"the arguments of {name!r} are plain values such as {{key: value}}, not {short(args)}"
        ) from None


def _not_one_of(name: str, known: Collection[str]) -> str:
    return f"{name!r} is not one of {', '.join(known)}{did_you_mean(name, known)}"


def _one_solver(value: object) -> Part:
    parts = _parts(value, SOLVERS)
    if len(parts) > 1 or (isinstance(value, list | tuple) and not isinstance(value, Part)):
        raise ValueError("is a list; a task has one solver")
    return parts[0]


def _declared(part: Part) -> str | dict[str, JsonValue]:
    """A part as a task.yaml says it."""
    return {part.name: part.args} if part.args else part.name


def _part_schema(known: Collection[str]) -> dict[str, Any]:
    arguments = {"type": ["object", "null"]}
    return {
        "anyOf": [
            {"enum": list(known)},
            {
                "type": "object",
                "properties": dict.fromkeys(known, arguments),
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _several(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*schema["anyOf"], {"type": "array", "items": schema, "minItems": 1}]}


def _file(value: object, info: ValidationInfo) -> object:
    """A path as declared, made absolute from the folder of the task.yaml."""
    if not isinstance(value, str | Path):
        return value
    path = Path(value).expanduser()
    return (info.context or {}).get("folder", Path()) / path


Names: TypeAlias = Annotated[
    tuple[str, ...], Field(strict=False), BeforeValidator(_names), WithJsonSchema(_NAMES_SCHEMA)
]
File: TypeAlias = Annotated[
    Path, Field(strict=True), BeforeValidator(_file), WithJsonSchema({"type": "string"})
]
Solver: TypeAlias = Annotated[
    Part, PlainValidator(_one_solver), PlainSerializer(_declared), WithJsonSchema(_part_schema(SOLVERS))
]
Scorers: TypeAlias = Annotated[
    tuple[Part, ...],
    PlainValidator(lambda value: _parts(value, SCORERS)),
    PlainSerializer(lambda parts: [_declared(part) for part in parts]),
    WithJsonSchema(_several(_part_schema(SCORERS))),
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _source_mistake(dataset: Mapping[str, object]) -> str | None:
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


class DatasetSpec(_Section):
    """Where the records come from, and which of their fields mean what."""

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
        description="File of JSON objects, one a line; relative to the task.yaml; {split} is filled in.",
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
        description="Field with the list of options, which the prompt shows with letters, one a line.",
    )

    @property
    def source(self) -> str:
        """Which of SOURCES the records come from."""
        return next(source for source in SOURCES if getattr(self, source) is not None)

    @field_validator("records")
    @classmethod
    def _known_records(cls, name: str | None) -> str | None:
        if name is not None and name not in RECORDS:
            raise ValueError(_not_one_of(name, RECORDS))
        return name

    @model_validator(mode="after")
    def _one_source(self) -> DatasetSpec:
        mistake = _source_mistake(self.model_dump(exclude_defaults=True))
        if mistake:
            raise ValueError(mistake)
        return self


class ReportSpec(_Section):
    """How the scores are summed up."""

    by: Names = Field(default=(), description="Fields of the record to group the scores by, one table each.")
    cluster: str | None = Field(
        default=None,
        description="Field whose equal values mark records that are not independent, such as image.",
    )


class GenerationSpec(_Section):
    """How the model generates."""

    temperature: float = Field(default=0.0, ge=0, description="Sampling temperature; 0 is greedy.")
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Sample from the likeliest tokens up to this mass."
    )
    top_k: int | None = Field(
        default=None, ge=1, description="Sample from this many of the likeliest tokens."
    )
    seed: int | None = Field(default=None, ge=0, description="Seed of the sampling.")
    max_tokens: int = Field(
        default=512, ge=1, description="Most tokens of a completion; a longer one is truncated."
    )
    stop: Names | None = Field(default=None, description="Text, or list of texts, that ends the completion.")


class ShotsSpec(_Section):
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
        _prompt_fields(answer)
        return answer


class DistillSpec(_Section):
    """How `bench distill` asks a teacher on the train split, and what of it a student learns."""

    teacher: str | None = Field(
        default=None,
        description="Name of a teacher that comes with Tunebench, in place of prompt and stages: code makes "
        "its messages, accepts its texts and has variants of what students learn.",
        json_schema_extra={"examples": list(TEACHERS)},
    )
    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="Text that the teacher gets, with fields of the record; the task's own prompt when not "
        "given. {stages} is where the stages are asked for.",
    )
    system: str | None = Field(default=None, description="The teacher's system message, taken as it is.")
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
        description="Phrases that no accepted text has, such as 'the lecture': words about what is hidden.",
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
            raise ValueError(_not_one_of(name, TEACHERS))
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
        _prompt_fields(text or "")
        return text

    @model_validator(mode="after")
    def _whole(self) -> DistillSpec:
        own = [name for name in ("prompt", "system", "stages", "fallback", "forbid") if getattr(self, name)]
        if self.teacher is not None and own:
            raise ValueError(f"teacher {self.teacher!r} has its own {own[0]}; leave one of the two out")
        asked = "stages" in _prompt_fields(self.prompt or "")
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


class TaskSpec(_Section):
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
    system: str | None = Field(default=None, description="System message, taken as it is.")
    shots: ShotsSpec = Field(default=ShotsSpec(), description="Solved examples before each question.")
    solver: Solver = Field(
        default=Part("generate", {}),
        description="How a sample becomes a completion: a name, or {name: arguments}.",
    )
    scorer: Scorers = Field(
        description="How a completion is scored: a name, {name: arguments}, or a list of those; the first is "
        "the main one."
    )
    report: ReportSpec = Field(default=ReportSpec(), description="By which fields the scores are summed up.")
    generation: GenerationSpec = Field(
        default=GenerationSpec(),
        description="How the model generates, unless the command line says else.",
    )
    distill: DistillSpec | None = Field(
        default=None, description="How a teacher is asked for training data; `bench distill` needs it."
    )

    @field_validator("distill")
    @classmethod
    def _hidden_from_the_student(
        cls, distill: DistillSpec | None, info: ValidationInfo
    ) -> DistillSpec | None:
        shown = _prompt_fields(str(info.data.get("prompt", "")))
        shots = info.data.get("shots")
        shown += _prompt_fields(shots.answer) if isinstance(shots, ShotsSpec) else ()
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
        for name in _prompt_fields(prompt):
            if name in images:
                raise ValueError(f"{{{name}}} is an image, which stands before the text; leave it out")
        return prompt

    @property
    def prompt_fields(self) -> tuple[str, ...]:
        """The fields of a record that the prompt shows, in order of appearance."""
        return _prompt_fields(self.prompt)

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


def one_solver(value: object) -> Part:
    """A solver as a task.yaml may say it, `name` or `{name: args}`; ValueError when it is none of ours."""
    return _one_solver(value)


def _prompt_fields(prompt: str) -> tuple[str, ...]:
    """The fields named in a prompt; ValueError when a brace is out of place or holds more than a name."""
    try:
        pieces = list(Formatter().parse(prompt))
    except ValueError as error:
        raise ValueError(f"{error}; braces hold a field's name, and literal braces are doubled") from None
    fields: dict[str, None] = {}
    for _, name, form, conversion in pieces:
        if name is None:
            continue
        if form or conversion or not name.strip() or name.isdigit() or re.search(r"[.\[\]{}]", name):
            written = (
                "{" + name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "") + "}"
            )
            raise ValueError(
                f"{written} is not just a field's name; write {{name}}, and literal braces twice"
            )
        fields[name] = None
    return tuple(fields)


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
    return checked(TaskSpec, path, unseen=_unchecked_source)


def _unchecked_source(details: Details, declared: Declaration) -> list[Problem]:
    """The mistake in the choice of a source that other mistakes in `dataset` kept from being seen."""
    dataset = declared.data.get("dataset")
    places = {detail["loc"] for detail in details}
    if ("dataset",) in places or not isinstance(dataset, Mapping):
        return []
    if not any(place[:1] == ("dataset",) for place in places):
        return []
    mistake = _source_mistake(dataset)
    return [Problem(declared.line(("dataset",)), f"dataset: {mistake}")] if mistake else []
