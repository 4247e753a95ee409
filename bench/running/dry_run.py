"""``bench run --dry-run``: what would run, without running it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import ContentImage, ContentText

from bench.running.request import RunRequest
from bench.running.run import resolve
from bench.serving import nano
from bench.serving.model import ServedModel

_NOT_TRAINED = "nano is trained on its first use, in some minutes; until then this shows its untrained start"


def describe(request: RunRequest) -> dict[str, Any]:
    """The resolved tasks and models, and one prompt as each model would see it. Starts nothing."""
    models = nano.without_training(request.models)
    tasks, served = resolve(replace(request, models=models))
    notes = {"note": _NOT_TRAINED} if models != request.models else {}
    return {
        **notes,
        "tasks": [_task(task, request) for task in tasks],
        "models": [_model(model) for model in served],
        "prompts": [
            {"task": str(task.name), "model": model.name, **shown_prompt(task.dataset[0], model)}
            for task in tasks
            if isinstance(task, Task)
            for model in served
        ],
        "log_dir": str(request.log_dir),
    }


def _task(task: Task | str, request: RunRequest) -> dict[str, Any]:
    if isinstance(task, str):
        return {"task": task, "of": "inspect"}
    unreadable = {
        str(sample.id): sample.metadata["unreadable"]
        for sample in task.dataset
        if sample.metadata and "unreadable" in sample.metadata
    }
    samples = min(len(task.dataset), request.limit or len(task.dataset))
    return {
        **(task.metadata or {}).get("identity", {}),
        "samples": len(request.sample_ids) or samples,
        "epochs": request.epochs or 1,
        "generation": {**task.config.model_dump(exclude_none=True), **request.generation()},
        "report": (task.metadata or {}).get("report"),
        "unreadable": unreadable,
    }


def _model(served: ServedModel) -> dict[str, Any]:
    given = served.local.engine_arguments if served.local else None
    arguments = {} if given is None else {"engine_arguments": dict(given)}
    identity = served.identity()
    # Hundreds of losses would push the prompt off the screen.
    lineage = {name: said for name, said in (identity["lineage"] or {}).items() if name != "loss_history"}
    return {**identity, "lineage": lineage or None, **arguments}


def shown_prompt(sample: Sample, served: ServedModel) -> dict[str, Any]:
    """One sample's messages, and the text that they become where the checkpoint has a chat template."""
    if isinstance(sample.input, str):
        return {"sample": sample.id, "messages": sample.input}
    messages = [
        {
            "role": message.role,
            "content": message.content
            if isinstance(message.content, str)
            else [_part(part) for part in message.content],
        }
        for message in sample.input
    ]
    shown: dict[str, Any] = {"sample": sample.id, "target": sample.target, "messages": messages}
    if served.checkpoint is not None and (rendered := _rendered(messages, served)) is not None:
        shown["rendered"] = rendered
    return shown


def _part(part: Any) -> dict[str, str]:
    if isinstance(part, ContentImage):
        return {"type": "image", "image": part.image}
    return {"type": "text", "text": part.text if isinstance(part, ContentText) else str(part.type)}


def _rendered(messages: list[dict[str, Any]], served: ServedModel) -> str | None:
    """The prompt in the checkpoint's own chat template, or None where it has none that renders."""
    assert served.checkpoint is not None
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(served.checkpoint.folder)
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except (ImportError, ValueError, OSError, TypeError):
        return None
