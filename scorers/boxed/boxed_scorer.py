"""The inspect scorer and metrics around :mod:`scorers.boxed.boxed_answer`; no judgement of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    Score,
    Scorer,
    Target,
    accuracy,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState

from scorers.boxed.anywhere import answer_anywhere
from scorers.boxed.boxed_answer import AnswerKind, answers_match, extract_boxed
from scorers.flags import rate_of, truncated_rate, was_truncated


@metric(name="boxed_rate")
def boxed_rate() -> Metric:
    """Share of scored samples whose completion holds a boxed answer, right or wrong."""
    return rate_of("no_answer", counts=False)


@metric(name="answer_anywhere")
def answer_anywhere_rate() -> Metric:
    """Share of scored samples whose completion holds the target somewhere, boxed or not."""
    return rate_of("anywhere", counts=True)


@scorer(
    metrics=[accuracy(), stderr(cluster="cluster"), boxed_rate(), answer_anywhere_rate(), truncated_rate()]
)
def boxed(kind: AnswerKind | None = None, tolerance: float | None = None) -> Scorer:
    r"""Correct when the last complete ``\boxed{}`` equals the target.

    kind and tolerance come from the arguments, else from the sample's metadata of the same names
    (tolerance 0 when neither has one). A completion without a box is incorrect, and ``no_answer``.
    ValueError for a kind or tolerance that cannot be.
    """
    if kind is not None and kind not in get_args(AnswerKind):
        raise ValueError(f"kind {kind!r} is not one of {', '.join(get_args(AnswerKind))}")
    if tolerance is not None and not (isinstance(tolerance, int | float) and tolerance >= 0):
        raise ValueError(f"tolerance {tolerance!r} is not a number of 0 or more")

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            # `inspect score` also brings samples whose generation failed: nothing to judge is no mistake.
            return Score.unscored(reason="error", explanation="there is no completion")
        return boxed_score(
            state.output.completion,
            list(target),
            kind=kind or state.metadata.get("kind", "text"),
            # A CSV file has no numbers, only texts.
            tolerance=float(state.metadata.get("tolerance") or 0.0) if tolerance is None else tolerance,
            truncated=was_truncated(state.output.stop_reason),
        )

    return score


def boxed_score(
    completion: str, target: Sequence[str], *, kind: AnswerKind, tolerance: float, truncated: bool | None
) -> Score:
    """The score of one completion; ``target`` holds every acceptable answer."""
    answer = extract_boxed(completion)
    golds = target[0] if len(target) == 1 else set(target)
    right = answer is not None and answers_match(answer, golds, kind=kind, tolerance=tolerance)
    flags: dict[str, Any] = {
        "no_answer": answer is None,
        "truncated": truncated,
        "anywhere": right or answer_anywhere(completion, golds, kind=kind, tolerance=tolerance),
    }
    return Score(
        value=CORRECT if right else INCORRECT,
        answer=answer,
        explanation=None if answer is not None else "no complete \\boxed{} in the completion",
        reason="no_answer" if answer is None else None,
        metadata=flags,
    )
