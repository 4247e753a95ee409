"""What a run adds to the text metrics of a task: the user's encoder, the task's references, signatures."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from bench.building.rating_judge import signature
from bench.declarations.task_spec import Part, TaskSpec
from bench.errors import RequestError, did_you_mean
from scorers.bertscore.encoder import Dtype
from scorers.essays.essay_form import FAULTS
from scorers.essays.essay_scorers import essay_form_signature
from scorers.judges import correctness
from scorers.overlap.bleu import bleu_signature, chrf_signature
from scorers.text_scorers import BATCHED, bertscore_signature, rouge_signature
from tasks.cache import cache_folder

IN_BATCHES = (*BATCHED, correctness.NAME)
"""The scorers that score many samples at once, and report their progress."""

ENCODER_ARGUMENT = "bertscore_model"
"""``-T bertscore_model=PATH:LAYER:DTYPE`` or ``--bertscore-model``: the encoder, not the declared one."""


def batched(spec: TaskSpec) -> tuple[str, ...]:
    """The task's scorers that are computed in batches."""
    return tuple(part.name for part in spec.scorer if part.name in IN_BATCHES)


def with_encoder(spec: TaskSpec, given: Mapping[str, object]) -> tuple[TaskSpec, dict[str, object]]:
    """The task with the encoder that the arguments name (``none``: without bertscore), and the others.

    RequestError where the task has no bertscore, or nothing else.
    """
    others = {name: value for name, value in given.items() if name != ENCODER_ARGUMENT}
    if ENCODER_ARGUMENT not in given:
        return spec, others
    if "bertscore" not in batched(spec) and batched(spec) and given[ENCODER_ARGUMENT] not in (None, "none"):
        # A task that compares texts takes any encoder, also where none is declared for lack of a network.
        spec = spec.model_copy(update={"scorer": (*spec.scorer, Part("bertscore", {}))})
    if "bertscore" not in batched(spec):
        scorers = ", ".join(part.name for part in spec.scorer)
        raise RequestError(
            f"--bertscore-model: task {spec.name!r} has no scorer bertscore (it has {scorers}); leave it out"
        )
    if given[ENCODER_ARGUMENT] in (None, "none"):
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


def signatures(spec: TaskSpec, references: Iterable[Sequence[str]]) -> dict[str, str]:
    """Scorer → what two of its scores must share to be compared; of those that measure texts.

    references: those of each sample. ValueError where an encoder is not to be had.
    """
    counts = {len(golds) for golds in references}
    each = counts.pop() if len(counts) == 1 else None
    signed: dict[str, str] = {}
    for part in spec.scorer:
        args: dict[str, Any] = {name: value for name, value in part.args.items() if name != "normalize"}
        how = part.args.get("normalize", "none")
        if part.name == "bleu":
            signed["bleu"] = bleu_signature(each, **args)
        elif part.name == "chrf":
            signed["chrf"] = chrf_signature(each, **args)
        elif part.name == "rouge":
            signed["rouge"] = rouge_signature(**args)
        elif part.name == "bertscore":
            signed["bertscore"] = bertscore_signature(**args)
        elif part.name == "essay_form":
            # Its numbers have names of their own.
            signed |= dict.fromkeys(("essay_form", "well_formed", *FAULTS), essay_form_signature(**args))
        elif part.name == correctness.NAME and part.args.get("judge"):
            signed[correctness.NAME] = signature(part)
        if part.name in signed and how != "none":
            signed[part.name] += f"|norm:{how}"
    return signed


def _with_bertscore(spec: TaskSpec, changes: Mapping[str, Any]) -> TaskSpec:
    parts = tuple(
        Part(part.name, {**part.args, **changes}) if part.name == "bertscore" else part
        for part in spec.scorer
    )
    return spec.model_copy(update={"scorer": parts})
