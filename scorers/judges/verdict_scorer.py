"""The inspect scorer around `scorers.judges.verdict`: a reply is a win, a tie or a loss of the pair's A."""

from __future__ import annotations

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from scorers.judges.verdict import Preferred, parse_verdict


@scorer(metrics=[mean(), stderr(cluster="cluster")])
def verdict() -> Scorer:
    """1 when the reply prefers the text of ``a``, 0 that of ``b``, ½ for a tie; else unscored.

    The sample's metadata says in `shown_first` which of the two, ``a`` or ``b``, was called FIRST. A reply
    without a verdict has no score and the reason ``judge_unparsed``, or ``truncated`` where the token limit
    ended it.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            return Score.unscored(reason="error", explanation="the judge did not reply")
        truncated = state.output.stop_reason in ("max_tokens", "model_length")
        said = parse_verdict(state.output.completion)
        flags = {"truncated": truncated, "no_answer": said is None}
        if said is None:
            return Score.unscored(
                reason="truncated" if truncated else "judge_unparsed",
                explanation="the reply concludes with no verdict: FIRST, SECOND or TIE in its tag",
                metadata=flags,
            )
        return Score(value=value_of(said, str(state.metadata["shown_first"])), answer=said, metadata=flags)

    return score


def value_of(said: Preferred, shown_first: str) -> float:
    """The score of ``a`` in one order."""
    if said == "tie":
        return 0.5
    return float((said == "first") == (shown_first == "a"))
