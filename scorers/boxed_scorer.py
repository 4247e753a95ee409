"""The inspect scorer and metrics around :mod:`scorers.boxed`; no judgement of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    SampleScore,
    Score,
    Scorer,
    Target,
    accuracy,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState

from scorers.anywhere import answer_anywhere
from scorers.boxed import answers_match, extract_boxed

Kind = Literal["number", "text", "boolean"]


@metric(name="boxed_rate")
def boxed_rate() -> Metric:
    """Share of scored samples whose completion holds a boxed answer, right or wrong."""
    return _share("no_answer", counts=False)


@metric(name="answer_anywhere")
def answer_anywhere_rate() -> Metric:
    """Share of scored samples whose completion holds the target somewhere, boxed or not."""
    return _share("anywhere", counts=True)


@metric(name="truncated_rate")
def truncated_rate() -> Metric:
    """Share of scored samples whose completion was ended by the token limit."""
    return _share("truncated", counts=True)


def _share(flag: str, *, counts: bool) -> Metric:
    def share(scores: list[SampleScore]) -> float:
        flags = [bool((score.score.metadata or {}).get(flag)) is counts for score in scores]
        return sum(flags) / len(flags) if flags else float("nan")

    return cast(Metric, share)


@scorer(
    metrics=[accuracy(), stderr(cluster="cluster"), boxed_rate(), answer_anywhere_rate(), truncated_rate()]
)
def boxed(kind: Kind | None = None, tolerance: float | None = None) -> Scorer:
    r"""Correct when the last complete ``\boxed{}`` equals the target.

    kind and tolerance come from the arguments, else from the sample's metadata of the same names
    (tolerance 0 when neither has one). A completion without a box is incorrect, and ``no_answer``.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            # `inspect score` also brings samples whose generation failed: nothing to judge is no mistake.
            return Score.unscored(reason="error", explanation="there is no completion")
        return boxed_score(
            state.output.completion,
            list(target),
            kind=kind or state.metadata.get("kind", "text"),
            tolerance=state.metadata.get("tolerance", 0.0) if tolerance is None else tolerance,
            truncated=state.output.stop_reason in ("max_tokens", "model_length"),
        )

    return score


def boxed_score(
    completion: str, target: Sequence[str], *, kind: Kind, tolerance: float, truncated: bool
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
