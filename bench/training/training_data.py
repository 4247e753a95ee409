"""A recipe's data → examples: a task's records with their rationales, a training folder, a file, the hub.

Examples to train on, examples held back for validation, and those of the test splits that training may share
nothing with. A row that cannot be used is left out with its reason, never guessed at.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.declarations.catalog import builtin_tasks, find_task
from bench.declarations.recipes import check_data_is_there
from bench.declarations.task_spec import TaskSpec
from bench.errors import RequestError, did_you_mean, first_line
from bench.records.images import image_file
from bench.records.loading import Progress, Record, image_files, load_records
from bench.records.rows import Row, Rows, hub_rows, jsonl_rows, parquet_rows
from bench.records.training_folder import PROVENANCE
from tasks.declared import rationale_of, record_function
from trainers.data.examples import TrainData, TrainExample
from trainers.data.split import hold_back
from trainers.data.targets import target_text
from trainers.recipe import TrainRecipe

_COLUMNS = (
    "images",
    "image",
    "prompt",
    "completion",
    "messages",
    "task",
    "sample_id",
    "id",
    "groups",
    "system",
)
_HOW_MANY = ("split", "size", "seed", "subset", "balanced", "topics")
"""Arguments of records that choose among them: those of the train split say nothing of the test split."""


def training_data(
    recipe: TrainRecipe,
    *,
    also_held_out: Iterable[str] = (),
    held_out_args: Mapping[str, object] = MappingProxyType({}),
    progress: Progress | None = None,
) -> TrainData:
    """The examples of a recipe. also_held_out: further tasks whose test split is not to be trained on.

    held_out_args: arguments of the test splits' records, such as `path`; what the recipe or its training
    folder says of where the records lie holds as well. RequestError when the source is missing or holds
    nothing that can be trained on, and when a test split of `also_held_out` is unavailable.
    """
    left_out: dict[str, str] = {}
    asked = {spec.name: spec for spec in map(find_task, also_held_out)}
    specs = dict(asked)
    if recipe.data.task is not None:
        spec = find_task(recipe.data.task)
        train = _of_task(recipe, spec, dict(recipe.data.args), recipe.data.split, left_out, progress)
        validation = _validation_of_task(recipe, spec)
        specs[spec.name] = spec
        named = {spec.name}
    else:
        rows = _rows(recipe)
        examples, named = _of_rows(recipe, rows, left_out)
        specs = {name: find_task(name) for name in sorted(named) if name in builtin_tasks()} | specs
        train, validation = hold_back(examples, recipe.validation.size, recipe.seed)
    if recipe.data.limit is not None:
        train = train[: recipe.data.limit]
    if not train:
        listed = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:3])
        raise RequestError(
            f"recipe {recipe.name!r}: no example to train on ({listed or 'the source is empty'})"
        )
    held_out, unchecked = _held_out(recipe, specs.values(), held_out_args, asked)
    unchecked |= {
        name: "no task of Tunebench; --eval with the path of its YAML file compares them"
        for name in sorted(named - specs.keys())
    }
    if not specs and not named:
        unchecked["any task"] = "the examples name none; --eval TASK compares them with its test split"
    described = {
        "source": recipe.data.source,
        "examples": len(train),
        "groups": _group_sizes(train),
        "validation": len(validation),
        "held_out": {name: len(found) for name, found in held_out.items()},
        "held_out_unchecked": unchecked,
        **_teacher(recipe),
    }
    tests = [example for found in held_out.values() for example in found]
    return TrainData(train, validation, tests, left_out, described)


def _teacher(recipe: TrainRecipe) -> dict[str, Any]:
    """Whose texts a training folder holds, so that the same model is seen when it judges what was learned."""
    said = _provenance(recipe).get("teacher")
    if not isinstance(said, Mapping):
        return {}
    return {"teacher": {name: said.get(name) for name in ("model", "weights_digest")}}


def _provenance(recipe: TrainRecipe) -> dict[str, Any]:
    """What a training folder says of how it was made; nothing where it does not say."""
    if recipe.data.folder is None:
        return {}
    try:
        said = json.loads((recipe.data.folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _group_sizes(examples: Sequence[TrainExample]) -> dict[str, dict[str, int]]:
    """Report field → group → its examples, to set scores against what was trained on."""
    sizes: dict[str, dict[str, int]] = {}
    for example in examples:
        for name, group in example.groups.items():
            counts = sizes.setdefault(name, {})
            counts[group] = counts.get(group, 0) + 1
    return sizes


def _of_task(
    recipe: TrainRecipe,
    spec: TaskSpec,
    args: dict[str, Any],
    split: str,
    left_out: dict[str, str],
    progress: Progress | None = None,
) -> list[TrainExample]:
    records = load_records(spec, {**args, "split": split}, progress=progress)
    examples = []
    for record in records:
        try:
            examples.append(_example(recipe, spec, record))
        except ValueError as error:
            left_out[str(record["id"])] = str(error)
    return examples


def _validation_of_task(recipe: TrainRecipe, spec: TaskSpec) -> list[TrainExample]:
    """The task's own validation split, as many as the recipe asks for."""
    size = recipe.validation.size
    if not size:
        return []
    args = dict(recipe.data.args)
    if spec.dataset.records is not None:
        parameters = inspect.signature(record_function(spec.dataset.records)).parameters
        args.update({"size": size} if "size" in parameters else {})
    return _of_task(recipe, spec, args, "validation", {})[:size]


def _example(recipe: TrainRecipe, spec: TaskSpec, record: Record) -> TrainExample:
    """A task's record as an example; ValueError when it has no completion of the recipe's form."""
    if "unreadable" in record:
        raise ValueError(str(record["unreadable"]))
    target = record[spec.dataset.target]
    answer = str(target[0] if isinstance(target, list) else target)
    form = recipe.target.form
    explain = rationale_of(spec.dataset.records)
    if form != "answer_only" and explain is None:
        raise ValueError(
            f"task {spec.name!r} has no rationales of its own for {form}; distil some into a training folder "
            "and name it in data.folder"
        )
    text = explain(record) if explain is not None and form != "answer_only" else None
    return TrainExample(
        id=str(record["id"]),
        images=tuple(image_files(spec, record)),
        prompt=spec.render(record),
        completion=target_text(form, text=text, answer=answer, template=recipe.target.answer),
        system=spec.system,
        groups={name: str(record[name]) for name in spec.report.by if name in record},
        sources=tuple(str(value) for name, value in record.items() if name.endswith("_sha")),
    )


def _held_out(
    recipe: TrainRecipe,
    specs: Iterable[TaskSpec],
    given: Mapping[str, object],
    needed: Container[str],
) -> tuple[dict[str, list[TrainExample]], dict[str, str]]:
    """The test splits of tasks, and why one could not be looked at; RequestError where it is needed."""
    found: dict[str, list[TrainExample]] = {}
    unchecked: dict[str, str] = {}
    for spec in specs:
        try:
            records = load_records(spec, {**_known_args(recipe, spec), **given})
        except RequestError as error:
            if spec.name in needed:
                raise
            unchecked[spec.name] = f"{error}; -T path=… says where its records are"
            continue
        found[spec.name] = [
            TrainExample(
                id=str(record["id"]),
                images=tuple(image_files(spec, record)),
                prompt=spec.render(record),
                completion="",
                sources=tuple(str(value) for key, value in record.items() if key.endswith("_sha")),
            )
            for record in records
            if "unreadable" not in record
        ]
    return found, unchecked


def _known_args(recipe: TrainRecipe, spec: TaskSpec) -> dict[str, object]:
    """What the recipe, or the training folder it names, says of a task's records, but for how many to take.

    A training folder names files without their folders; one that lies here under that name is taken for it.
    """
    if recipe.data.task is not None:
        said = dict(recipe.data.args) if find_task(recipe.data.task).name == spec.name else {}
    else:
        provenance = _provenance(recipe)
        said = dict(provenance.get("dataset_args") or {}) if provenance.get("task") == spec.name else {}
        if not Path(str(said.get("path"))).exists():
            said.pop("path", None)
    return {name: value for name, value in said.items() if name not in _HOW_MANY}


def _rows(recipe: TrainRecipe) -> list[Rows]:
    data = recipe.data
    check_data_is_there(recipe)
    try:
        if data.folder is not None:
            return [parquet_rows(file) for file in _parquet_files(data.folder, data.split)]
        if data.jsonl is not None:
            return [jsonl_rows(data.jsonl)]
        if data.parquet is not None:
            return [parquet_rows(data.parquet)]
    except (OSError, ValueError) as error:
        raise RequestError(f"data.{data.source}: cannot be read: {first_line(error)}") from error
    try:
        return [hub_rows(str(data.hub), None, data.revision, data.split)]
    except Exception as error:  # the hub's client has no common error
        raise RequestError(
            f"data.hub: {data.hub} (revision {data.revision}, split {data.split}) cannot be loaded: "
            f"{first_line(error)}. Check the names and the network, or name a downloaded copy in data.folder"
        ) from error


def _parquet_files(folder: Path, split: str) -> list[Path]:
    """A training folder's files of a split; all of them where no file is named for a split."""
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise RequestError(f"data.folder: no parquet files in {folder}; `bench distill` writes them")
    named = [file for file in files if file.name.startswith(split)]
    others = any(file.name.startswith(("train", "validation", "test")) for file in files)
    if not named and others:
        raise RequestError(
            f"data.folder: {folder} has no split {split!r} ({', '.join(f.name for f in files)})"
        )
    return named or files


def _of_rows(
    recipe: TrainRecipe, sources: Iterable[Rows], left_out: dict[str, str]
) -> tuple[list[TrainExample], set[str]]:
    """Examples of rows with prompt and completion (or messages), and the tasks they name."""
    examples: list[TrainExample] = []
    tasks: set[str] = set()
    seen: set[str] = set()
    for rows in sources:
        for row in rows.rows:
            name = str(row.fields.get("sample_id") or row.fields.get("id") or row.where)
            if name in seen:  # the same sample of several teachers or epochs
                name = f"{name} ({row.where})"
            seen.add(name)
            try:
                examples.append(_row_example(recipe, row, rows.folder, name))
            except ValueError as error:
                left_out[name] = str(error)
                continue
            if isinstance(row.fields.get("task"), str):
                tasks.add(str(row.fields["task"]))
    return examples, tasks


def _row_example(recipe: TrainRecipe, row: Row, folder: Path, name: str) -> TrainExample:
    if row.mistake is not None:
        raise ValueError(row.mistake)
    prompt, text, system = _texts(row.fields)
    given = row.fields.get("images", row.fields.get("image"))
    if given is None or (isinstance(given, list | tuple) and not given):
        raise ValueError("no image; a vision-language model is trained on rows with images")
    pictures = given if isinstance(given, list | tuple) else [given]
    groups = row.fields.get("groups")
    return TrainExample(
        id=name,
        images=tuple(image_file(picture, folder) for picture in pictures),
        prompt=prompt,
        completion=target_text(recipe.target.form, text=text, template=recipe.target.answer),
        system=system,
        groups={str(k): str(v) for k, v in groups.items()} if isinstance(groups, Mapping) else {},
    )


def _texts(fields: Mapping[str, object]) -> tuple[str, str, str | None]:
    """(prompt, completion, system) of a row in TRL's forms: plain texts, or chat messages of one turn."""
    prompt, answer, system = fields.get("prompt"), fields.get("completion"), fields.get("system")
    if isinstance(fields.get("messages"), list):
        messages: list[Any] = fields["messages"]  # type: ignore[assignment]
        prompt, answer = messages[:-1], messages[-1:]
    if isinstance(prompt, list):
        system = next((_said(m) for m in prompt if m.get("role") == "system"), system)
        asked = [m for m in prompt if m.get("role") == "user"]
        if len(asked) != 1 or any(m.get("role") == "assistant" for m in prompt):
            raise ValueError("not one question and one answer: only single-turn conversations are trained on")
        prompt = _said(asked[0])
    if isinstance(answer, list):
        answer = _said(answer[0]) if len(answer) == 1 and answer[0].get("role") == "assistant" else None
    if not isinstance(prompt, str) or not isinstance(answer, str):
        missing = "prompt" if not isinstance(prompt, str) else "completion"
        given = [name for name, value in fields.items() if value is not None]
        raise ValueError(
            f"no {missing}{did_you_mean(missing, given)} (columns: {', '.join(given)}; "
            f"known: {', '.join(_COLUMNS)})"
        )
    return prompt, answer, str(system) if system else None


def _said(message: Any) -> str:
    """The text of a chat message."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content or () if part.get("type") == "text")
