"""TaskSpec → inspect Task: prompts rendered, images by file reference, identity attached."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    GenerateConfig,
)
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

from bench.building.scoring import scorer_signatures, with_encoder, with_judge, with_references
from bench.building.shots import Shots, with_overrides
from bench.declarations.parts import NamedPart, declared_parts
from bench.declarations.task_spec import TaskSpec
from bench.declarations.yaml_lines import Declaration, Problem
from bench.errors import RequestError, did_you_mean
from bench.records.identity import data_hash, image_digest, prompt_hash
from bench.records.loading import Record, image_files, load_records
from scorers.bertscore.vector_cache import reference_cache
from scorers.declared import SCORERS
from scorers.options.option_scorer import option_readings
from solvers.declared import SOLVERS
from tasks.cache import cache_folder
from tasks.hub import asked_or_kept, kept_alone

# Metadata is for groups and tables; what a scorer reads of it at any length is declared as `kept`.
_LONGEST_METADATA = 1000


def build_task(
    spec: TaskSpec,
    dataset_args: Mapping[str, object] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    records: list[Record] | None = None,
) -> Task:
    """The inspect task of a declaration, its records loaded where they are not given.

    dataset_args override ``dataset.args`` (the user's ``-T``); ``solver`` and ``shots`` among them override
    the declaration's own. Raises RequestError when the records, a prompt field or a report field is missing.
    """
    spec, given = with_encoder(spec, dataset_args or {})
    spec, given = with_judge(spec, given)
    spec, dataset_args = with_overrides(spec, given)
    if records is None:
        records = load_records(spec, dataset_args, progress=progress)
    if not records:
        raise RequestError(f"task {spec.name!r} has no records with {dict(given)}")
    _check_report(spec, records)
    shots = Shots.drawn(spec, dataset_args)
    readable = [record for record in records if "unreadable" not in record]
    digests = {file: image_digest(file) for file in {f for r in readable for f in image_files(spec, r)[:1]}}
    samples = [_sample(spec, record, shots, digests) for record in records]
    references = [[s.target] if isinstance(s.target, str) else s.target for s in samples if s.target]
    spec = with_references(spec, references)
    scorers = build_scorers(spec)
    return Task(
        name=spec.name,
        version=spec.version,
        dataset=MemoryDataset(samples, name=spec.name),
        solver=build_solver(spec),
        scorer=scorers,
        config=generate_config(spec),
        fail_on_error=False,
        metadata={
            "identity": {
                "task": spec.name,
                "task_version": spec.version,
                "data_hash": data_hash(records, spec.dataset.image, digests),
                "prompt_hash": prompt_hash(spec, shots.digest),
                "records": len(records),
                "metrics": scorer_signatures(spec, references),
                "lower_is_better": [n for part in spec.scorer for n in SCORERS[part.name].lower_is_better],
                "dataset_args": {name: _plain(value) for name, value in given.items()},
            },
            "report": {"by": list(spec.report.by), "cluster": "cluster"},
        },
    )


def build_solver(spec: TaskSpec) -> Solver:
    """The declared solver; RequestError when it does not take its arguments."""
    solver: Solver = _made(spec, "solver", spec.solver)
    return solver


def build_scorers(spec: TaskSpec) -> list[Scorer]:
    """The declared scorers; RequestError when one does not take its arguments."""
    encoder = any(part.name == "bertscore" for part in spec.scorer)
    with _references_kept(), asked_or_kept() if encoder else contextlib.nullcontext():
        made = [_made(spec, "scorer", part) for part in spec.scorer]
        # The solver that compares options leaves several readings of them, and all are reported.
        return [*made, option_readings()] if spec.solver.name == "option_likelihood" else made


@contextlib.contextmanager
def _references_kept() -> Iterator[None]:
    """The folder of vectors is known here, and not to scorers, which import none of ours."""
    token = reference_cache.set(cache_folder("bertscore"))
    try:
        yield
    finally:
        reference_cache.reset(token)


def argument_problems(declared: Declaration) -> list[Problem]:
    """Every mistake in the arguments of a task.yaml's solver and scorers, whatever else is wrong with it.

    Nothing is downloaded: that an encoder is not here yet is no mistake of the file.
    """
    problems: list[Problem] = []
    with _references_kept(), kept_alone():
        for what, names in (("solver", SOLVERS), ("scorer", SCORERS)):
            for place, part in declared_parts(declared.data.get(what)):
                if part.name not in names:
                    continue
                make = _maker(what, part.name)
                if unknown := _unknown_arguments(what, make, part):
                    problems += [Problem(declared.line((what, *place, key)), unknown[key]) for key in unknown]
                    continue
                try:
                    make(**part.args)
                except (TypeError, ValueError) as error:
                    if not type(error.__cause__).__module__.startswith("huggingface_hub"):
                        said = f"{what} {part.name!r}: {error}"
                        problems.append(Problem(declared.line((what, *place)), said))
    return problems


def _maker(what: str, name: str) -> Callable[..., Any]:
    maker: Callable[..., Any] = resolve_name(SOLVERS[name]) if what == "solver" else SCORERS[name].maker()
    return maker


def _unknown_arguments(what: str, make: Callable[..., object], part: NamedPart) -> dict[str, str]:
    """Each argument that a solver or scorer does not take, and what is to be said of it."""
    allowed = list(inspect.signature(make).parameters)
    takes = ", ".join(allowed) or "no arguments"
    return {
        name: f"{what} {part.name!r} takes {takes}, not {name!r}{did_you_mean(name, allowed)}"
        for name in part.args
        if name not in allowed
    }


def _made(spec: TaskSpec, what: str, part: NamedPart) -> Any:
    make = _maker(what, part.name)
    if unknown := _unknown_arguments(what, make, part):
        raise RequestError("\n".join(f"task {spec.name!r}: {said}" for said in unknown.values()))
    try:
        return make(**part.args)
    except (TypeError, ValueError) as error:
        raise RequestError(f"task {spec.name!r}: {what} {part.name!r}: {error}") from error


def generate_config(spec: TaskSpec) -> GenerateConfig:
    """The task's generation settings in inspect's terms."""
    settings = spec.generation
    return GenerateConfig(
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        seed=settings.seed,
        max_tokens=settings.max_tokens,
        stop_seqs=list(settings.stop) if settings.stop else None,
    )


def _sample(spec: TaskSpec, record: Record, shots: Shots, digests: Mapping[Path, str]) -> Sample:
    sample_id = str(record["id"])
    if "unreadable" in record:
        # Kept as a sample, so that it is counted; its solver fails with the reason.
        return Sample(
            id=sample_id,
            input=f"(unreadable: {record['unreadable']})",
            target="",
            metadata={**_metadata(spec, record, digests), "unreadable": record["unreadable"]},
        )
    messages: list[ChatMessage] = [ChatMessageSystem(content=spec.system)] if spec.system else []
    for shot in shots.before(spec, record):
        messages.append(_question(spec, shot))
        messages.append(ChatMessageAssistant(content=spec.shots.answer.format_map(shot)))
    messages.append(_question(spec, record))
    target = record[spec.dataset.target]
    choices = record[spec.dataset.choices] if spec.dataset.choices else None
    return Sample(
        id=sample_id,
        input=messages,
        choices=[str(choice) for choice in choices] if isinstance(choices, list) else None,
        target=[str(item) for item in target] if isinstance(target, list | tuple) else str(target),
        metadata=_metadata(spec, record, digests),
    )


def _question(spec: TaskSpec, record: Record) -> ChatMessageUser:
    """A record's prompt, its images before its text."""
    parts: list[Content] = [ContentImage(image=str(path)) for path in image_files(spec, record)]
    return ChatMessageUser(content=[*parts, ContentText(text=spec.render(record))])


def _metadata(spec: TaskSpec, record: Record, digests: Mapping[Path, str]) -> dict[str, Any]:
    """The record's short fields, the digest of its picture, and its cluster key."""
    metadata: dict[str, Any] = {
        name: value
        for name, value in record.items()
        if name not in (spec.dataset.id, spec.dataset.target)
        # A list is several groups that one record is in.
        and (
            isinstance(value, str | int | float | bool)
            or (isinstance(value, list) and name in spec.report.by)
        )
        and (len(str(value)) <= _LONGEST_METADATA or name in spec.dataset.kept)
    }
    images = [] if "unreadable" in record else image_files(spec, record)
    if images:
        metadata["image"] = digests[images[0]][:16]
        metadata["image_file"] = str(images[0])
    cluster = spec.report.cluster
    if cluster is not None and cluster in spec.dataset.image:
        metadata["cluster"] = metadata.get("image", record["id"])
    else:
        key = record.get(cluster or spec.dataset.id)
        metadata["cluster"] = str(record["id"] if key is None else key)
    return metadata


def _check_report(spec: TaskSpec, records: list[Record]) -> None:
    """Fields that the report names must be in the records, or every table would be empty."""
    readable = next((record for record in records if "unreadable" not in record), None)
    if readable is None:
        return
    for name in (*spec.report.by, *((spec.report.cluster,) if spec.report.cluster else ())):
        if name not in readable:
            fields = ", ".join(sorted(readable))
            raise RequestError(
                f"task {spec.name!r}: report names {name!r}, but the records have {fields}"
                f"{did_you_mean(name, list(readable))}"
            )


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | list | None.__class__) else str(value)
