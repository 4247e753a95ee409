"""One checkpoint through vLLM and through transformers, greedily, on the same samples."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from inspect_ai import Task

from bench.errors import IncompleteRunError, NotComparableError, RequestError
from bench.running.request import RunRequest, Show
from bench.running.run import named_task, needed_length, run_one
from bench.serving.checkpoint import find_checkpoint
from bench.serving.model import ModelRequest, ServedModel, resolve_model
from results.compared.engine_parity import Parity, engines_compared

DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class ParityRequest:
    """One ``bench parity``. dtype: of both engines, None for the checkpoint's; engine_args: vLLM's alone."""

    model: str
    task: str
    limit: int | None = None
    dtype: str | None = None
    batch_size: int = 8
    max_tokens: int | None = None
    log_dir: Path = Path("logs-parity")
    resume: bool = False
    dataset_args: Mapping[str, Any] = field(default_factory=dict)
    engine_args: Mapping[str, Any] = field(default_factory=dict)
    trust_remote_code: bool = False


def compare_engines(request: ParityRequest, show: Show) -> Parity:
    """Run the task on both engines and compare what they wrote.

    Raises RequestError when the model is no checkpoint of this machine or the task no task of ours,
    IncompleteRunError when one of the engines completes nothing.
    """
    task = named_task(request.task, request.dataset_args)
    if isinstance(task, str):
        raise RequestError(f"{request.task}: parity needs a task of Tunebench (`bench list`) or a task.yaml")
    first, second = asyncio.run(_runs(request, task, show))
    return compared(first, second)


def compared(first: str, second: str) -> Parity:
    """The parity of two logs.

    IncompleteRunError when they share no completed sample, NotComparableError when they cannot be compared.
    """
    try:
        found = engines_compared(first, second)
    except ValueError as error:
        raise NotComparableError(f"{error} ({first}, {second})") from error
    if not found.pairs:
        reasons = "; ".join(f"{reason} ({count})" for side in found.missing for reason, count in side.items())
        raise IncompleteRunError(
            f"no sample was completed by both engines: {reasons}\nlogs: {first}, {second}"
        )
    return found


async def _runs(request: ParityRequest, task: Task, show: Show) -> list[str]:
    """The logs of both engines; one is closed before the other loads its weights."""
    dtype = request.dtype or own_dtype(request.model)
    sides: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("vllm", request.model, {**request.engine_args, "dtype": dtype}),
        (
            "transformers",
            f"transformers/{request.model}",
            {"dtype": dtype, "batch_size": request.batch_size},
        ),
    )
    asked = RunRequest(
        tasks=(request.task,),
        models=(),
        log_dir=request.log_dir,
        limit=request.limit,
        temperature=0.0,
        max_tokens=request.max_tokens,
        resume=request.resume,
        dataset_args=request.dataset_args,
        trust_remote_code=request.trust_remote_code,
    )
    logs: list[str] = []
    for engine, name, arguments in sides:
        served = resolve_model(
            ModelRequest(
                name,
                trust_remote_code=request.trust_remote_code,
                arguments=arguments,
                log_file=request.log_dir.absolute() / "engine" / f"{uuid.uuid4().hex[:8]}.log",
                needed_length=needed_length([task], request.max_tokens),
            )
        )
        if served.engine != engine:
            raise RequestError(
                f"{request.model}: parity compares engines on one checkpoint; give a folder, a hub id or nano"
            )
        keep_tokens(served)
        try:
            run = await run_one(replace(asked, models=(name,), model_args=arguments), task, served, show)
        finally:
            with contextlib.suppress(Exception):
                await served.model.api.aclose()
        logs.append(run.location)
    return logs


def keep_tokens(served: ServedModel) -> None:
    """Have an engine of ours write the ids of each completion's tokens into the log."""
    assert served.local is not None
    served.local.keep_tokens = True


def own_dtype(model: str) -> str:
    """The numeric type that a checkpoint's config names, float32 where it names none of the three."""
    config = find_checkpoint(model).folder / "config.json"
    try:
        said = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        said = {}
    named = said.get("dtype") or said.get("torch_dtype") or (said.get("text_config") or {}).get("dtype")
    return named if named in DTYPES else "float32"
