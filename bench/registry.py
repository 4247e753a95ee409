"""What inspect finds of ours, by the ``inspect_ai`` entry point: the tasks and the ``bench`` provider.

``inspect eval bench/chart_vqa``, ``inspect eval-retry``, ``inspect score`` and ``inspect view`` work on
what ``bench run`` makes, because it runs these same registered tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from inspect_ai import Task, task
from inspect_ai.model._model import active_model

from bench.building.judging_task import judging_task
from bench.building.task import build_task
from bench.building.teacher_task import teaching_task
from bench.declarations.catalog import builtin_tasks, find_task
from bench.serving.judge_rules import rule_provider
from bench.serving.local_provider import LocalProvider
from bench.serving.model import ServedModel
from bench.serving.transformers_engine.provider import transformers_provider
from bench.serving.vllm_engine.provider import engine_provider
from scorers.declared import SCORERS
from scorers.judges.verdict_scorer import verdict
from scorers.teaching.acceptance import accepted
from solvers.declared import SOLVERS
from solvers.journal import current_journal
from solvers.teacher import teacher

__all__ = [
    "TASKS",
    "accepted",
    "engine_provider",
    "judging",
    "rule_provider",
    "task_file",
    "teacher",
    "teacher_task",
    "transformers_provider",
    "verdict",
]


def _registered(name: str) -> Callable[..., Task]:
    def make(**dataset_args: Any) -> Task:
        return _identified(build_task(find_task(name), dataset_args))

    make.__name__ = make.__qualname__ = name
    return task(name=f"bench/{name}")(make)


def _identified(made: Task) -> Task:
    """The task with the identity of its model, for ``inspect eval``; ``bench run`` gives its own."""
    model = active_model() if current_journal.get() is None else None
    if model is not None and isinstance(model.api, LocalProvider):
        served = ServedModel(model, str(model))
        made.metadata = {**(made.metadata or {}), "model": served.identity()}
    return made


@task(name="bench/task_file")
def task_file(task_yaml: str, **dataset_args: Any) -> Task:
    """A user's own task.yaml: ``-T task_yaml=./my_task.yaml`` and its dataset arguments."""
    return _identified(build_task(find_task(task_yaml), dataset_args))


@task(name="bench/teacher_task")
def teacher_task(
    student_task: str,
    calls: Any = None,
    retries: int | None = None,
    teacher_seed: int = 0,
    samples_per: dict[str, int] | None = None,
    **dataset_args: Any,
) -> Task:
    """A task's train split as its teacher is asked about it; what `bench distill` runs."""
    spec = find_task(student_task)
    return teaching_task(
        spec, dataset_args, calls=calls, retries=retries, seed=teacher_seed, samples_per=samples_per
    )


@task(name="bench/judging")
def judging(pairs: str) -> Task:
    """A judge's view of a file of pairs; what `bench judge` runs."""
    return _identified(judging_task(Path(pairs)))


TASKS: dict[str, Callable[..., Task]] = {name: _registered(name) for name in builtin_tasks()}

# inspect registers a scorer or solver when its module is imported.
for _scorer in SCORERS.values():
    _scorer.maker()
for _solver in SOLVERS.values():
    resolve_name(_solver)
