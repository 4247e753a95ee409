"""What inspect finds of ours, by the ``inspect_ai`` entry point: the tasks and the ``bench`` provider.

``inspect eval bench/chart_vqa``, ``inspect eval-retry``, ``inspect score`` and ``inspect view`` work on
what ``bench run`` makes, because it runs these same registered tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspect_ai import Task, task
from inspect_ai.model._model import active_model

from bench.build import build_task
from bench.catalog import builtin_tasks, find_task
from bench.engine import EngineAPI, engine_provider
from bench.model import ServedModel
from bench.transformers_model import TransformersAPI, transformers_provider
from scorers.boxed_scorer import boxed
from scorers.text_scorers import bertscore, bleu, chrf, rouge
from solvers.completion import completion
from solvers.journal import current_journal

__all__ = [
    "TASKS",
    "bertscore",
    "bleu",
    "boxed",
    "chrf",
    "completion",
    "engine_provider",
    "rouge",
    "task_file",
    "transformers_provider",
]


def _registered(name: str) -> Callable[..., Task]:
    def make(**dataset_args: Any) -> Task:
        return _identified(build_task(find_task(name), dataset_args))

    make.__name__ = make.__qualname__ = name
    return task(name=f"bench/{name}")(make)


def _identified(made: Task) -> Task:
    """The task with the identity of its model, for ``inspect eval``; ``bench run`` gives its own."""
    model = active_model() if current_journal.get() is None else None
    if model is not None and isinstance(model.api, EngineAPI | TransformersAPI):
        served = ServedModel(model, str(model), model.api.checkpoint)
        made.metadata = {**(made.metadata or {}), "model": served.identity()}
    return made


@task(name="bench/task_file")
def task_file(task_yaml: str, **dataset_args: Any) -> Task:
    """A user's own task.yaml: ``-T task_yaml=./my_task.yaml`` and its dataset arguments."""
    return _identified(build_task(find_task(task_yaml), dataset_args))


TASKS: dict[str, Callable[..., Task]] = {name: _registered(name) for name in builtin_tasks()}
