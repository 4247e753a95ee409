"""Whether what a teacher wrote may be learned from: its task's own score, and the form asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import TaskState

from scorers.flags import was_truncated

Refusal = Callable[[str, str], str | None]
"""(sample id, completion) → why it may not be learned from, or None."""


@scorer(name="accepted", metrics=[accuracy(), stderr(cluster="cluster")])
def accepted(of: Scorer | None, refusal: Refusal) -> Scorer:
    """Correct when a completion ended by itself, ``refusal`` finds nothing and ``of`` says correct.

    of: the task's scorer, or None where the form alone decides. A completion that is not accepted is
    incorrect, with the reason; one that the task's scorer could not score is unscored.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            return Score.unscored(reason="error", explanation="there is no completion")
        truncated = was_truncated(state.output.stop_reason)
        scored = await of(state, target) if of is not None else None
        if scored is not None and is_unscored(scored):
            return scored
        reason = "truncated" if truncated else refusal(str(state.sample_id), state.output.completion)
        if reason is None and scored is not None and scored.value not in (CORRECT, 1, 1.0):
            reason = scored.reason or "wrong answer"
        return Score(
            value=CORRECT if reason is None else INCORRECT,
            answer=scored.answer if scored is not None else None,
            reason=reason,
            metadata={
                "truncated": truncated,
                "no_answer": (scored.metadata or {}).get("no_answer") if scored is not None else None,
                "refused": list(state.metadata.get("refused") or ()),
            },
        )

    return score


def is_unscored(score: Score) -> bool:
    """Whether a score is inspect's sign for none, NaN."""
    return isinstance(score.value, float) and math.isnan(score.value)


def forbidden_phrase(text: str, phrases: Sequence[str]) -> str | None:
    """The first of the phrases that stands in a text as whole words, in any case and spacing, or None."""
    for phrase in phrases:
        words = r"\s+".join(map(re.escape, phrase.split()))
        if words and re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE):
            return phrase
    return None
