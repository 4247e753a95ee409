"""The inspect scorer and metrics around :mod:`scorers.boxed.boxed_answer`; no judgement of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

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

from scorers.boxed.anywhere import answer_anywhere
from scorers.boxed.boxed_answer import Kind, answers_match, extract_boxed


@metric(name="boxed_rate")
def boxed_rate() -> Metric:
    """Share of scored samples whose completion holds a boxed answer, right or wrong."""
    return share("no_answer", counts=False)


@metric(name="answer_anywhere")
def answer_anywhere_rate() -> Metric:
    """Share of scored samples whose completion holds the target somewhere, boxed or not."""
    return share("anywhere", counts=True)


@metric(name="truncated_rate")
def truncated_rate() -> Metric:
    """Share of scored samples whose completion was ended by the token limit."""
    return share("truncated", counts=True)


def share(flag: str, *, counts: bool) -> Metric:
    """Share of scored samples whose flag, true or false, is what counts."""

    def share_of(scores: list[SampleScore]) -> float:
        flags = [bool((score.score.metadata or {}).get(flag)) is counts for score in scores]
        return sum(flags) / len(flags) if flags else float("nan")

    return cast(Metric, share_of)


@scorer(
    metrics=[accuracy(), stderr(cluster="cluster"), boxed_rate(), answer_anywhere_rate(), truncated_rate()]
)
def boxed(kind: Kind | None = None, tolerance: float | None = None) -> Scorer:
    r"""Correct when the last complete ``\boxed{}`` equals the target.

    kind and tolerance come from the arguments, else from the sample's metadata of the same names
    (tolerance 0 when neither has one). A completion without a box is incorrect, and ``no_answer``.
    ValueError for a kind or tolerance that cannot be.
    """
    if kind is not None and kind not in get_args(Kind):
        raise ValueError(f"kind {kind!r} is not one of {', '.join(get_args(Kind))}")
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


def was_truncated(stop_reason: str) -> bool | None:
    """Whether the token limit ended the completion; None where nobody said why it ended."""
    return None if stop_reason == "unknown" else stop_reason in ("max_tokens", "model_length")


def boxed_score(
    completion: str, target: Sequence[str], *, kind: Kind, tolerance: float, truncated: bool | None
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
