"""Which logs a run goes on from, and what its parts have in common."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

from inspect_ai import Task
from inspect_ai.log import EvalLog, list_eval_logs, read_eval_log

from bench.running.request import RunRequest
from bench.serving.model import ServedModel

# Engine arguments that change what a model answers; a resumed run may differ in all others.
_SHAPE_ANSWERS = ("dtype", "quantization", "kv_cache_dtype", "max_model_len", "revision")


def run_key(request: RunRequest, task: Task | str, served: ServedModel) -> str:
    """What must agree for one run to continue another: task, data, prompt, weights, settings, samples."""
    identity = {"task": task} if isinstance(task, str) else dict((task.metadata or {}).get("identity", {}))
    model = served.identity()
    generation = {} if isinstance(task, str) else task.config.model_dump(exclude_none=True)
    said = {
        "identity": identity,
        "model": {name: model[name] for name in ("model", "weights_digest", "engine")},
        "base_url": request.base_url or model["base_url"],
        "engine_arguments": {name: request.model_args.get(name) for name in _SHAPE_ANSWERS},
        "generation": {**generation, **request.generation()},
        "limit": request.limit,
        "sample_ids": request.sample_ids,
        "epochs": request.epochs,
        "dataset_args": {name: str(value) for name, value in sorted(request.dataset_args.items())},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def earlier_log(log_dir: Path, key: str) -> EvalLog | None:
    """The newest log of this same run, finished or not."""
    for log in _headers(log_dir):
        if (log.eval.metadata or {}).get("run_key") == key:
            return log if log.status == "success" else read_eval_log(log.location)
    return None


def remove_parts(log_dir: Path, journal: str, whole: str) -> None:
    """Remove the logs of a run's interrupted beginnings; they share its journal, and no other run does."""
    for log in _headers(log_dir):
        file = Path(log.location.removeprefix("file://"))
        if (log.eval.metadata or {}).get("journal") == journal and file.name != Path(whole).name:
            file.unlink(missing_ok=True)


def _headers(log_dir: Path) -> Iterator[EvalLog]:
    """The readable logs of a folder, newest first, without their samples."""
    if not log_dir.is_dir():
        return
    for info in list_eval_logs(str(log_dir), recursive=False, descending=True):
        try:
            log = read_eval_log(info, header_only=True)
        except Exception:  # a log cut off in its first bytes raises whatever its parser meets
            continue
        yield log


def journal_name(earlier: EvalLog | None) -> str:
    name = ((earlier.eval.metadata or {}) if earlier else {}).get("journal")
    return name if isinstance(name, str) else f"{uuid.uuid4().hex}.jsonl"
