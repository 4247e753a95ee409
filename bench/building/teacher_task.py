"""A task as its teacher gets it: the train split, the teacher's prompt, and what of an answer is accepted.

teacher_spec(spec, "one")            the declaration with the teacher's prompt in place of the student's
teaching_task(spec, …)               the inspect task that asks it; its dataset has the records as well
lessons(spec, record, completion)    what a student learns of an accepted completion
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from inspect_ai import Task
from inspect_ai.dataset import Dataset, MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
)

from bench.building.task import build_scorers, build_task
from bench.declarations.catalog import all_tasks
from bench.declarations.distill_spec import DistillSpec
from bench.declarations.parts import NamedPart
from bench.declarations.task_spec import ShotsSpec, TaskSpec
from bench.errors import RequestError, did_you_mean
from bench.records.identity import image_digest, prompt_hash
from bench.records.loading import Record, load_records
from scorers.teaching.acceptance import accepted, forbidden_phrase
from scorers.teaching.stages import joined_replies, read_stages, stages_text
from solvers.teacher import teacher
from tasks.declared import teacher_called
from tasks.teaching import Teacher, Turn

Calls: TypeAlias = Literal["one", "stage"]

_RECORDED = ("teacher", "stages", "forbid", "conclusion", "hidden")

TRAIN = "train"
"""The split that students learn from, and the only one that teachers are asked about."""


class TeacherDataset(MemoryDataset):
    """What a teacher is asked, and the records behind it by sample id: loading them may take minutes."""

    def __init__(self, samples: list[Sample], name: str, records: Mapping[str, Record]) -> None:
        super().__init__(samples, name=name)
        self.records = records


def declared(spec: TaskSpec) -> DistillSpec:
    """How the task's teacher is asked; RequestError when it does not say."""
    if spec.distill is None:
        able = ", ".join(other.name for other in all_tasks() if other.distill is not None)
        raise RequestError(
            f"task {spec.name!r} does not say how a teacher is asked; declare `distill:` in its YAML file, "
            f"or take one that does ({able})"
        )
    return spec.distill


def calls_of(spec: TaskSpec, given: Calls | None) -> Calls:
    """How the teacher is called: as asked, or as declared; RequestError for stages that there are none of."""
    distill = declared(spec)
    calls: Calls = distill.calls if given is None else given
    if calls == "stage" and not distill.stages:
        raise RequestError(f"--calls stage: task {spec.name!r} declares no stages for its teacher")
    return calls


def train_args(spec: TaskSpec, given: Mapping[str, object]) -> dict[str, object]:
    """The user's dataset arguments with the train split; RequestError when they ask for other records."""
    asked = given.get("split", TRAIN)
    if asked != TRAIN:
        raise RequestError(f"-T split={asked}: students learn only from the train split; leave split out")
    if "solver" in given or "shots" in given:
        raise RequestError(
            "-T solver and -T shots change how students are asked, not teachers; leave them out"
        )
    dataset = spec.dataset
    own = getattr(dataset, dataset.source) if dataset.source in ("jsonl", "csv", "parquet") else None
    if own is None or "{split}" in str(own):
        return {**given, "split": TRAIN}
    path = given.get("path")
    if path is None or Path(str(path)).expanduser().absolute() == Path(own).absolute():
        raise RequestError(
            f"task {spec.name!r} is scored on {Path(own).name}, its only file; give the records to learn "
            f"from with -T path=FILE, or write {{split}} into dataset.{dataset.source}"
        )
    return {name: value for name, value in given.items() if name != "split"}


def teacher_spec(spec: TaskSpec, calls: Calls) -> TaskSpec:
    """The declaration with the teacher's prompt, system message and settings, and without solved examples."""
    distill = declared(spec)
    prompt, system = (
        (spec.prompt, spec.system) if distill.prompt is None else (distill.prompt, distill.system)
    )
    tags = list(distill.stages)
    shown = tags if calls == "one" else tags[:1]
    asked = _asked(distill, shown).replace("{", "{{").replace("}", "}}")
    return spec.model_copy(
        update={
            "prompt": prompt.replace("{stages}", asked),
            "system": system,
            "solver": NamedPart("teacher", {"follow_ups": list(follow_ups(distill, calls))}),
            "shots": ShotsSpec(),
            "generation": distill.generation,
        }
    )


def follow_ups(distill: DistillSpec, calls: Calls) -> tuple[str, ...]:
    """What is asked after the first reply, one text a call."""
    if calls == "one":
        return ()
    return tuple(
        distill.follow_up.replace("{stages}", _asked(distill, [tag])) for tag in list(distill.stages)[1:]
    )


def teaching_task(
    spec: TaskSpec,
    dataset_args: Mapping[str, object],
    *,
    calls: Calls | None = None,
    retries: int | None = None,
    seed: int = 0,
    samples_per: Mapping[str, int] | None = None,
) -> Task:
    """The task that asks a teacher about the train split and scores what may be learned from.

    Accepted is a completion that ended by itself, whose stages are all there, and that the task's first
    scorer calls correct. samples_per: field → most samples of each of its groups, in their order.
    The task's dataset is a TeacherDataset.
    """
    distill = declared(spec)
    way = calls_of(spec, calls)
    attempts = distill.retries if retries is None else retries
    asked = teacher_spec(spec, way)
    args = train_args(spec, dataset_args)
    # A record is read with the fields of both prompts: what is asked of the teacher is learned by a student.
    loaded = load_records(asked.model_copy(update={"prompt": f"{spec.prompt}\n{asked.prompt}"}), args)
    records = {str(record["id"]): record for record in loaded}
    # The solver is made below; the spec's part names it for the prompt's hash.
    built = build_task(asked.model_copy(update={"solver": spec.solver}), args, records=loaded)
    chosen = some_of_each(built.dataset, samples_per or {})
    if distill.teacher is None:
        accept = accepted(build_scorers(spec)[0], lambda sample_id, text: refusal(distill, text))
        asked_for = prompt_hash(asked)
    else:
        named = teacher_called(distill.teacher)
        accept = accepted(None, lambda sample_id, text: named.refusal(records[sample_id], text))
        chosen = [_asked_by(named, sample, records[str(sample.id)]) for sample in chosen]
        asked_for = messages_hash(chosen)
    identity = dict((built.metadata or {})["identity"])
    return Task(
        name=f"{spec.name}-teacher",
        version=spec.version,
        dataset=TeacherDataset(chosen, f"{spec.name}-teacher", records),
        solver=teacher(
            accept,
            follow_ups=follow_ups(distill, way),
            joined=partial(_joined, distill),
            retries=attempts,
            seed=seed,
        ),
        scorer=accept,
        config=built.config,
        fail_on_error=False,
        metadata={
            **(built.metadata or {}),
            "identity": {
                **identity,
                "task": f"{spec.name}-teacher",
                "prompt_hash": asked_for,
                "student_prompt_hash": prompt_hash(spec),
                "teaching": {
                    "calls": way,
                    "retries": attempts,
                    "seed": seed,
                    "samples_per": dict(samples_per or {}),
                    **distill.model_dump(mode="json", include=set(_RECORDED)),
                },
            },
        },
    )


def refusal(distill: DistillSpec, completion: str) -> str | None:
    """What of its form keeps a completion from being learned, or None."""
    if distill.stages:
        try:
            read_stages(completion, tuple(distill.stages))
        except ValueError as error:
            return str(error)
    elif not completion.strip():
        return "empty"
    phrase = forbidden_phrase(completion, distill.forbid)
    return f"says {phrase!r}" if phrase else None


def lessons(spec: TaskSpec, record: Record, completion: str) -> Mapping[str, str]:
    """What a student learns of an accepted completion, by variant; the only one of most tasks has no name.

    The stages with the gold as the last, the text as it is, or what the task's own teacher makes of it.
    """
    distill = declared(spec)
    if distill.teacher is not None:
        return teacher_called(distill.teacher).lessons(record, completion)
    if not distill.stages:
        return {"": completion.strip()}
    stages = read_stages(completion, tuple(distill.stages))
    stages[list(stages)[-1]] = distill.conclusion.format_map(_with_first_target(spec, record))
    return {"": stages_text(stages)}


def bare_answer(spec: TaskSpec, record: Record) -> str:
    """What a student learns where no completion was accepted; RequestError when the task declares nothing."""
    distill = declared(spec)
    if distill.fallback is None:
        raise RequestError(f"--fallback: task {spec.name!r} declares no distill.fallback; leave it out")
    return distill.fallback.format_map(_with_first_target(spec, record))


def some_of_each(samples: Dataset | Sequence[Sample], samples_per: Mapping[str, int]) -> list[Sample]:
    """The first so many samples of each group of each named field; RequestError for a field that none has."""
    kept = list(samples)
    for name, most in samples_per.items():
        fields = sorted({field for sample in kept for field in sample.metadata or {}})
        if kept and name not in fields:
            raise RequestError(
                f"--samples-per {name}={most}: the records have no field {name!r}"
                f"{did_you_mean(name, fields)} (they have {', '.join(fields)})"
            )
        seen: Counter[str] = Counter()
        few = []
        for sample in kept:
            group = str((sample.metadata or {}).get(name))
            seen[group] += 1
            if seen[group] <= most:
                few.append(sample)
        kept = few
    return kept


def messages_hash(samples: Sequence[Sample]) -> str:
    """The digest of what a teacher is sent in all: roles, texts and the bytes of the pictures."""
    known: dict[str, str] = {}
    digest = hashlib.sha256()
    for sample in sorted(samples, key=lambda sample: str(sample.id)):
        said = [] if isinstance(sample.input, str) else [_said(one, known) for one in sample.input]
        digest.update(json.dumps([str(sample.id), said], ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _said(message: ChatMessage, known: dict[str, str]) -> list[object]:
    parts = [] if isinstance(message.content, str) else message.content
    images = [part.image for part in parts if isinstance(part, ContentImage)]
    for image in images:
        known.setdefault(image, image_digest(Path(image)))
    return [message.role, message.text, [known[image] for image in images]]


def _asked_by(named: Teacher, sample: Sample, record: Record) -> Sample:
    if "unreadable" in record:
        return sample
    return sample.model_copy(update={"input": [_message(turn) for turn in named.messages(record)]})


def _message(turn: Turn) -> ChatMessage:
    if turn.role == "system":
        return ChatMessageSystem(content=turn.text)
    if turn.role == "assistant":
        return ChatMessageAssistant(content=turn.text)
    parts: list[Content] = [ContentImage(image=str(image)) for image in turn.images]
    return ChatMessageUser(content=[*parts, ContentText(text=turn.text)])


def _asked(distill: DistillSpec, tags: Sequence[str]) -> str:
    return stages_text({tag: distill.stages[tag] for tag in tags})


def _joined(distill: DistillSpec, replies: Sequence[str]) -> str:
    return replies[0] if len(replies) == 1 else joined_replies(replies, tuple(distill.stages))


def _with_first_target(spec: TaskSpec, record: Record) -> dict[str, object]:
    """The record; of several right answers the first."""
    target = record[spec.dataset.target]
    return {**record, spec.dataset.target: target[0] if isinstance(target, list) else target}
