"""Which completions of a teacher are accepted, and why others are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from inspect_ai.model import ModelName, ModelOutput
from inspect_ai.scorer import Score, Target
from inspect_ai.solver import TaskState

from scorers.boxed.boxed_scorer import boxed
from scorers.teaching.acceptance import accepted, forbidden_phrase, is_unscored


def judged(text: str, stop: Any = "stop", of: Any = None, refused: str | None = None) -> Score:
    output = ModelOutput.from_content("teacher", text, stop_reason=stop)
    state = TaskState(ModelName("a/teacher"), "s", 1, "?", [], Target("7"), output=output)
    scorer = accepted(boxed(kind="number") if of is None else of, lambda name, given: refused)
    score = asyncio.run(scorer(state, Target("7")))  # type: ignore[arg-type]
    assert score is not None
    return score


def test_right_and_well_formed_is_accepted() -> None:
    score = judged("\\boxed{7}")
    assert (score.value, score.reason, score.answer) == ("C", None, "7")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"text": "\\boxed{8}"}, "wrong answer"),
        ({"text": "seven"}, "no_answer"),
        ({"text": "\\boxed{7}", "stop": "max_tokens"}, "truncated"),
        ({"text": "\\boxed{7}", "refused": "CAPTION is empty"}, "CAPTION is empty"),
    ],
)
def test_what_is_not_accepted_has_a_reason(given: dict[str, Any], reason: str) -> None:
    score = judged(**given)
    assert (score.value, score.reason) == ("I", reason)


def test_what_cannot_be_scored_is_not_rejected() -> None:
    async def silent(state: TaskState, target: Target) -> Score:
        return Score.unscored(reason="judge_unparsed", explanation="")

    score = judged("\\boxed{7}", of=silent)
    assert is_unscored(score) and score.reason == "judge_unparsed"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("As the  Lecture\nsays, north is up.", "the lecture"),
        ("the lectures are over", None),
        ("bathe lecture", None),
        ("", None),
    ],
)
def test_forbidden_phrases_are_whole_words(text: str, found: str | None) -> None:
    assert forbidden_phrase(text, ("worked answer", "the lecture")) == found
