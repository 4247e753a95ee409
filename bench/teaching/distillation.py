"""A teacher's run over a task's train split → a training folder of what was accepted.

The run is an evaluation like any other: journal, log, resume. Its log's samples that scored correct are the
folder's rows; those that did not are counted by their reasons.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval_async
from inspect_ai.log import EvalLog

from bench.building.teacher_task import Calls, TeacherDataset, bare_answer, calls_of, declared, lessons
from bench.declarations.catalog import find_task
from bench.declarations.task_spec import TaskSpec
from bench.errors import IncompleteRunError, RequestError, did_you_mean
from bench.records.loading import Record, image_files
from bench.records.training_card import training_card
from bench.records.training_folder import write_folder
from bench.registry import teacher_task
from bench.running.dry_run import shown_prompt
from bench.running.lifetime import quiet_collector
from bench.running.request import RunRequest, Show
from bench.running.run import QUIET, needed_length, run_one
from bench.running.run_context import run_context
from bench.serving.model import ModelRequest, ServedModel, check_endpoint, library_versions, resolve_model
from results.logs.sample_file import SampleFile
from results.shown.acceptance_table import Acceptance, acceptance
from solvers.replay import replay
from tasks.declared import RATIONALES, Rationale, rationale_of
from trainers.data.examples import TrainExample, examples_hash

PROGRAMMATIC = "programmatic"
"""The teacher that is no model: the task's own rationale of each record."""


@dataclass(frozen=True)
class DistillRequest:
    """One ``bench distill``: names as the user gave them, and what overrides the declaration."""

    task: str
    teacher: str
    out: Path
    log_dir: Path | None = None
    limit: int | None = None
    samples_per: Mapping[str, int] = field(default_factory=dict)
    retries: int | None = None
    calls: Calls | None = None
    fallback: bool = False
    seed: int = 0
    temperature: float | None = None
    max_tokens: int | None = None
    price: tuple[float, float] | None = None
    resume: bool = False
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    model_args: Mapping[str, Any] = field(default_factory=dict)
    base_url: str | None = None
    trust_remote_code: bool = False

    @property
    def logs(self) -> Path:
        """Where the teacher's log goes: beside the folder, since it is no result of a checkpoint's."""
        return self.log_dir or self.out.with_name(self.out.name + ".logs")


@dataclass(frozen=True)
class Distilled:
    """Training folders and how they came about. provenance: what its card says, as plain data."""

    folders: tuple[Path, ...]
    log: str
    rows: int
    acceptance: Acceptance
    provenance: Mapping[str, Any]


def run_teacher(request: DistillRequest, show: Show) -> Distilled:
    """Ask the teacher, and write what was accepted.

    Raises RequestError before anything runs, IncompleteRunError when something ends it early; what was
    finished is then in the log, and ``resume`` goes on from it.
    """
    spec, task = _checked(request)
    if request.teacher == PROGRAMMATIC:
        log, identity = asyncio.run(_programmatic(request, spec, task, show))
    else:
        log, identity = asyncio.run(_taught(request, task, show))
    return _written(request, spec, task, log, identity)


def describe_teaching(request: DistillRequest) -> dict[str, Any]:
    """What would be asked of whom, with one whole prompt of the teacher's; starts nothing."""
    spec, task = _checked(request, dry=True)
    served = None if request.teacher == PROGRAMMATIC else _served(request, task)
    example = task.dataset[0]
    if served is None:
        written = _rationales(_rationale(spec), {str(example.id): _records(task)[str(example.id)]})
        prompt = {"sample": example.id, "completion": written.get(str(example.id))}
    else:
        prompt = shown_prompt(example, served)
    return {
        "task": (task.metadata or {})["identity"],
        "teacher": {"model": PROGRAMMATIC} if served is None else served.identity(),
        "samples": min(len(task.dataset), request.limit or len(task.dataset)),
        "generation": {**task.config.model_dump(exclude_none=True), **_generation(request)},
        "prompt": prompt,
        "out": str(request.out),
        "logs": str(request.logs),
    }


def _checked(request: DistillRequest, *, dry: bool = False) -> tuple[TaskSpec, Task]:
    """The student's task and the teacher's; RequestError for whatever can be known to be wrong now."""
    spec = find_task(request.task)
    block = declared(spec)
    if request.out.exists() and not request.resume and not dry:
        raise RequestError(f"--out {request.out}: already exists; give another folder, or --resume")
    if request.fallback and block.fallback is None:
        raise RequestError(f"--fallback: task {spec.name!r} declares no distill.fallback; leave it out")
    temperature = block.generation.temperature if request.temperature is None else request.temperature
    retries = block.retries if request.retries is None else request.retries
    if retries and temperature == 0 and request.teacher != PROGRAMMATIC:
        raise RequestError(
            f"--temperature 0 with {retries} retries: each would write the same; add --retries 0"
        )
    calls_of(spec, request.calls)
    return spec, teacher_task(student_task=request.task, **_task_args(request))


def _task_args(request: DistillRequest) -> dict[str, Any]:
    """The arguments of the teacher's task, as its log has them. No attempts are made of a rationale."""
    how = {"calls": request.calls, "retries": request.retries, "teacher_seed": request.seed}
    return {
        **request.dataset_args,
        **(how if request.teacher != PROGRAMMATIC else {}),
        "samples_per": dict(request.samples_per),
    }


async def _taught(request: DistillRequest, task: Task, show: Show) -> tuple[str, dict[str, Any]]:
    """(log, identity of the teacher) of a run of the model."""
    if request.base_url:
        check_endpoint(request.base_url)
    served = _served(request, task)
    try:
        run = await run_one(run_request(request), task, served, show)
    finally:
        with contextlib.suppress(Exception):
            await served.model.api.aclose()
    return run.location, served.identity()


def run_request(request: DistillRequest) -> RunRequest:
    """The teacher's run, as any other is asked for."""
    return RunRequest(
        tasks=(request.task,),
        models=(request.teacher,),
        log_dir=request.logs,
        limit=request.limit,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
        resume=request.resume,
        dataset_args=_task_args(request),
        model_args=request.model_args,
        base_url=request.base_url,
        trust_remote_code=request.trust_remote_code,
        # The accepted samples' are in the folder, and a whole train split's would fill the log.
        log_images=False,
    )


def _served(request: DistillRequest, task: Task) -> ServedModel:
    teaching = (task.metadata or {})["identity"]["teaching"]
    # Each call's reply stands in the conversation of the next.
    replies = len(teaching["stages"]) if teaching["calls"] == "stage" else 1
    limit = (request.max_tokens or task.config.max_tokens or 512) * replies
    asked = ModelRequest(
        request.teacher,
        base_url=request.base_url,
        trust_remote_code=request.trust_remote_code,
        arguments=request.model_args,
        log_file=request.logs.absolute() / "engine" / f"{uuid.uuid4().hex[:8]}.log",
        needed_length=needed_length([task], limit),
    )
    try:
        return resolve_model(asked)
    except RequestError as error:
        said = str(error).replace(f"--model {request.teacher}", f"--teacher {request.teacher}", 1)
        raise RequestError(f"{said}{did_you_mean(request.teacher, [PROGRAMMATIC])}") from error


async def _programmatic(
    request: DistillRequest, spec: TaskSpec, task: Task, show: Show
) -> tuple[str, dict[str, Any]]:
    """(log, identity) of the task's own rationales, scored as a model's completions are."""
    rationales = _rationales(_rationale(spec), _records(task))
    identity = {
        "model": PROGRAMMATIC,
        "weights_digest": None,
        "completions_hash": hashlib.sha256(json.dumps(sorted(rationales.items())).encode()).hexdigest(),
        "engine": None,
        "libraries": library_versions(),
    }
    count = min(len(task.dataset), request.limit or len(task.dataset))
    with (
        show.samples(f"{task.name} × {PROGRAMMATIC}", count) as advance,
        quiet_collector(),
        run_context(completed=advance),
    ):
        log = await _replayed(task, rationales, request, identity)
    if log.status != "success":
        raise IncompleteRunError(f"scoring stopped: {log.error.message if log.error else log.status}")
    return log.location, identity


async def _replayed(
    task: Task, rationales: Mapping[str, str], request: DistillRequest, identity: Mapping[str, Any]
) -> EvalLog:
    (log,) = await eval_async(
        task,
        model=None,
        solver=replay({name: (text, "stop") for name, text in rationales.items()}, PROGRAMMATIC),
        metadata={"model": dict(identity)},
        limit=request.limit,
        log_dir=str(request.logs),
        fail_on_error=False,
        max_samples=64,
        log_images=False,
        **QUIET,
    )
    return log


def _rationale(spec: TaskSpec) -> Rationale:
    """What writes the task's own rationales; RequestError when it has none."""
    write = rationale_of(spec.dataset.records)
    if write is None:
        able = ", ".join(RATIONALES)
        raise RequestError(
            f"--teacher {PROGRAMMATIC}: task {spec.name!r} has no rationales of its own (those that have: "
            f"{able}); give a model"
        )
    return write


def _rationales(write: Rationale, records: Mapping[str, Record]) -> dict[str, str]:
    """The rationale of each record that has one; the others are counted as unscored."""
    written: dict[str, str] = {}
    for sample_id, record in records.items():
        with contextlib.suppress(ValueError):
            if "unreadable" not in record:
                written[sample_id] = write(record)
    return written


def _records(task: Task) -> Mapping[str, Record]:
    """The records behind the teacher's task, by sample id."""
    assert isinstance(task.dataset, TeacherDataset)
    return task.dataset.records


def _generation(request: DistillRequest) -> dict[str, Any]:
    given = {"temperature": request.temperature, "max_tokens": request.max_tokens}
    return {name: value for name, value in given.items() if value is not None}


def _written(
    request: DistillRequest, spec: TaskSpec, task: Task, log: str, identity: Mapping[str, Any]
) -> Distilled:
    found, records = acceptance(log), _records(task)
    examples: dict[str, list[TrainExample]] = {}
    fallbacks = 0
    with SampleFile(log) as file:
        for sample_id in (str(sample.id) for sample in task.dataset):
            what = found.by_sample.get(sample_id)
            if what is None or what.state == "unscored":
                continue
            record = records[sample_id]
            texts: Mapping[str, str] = {}
            if what.state == "accepted":
                texts = lessons(spec, record, file.read(sample_id, 1).completion)
            elif request.fallback:
                texts = {"": bare_answer(spec, record)}
                fallbacks += 1
            for variant, text in texts.items():
                examples.setdefault(variant, []).append(_example(spec, record, text))
    provenance = {
        **_provenance(spec, found.run.identity, identity),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "log": Path(log).name,
        "rows": max(map(len, examples.values()), default=0),
        "fallbacks": fallbacks,
        **found.as_plain(request.price),
    }
    folders = {request.out / variant: rows for variant, rows in (examples or {"": []}).items()}
    hashes = {folder: examples_hash(rows) for folder, rows in folders.items()}
    for folder, rows in folders.items():
        own = {**provenance, "data_hash": hashes[folder]}
        write_folder(folder, rows, spec.name, own, training_card(folder.name, spec, own))
    first = next(iter(hashes.values()))
    return Distilled(tuple(folders), log, provenance["rows"], found, {**provenance, "data_hash": first})


def _example(spec: TaskSpec, record: Record, text: str) -> TrainExample:
    return TrainExample(
        id=str(record["id"]),
        images=tuple(image_files(spec, record)),
        prompt=spec.render(record),
        completion=text,
        system=spec.system,
        groups={name: _group(record[name]) for name in spec.report.by if name in record},
    )


def _group(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _provenance(spec: TaskSpec, asked: Mapping[str, Any], teacher: Mapping[str, Any]) -> dict[str, Any]:
    """What made the rows: task, teacher and how it was asked. Paths are cut to their names."""
    named = (
        "weights_digest",
        "completions_hash",
        "revision",
        "engine",
        "engine_version",
        "dtype",
        "libraries",
    )
    return {
        "task": spec.name,
        "task_version": spec.version,
        "split": "train",
        "dataset_args": {name: _portable(value) for name, value in (asked.get("dataset_args") or {}).items()},
        "records": asked.get("records"),
        "records_hash": asked.get("data_hash"),
        "teacher": {
            "model": _portable(teacher["model"]),
            **{name: teacher[name] for name in named if teacher.get(name) is not None},
        },
        "teacher_prompt_hash": None if teacher["model"] == PROGRAMMATIC else asked.get("prompt_hash"),
        "student_prompt_hash": asked.get("student_prompt_hash"),
        "teaching": None if teacher["model"] == PROGRAMMATIC else asked.get("teaching"),
        "generation": asked.get("generation") if teacher["model"] != PROGRAMMATIC else None,
    }


def _portable(value: object) -> object:
    """A value without this machine's folders."""
    if isinstance(value, str) and (value.startswith((".", "~", "/")) or Path(value).exists()):
        return Path(value).name
    return value
