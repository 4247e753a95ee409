"""What a run adds to a task's scorers: the user's encoder and judge, the task's references, signatures."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from inspect_ai import Task
from inspect_ai._util.registry import registry_unqualified_name

from bench.declarations.parts import NamedPart
from bench.declarations.task_spec import TaskSpec
from bench.errors import RequestError, did_you_mean
from bench.serving.backends import prefixed
from bench.serving.checkpoint import find_checkpoint
from scorers.bertscore.encoder import Dtype
from scorers.declared import SCORERS
from tasks.cache import cache_folder

ENCODER_ARGUMENT = "bertscore_model"
"""``-T bertscore_model=PATH:LAYER:DTYPE`` or ``--bertscore-model``: the encoder, not the declared one."""

JUDGE_ARGUMENT = "correctness_judge"
"""``-T correctness_judge=MODEL``: adds the scorer to a task, or names another judge."""


def batched_scorers(task: Task) -> tuple[str, ...]:
    """The names of the task's scorers that are computed in batches, in their order."""
    names = map(registry_unqualified_name, task.scorer or ())
    return tuple(name for name in names if name in SCORERS and SCORERS[name].batched)


def with_encoder(spec: TaskSpec, given: Mapping[str, object]) -> tuple[TaskSpec, dict[str, object]]:
    """The task with the encoder that the arguments name (``none``: without bertscore), and the others.

    RequestError where the task has no bertscore, or nothing else.
    """
    others = {name: value for name, value in given.items() if name != ENCODER_ARGUMENT}
    if ENCODER_ARGUMENT not in given:
        return spec, others
    named = [part.name for part in spec.scorer]
    wanted = given[ENCODER_ARGUMENT] not in (None, "none")
    if wanted and "bertscore" not in named and any(SCORERS[name].batched for name in named):
        # A task that compares texts takes any encoder, also where none is declared for lack of a network.
        spec = spec.model_copy(update={"scorer": (*spec.scorer, NamedPart("bertscore", {}))})
    elif "bertscore" not in named:
        scorers = ", ".join(named)
        raise RequestError(
            f"--bertscore-model: task {spec.name!r} has no scorer bertscore (it has {scorers}); leave it out"
        )
    if not wanted:
        rest = tuple(part for part in spec.scorer if part.name != "bertscore")
        if not rest:
            raise RequestError(f"--bertscore-model none: task {spec.name!r} has no other scorer")
        return spec.model_copy(update={"scorer": rest}), others
    chosen = _encoder(str(given[ENCODER_ARGUMENT]))
    return _with_bertscore(spec, {"num_layers": None, "revision": None, **chosen}), others


def _encoder(asked: str) -> dict[str, Any]:
    """``MODEL[:LAYER][:DTYPE]`` as bertscore's arguments; a model's name may have colons of its own.

    >>> _encoder("./minilm:5:bfloat16")
    {'dtype': 'bfloat16', 'num_layers': 5, 'model': './minilm'}
    """
    found: dict[str, Any] = {}
    model, _, last = asked.rpartition(":")
    if model and last in get_args(Dtype):
        asked, found["dtype"] = model, last
        model, _, last = asked.rpartition(":")
    if model and last.isdigit():
        asked, found["num_layers"] = model, int(last)
    elif "dtype" not in found and re.search(r":\d+$", model):
        raise RequestError(
            f"--bertscore-model {asked}: {last!r} is not one of {', '.join(get_args(Dtype))}"
            f"{did_you_mean(last, get_args(Dtype))}"
        )
    return {**found, "model": asked}


def with_references(spec: TaskSpec, references: Sequence[Sequence[str]]) -> TaskSpec:
    """The task with ``idf: true`` resolved: its references in a file, which the log's scorer names."""
    idf = next((part.args.get("idf") for part in spec.scorer if part.name == "bertscore"), None)
    if idf is not True:
        return spec
    content = json.dumps([text for golds in references for text in golds])
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    file = cache_folder("bertscore") / f"references-{digest}.json"
    if not file.exists():
        whole = file.with_suffix(".part")
        whole.write_text(content, encoding="utf-8")
        whole.replace(file)
    return _with_bertscore(spec, {"idf": str(file)})


def with_judge(spec: TaskSpec, given: Mapping[str, object]) -> tuple[TaskSpec, dict[str, object]]:
    """The task with the judge that the arguments name, and the others; folders become models of ours."""
    others = {name: value for name, value in given.items() if name != JUDGE_ARGUMENT}
    parts = list(spec.scorer)
    if JUDGE_ARGUMENT in given:
        judge = str(given[JUDGE_ARGUMENT])
        named = [part.name for part in parts]
        if "correctness" in named:
            place = named.index("correctness")
            parts[place] = NamedPart("correctness", {**parts[place].args, "judge": judge})
        else:
            parts.append(NamedPart("correctness", {"judge": judge}))
    return spec.model_copy(update={"scorer": tuple(map(_resolved, parts))}), others


def _resolved(part: NamedPart) -> NamedPart:
    judge = part.args.get("judge")
    if isinstance(judge, str) and Path(judge).expanduser().is_dir():
        return NamedPart(part.name, {**part.args, "judge": f"bench/{Path(judge).expanduser().absolute()}"})
    return part


def scorer_signatures(spec: TaskSpec, references: Iterable[Sequence[str]]) -> dict[str, str]:
    """Scorer → what two of its scores must share to be compared; of those that are signed.

    references: those of each sample. ValueError where an encoder is not to be had.
    """
    counts = {len(golds) for golds in references}
    each = counts.pop() if len(counts) == 1 else None
    signed: dict[str, str] = {}
    for part in spec.scorer:
        args: dict[str, Any] = dict(part.args)
        if "judge" in args:
            args["digest"] = _digest_of(str(args["judge"]))
        signed |= SCORERS[part.name].signatures(args, each)
    return signed


def _digest_of(judge: str) -> str | None:
    """The digest of a judge whose weights are here, and None of one that answers elsewhere."""
    here = prefixed(judge)
    return find_checkpoint(here[1]).digest if here is not None else None


def _with_bertscore(spec: TaskSpec, changes: Mapping[str, Any]) -> TaskSpec:
    parts = tuple(
        NamedPart(part.name, {**part.args, **changes}) if part.name == "bertscore" else part
        for part in spec.scorer
    )
    return spec.model_copy(update={"scorer": parts})
