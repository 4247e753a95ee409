"""What inspect finds of ours, by the ``inspect_ai`` entry point: the tasks and the ``bench`` provider.

``inspect eval bench/chart_vqa``, ``inspect eval-retry``, ``inspect score`` and ``inspect view`` work on
what ``bench run`` makes, because it runs these same registered tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspect_ai import Task, task

from bench.build import build_task
from bench.catalog import builtin_tasks, find_task
from bench.engine import engine_provider
from bench.transformers_model import transformers_provider
from scorers.boxed_scorer import boxed
from solvers.completion import completion

__all__ = ["TASKS", "boxed", "completion", "engine_provider", "task_file", "transformers_provider"]


def _registered(name: str) -> Callable[..., Task]:
    def make(**dataset_args: Any) -> Task:
        return build_task(find_task(name), dataset_args)

    make.__name__ = make.__qualname__ = name
    return task(name=f"bench/{name}")(make)


@task(name="bench/task_file")
def task_file(task_yaml: str, **dataset_args: Any) -> Task:
    """A user's own task.yaml: ``-T task_yaml=./my_task.yaml`` and its dataset arguments."""
    return build_task(find_task(task_yaml), dataset_args)


TASKS: dict[str, Callable[..., Task]] = {name: _registered(name) for name in builtin_tasks()}
