"""The judge of a task's `correctness`, from the task.yaml or the command line, and its signature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.declarations.task_spec import Part, TaskSpec
from bench.serving.backends import prefixed
from bench.serving.checkpoint import find_checkpoint
from scorers.judges.correctness import NAME, correctness_signature

JUDGE_ARGUMENT = "correctness_judge"
"""``-T correctness_judge=MODEL``: adds the scorer to a task, or names another judge."""


def with_judge(spec: TaskSpec, given: Mapping[str, object]) -> tuple[TaskSpec, dict[str, object]]:
    """The task with the judge that the arguments name, and the others; folders become models of ours."""
    others = {name: value for name, value in given.items() if name != JUDGE_ARGUMENT}
    parts = list(spec.scorer)
    if JUDGE_ARGUMENT in given:
        judge = str(given[JUDGE_ARGUMENT])
        named = [part.name for part in parts]
        if NAME in named:
            place = named.index(NAME)
            parts[place] = Part(NAME, {**parts[place].args, "judge": judge})
        else:
            parts.append(Part(NAME, {"judge": judge}))
    parts = [_resolved(part) if part.name == NAME else part for part in parts]
    return spec.model_copy(update={"scorer": tuple(parts)}), others


def signature(part: Part) -> str:
    """The signature of a declared `correctness`, with the digest of a judge whose weights are here."""
    args: dict[str, Any] = dict(part.args)
    judge = str(args.get("judge"))
    here = prefixed(judge)
    digest = find_checkpoint(here[1]).digest if here is not None else None
    return correctness_signature(digest=digest, **args)


def _resolved(part: Part) -> Part:
    judge = part.args.get("judge")
    if isinstance(judge, str) and Path(judge).expanduser().is_dir():
        return Part(part.name, {**part.args, "judge": f"bench/{Path(judge).expanduser().absolute()}"})
    return part
