"""How right an answer is, in a judge's eyes: 0, ½ or 1 beside the reference, as VQAonline's authors had it.

The judge is a model of its own, named in the task; it reads the question, the reference and the answer, not
the picture. Its reply goes to the run's journal of scores, so that none is asked for twice.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from scorers.batches import Result, current_scores, score_progress
from scorers.flags import was_truncated
from scorers.judges.judge_prompt import rating_digest, rating_prompt
from scorers.judges.rating import UNPARSED, parse_rating

_NAME = "correctness"
# The judges of this process, for whoever ends a run.
_asked: dict[str, Model] = {}


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def correctness(judge: str | None = None, max_tokens: int = 512) -> Scorer:
    """The judge's rating of each completion, against the reference that it does best by.

    judge: an inspect model's name. An empty completion is rated 0 without asking. A reply without a rating
    has no score, the reason ``judge_unparsed`` (``judge_truncated`` where the token limit ended it), and
    counts in the second number, `correctness_unparsed`. Metadata holds the raw replies. ValueError without a
    judge.
    """
    if not judge:
        raise ValueError(
            "name who judges, as in {correctness: {judge: openai/gpt-4o}}; no model rates its own answers "
            "unasked"
        )
    asked = GenerateConfig(temperature=0.0, max_tokens=max_tokens)
    signed = correctness_signature(judge, max_tokens)

    async def score(state: TaskState, target: Target) -> Score:
        try:
            if not state.output.choices:
                return Score.unscored(reason="error", explanation="there is no completion")
            answer = state.output.completion
            flags = {"no_answer": not answer.strip(), "truncated": was_truncated(state.output.stop_reason)}
            if not answer.strip():
                return Score(value=_value(0.0), explanation="the completion is empty", metadata=flags)
            replies = [await _reply(judge, asked, signed, state.input_text, gold, answer) for gold in target]
            return _scored(replies, flags)
        finally:
            if (advance := score_progress.get()) is not None:
                advance(_NAME)

    return score


async def end_judges() -> None:
    """Close what was asked: an engine that a judge started on this machine ends, and its memory is free."""
    while _asked:
        _, model = _asked.popitem()
        await model.api.aclose()


def correctness_signature(judge: str, max_tokens: int = 512, digest: str | None = None) -> str:
    """What two ratings must share to be compared; digest: of the judge's weights, where they are known."""
    return f"judge:{digest or judge}|prompt:{rating_digest()[:12]}|max_tokens:{max_tokens}|text only"


async def _reply(
    judge: str, asked: GenerateConfig, signed: str, question: str, reference: str, answer: str
) -> Result:
    """The judge's reply and why it ended, from the journal where it is there."""
    prompt = rating_prompt(question, reference, answer)
    journal = current_scores.get()
    key = hashlib.sha256(json.dumps([signed, prompt]).encode()).hexdigest()
    if journal is not None and (known := journal.get(key)) is not None:
        return known
    model = _asked[judge] = get_model(judge)
    output = await model.generate(prompt, config=asked)
    found: Result = {"reply": output.completion, "stop": output.stop_reason}
    if journal is not None:
        journal.put({key: found})
    return found


def _scored(replies: list[Result], flags: dict[str, Any]) -> Score:
    """The best rating; none unless every reply has one, for the missing one may have been better."""
    said = [reply["reply"] for reply in replies]
    ratings = [parse_rating(text) for text in said]
    known = [rating for rating in ratings if rating is not None]
    metadata = {**flags, "replies": said}
    if not known or (len(known) < len(ratings) and max(known) < 1):
        cut = any(was_truncated(reply["stop"]) for reply in replies)
        return Score(
            value=_value(math.nan),
            reason="judge_truncated" if cut else "judge_unparsed",
            explanation="the judge's reply concludes with no rating: 0, 0.5 or 1 in its tag",
            metadata=metadata,
        )
    return Score(value=_value(max(known)), explanation=said[ratings.index(max(known))], metadata=metadata)


def _value(rating: float) -> dict[str, str | int | float | bool | None]:
    return {_NAME: rating, UNPARSED: float(math.isnan(rating))}
