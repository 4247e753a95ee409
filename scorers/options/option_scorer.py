"""The inspect scorer and metrics around :mod:`scorers.options.option_letter`; no judgement of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    Score,
    Scorer,
    Target,
    accuracy,
    mean,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState

from scorers.flags import rate_of, truncated_rate, was_truncated
from scorers.options.option_letter import extract_option
from scorers.options.reasoned_option import reasoned_right_concluded_wrong

READINGS = ("raw", "length", "prior", "length and prior")
"""The ways to read option likelihoods, as `solvers.option_likelihood` names them."""


REASONED_RIGHT = "reasoned right"
CONCLUDED_WRONG = "reasoned right, concluded wrong"


@metric(name="answered_rate")
def answered_rate() -> Metric:
    """Share of scored samples whose completion states one option, right or wrong."""
    return rate_of("no_answer", counts=False)


@scorer(metrics=[accuracy(), stderr(cluster="cluster"), answered_rate(), truncated_rate()])
def option_letter() -> Scorer:
    """Correct when the option that the completion states is the target.

    The sample's choices are the options' texts; its target is a letter (A is the first) or one option's
    text. A completion that states no option, or two, is incorrect, and ``no_answer``.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            # `inspect score` also brings samples whose generation failed: nothing to judge is no mistake.
            return Score.unscored(reason="error", explanation="there is no completion")
        return option_score(
            state.output.completion,
            list(target),
            [choice.value for choice in state.choices],
            truncated=was_truncated(state.output.stop_reason),
        )

    return score


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def option_readings() -> Scorer:
    """Whether each reading of the option likelihoods prefers the target; NaN for one that a sample lacks.

    For samples solved by `option_likelihood`, beside the scorer of the answer it gave.
    """

    async def score(state: TaskState, target: Target) -> Score:
        chosen = (state.output.metadata or {}).get("readings") or {}
        if not chosen:
            return Score.unscored(reason="error", explanation="there are no option likelihoods")
        choices = [choice.value for choice in state.choices]
        golds = {gold_index(gold, choices) for gold in target}
        return Score(
            value={name: float(chosen[name] in golds) if name in chosen else math.nan for name in READINGS}
        )

    return score


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def reasoning(tag: str = "REASONING") -> Scorer:
    """Two rates: how often a stage arrives at the target, and how often another option is concluded then.

    Of all completions, those without the stage too. tag: the stage's. Beside the conclusion's scorer.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            return Score.unscored(reason="error", explanation="there is no completion")
        choices = [choice.value for choice in state.choices]
        golds = {gold_index(gold, choices) for gold in target}
        right, wrong = reasoned_right_concluded_wrong(state.output.completion, choices, golds, tag)
        return Score(value={REASONED_RIGHT: float(right), CONCLUDED_WRONG: float(wrong)})

    return score


def option_score(
    completion: str,
    target: Sequence[str],
    choices: Sequence[str],
    *,
    truncated: bool | None,
) -> Score:
    """The score of one completion; ``target`` holds every acceptable option.

    ValueError for a target that is none of the choices: a broken gold must be seen.
    """
    golds = {gold_index(gold, choices) for gold in target}
    answer = extract_option(completion, choices)
    flags: dict[str, Any] = {"no_answer": answer is None, "truncated": truncated}
    return Score(
        value=CORRECT if answer in golds else INCORRECT,
        answer=None if answer is None else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[answer],
        explanation=None if answer is not None else "the completion states no option, or more than one",
        reason="no_answer" if answer is None else None,
        metadata=flags,
    )


def gold_index(target: str, choices: Sequence[str]) -> int:
    """The index of the option that a target names, by its letter or its text; ValueError when it is none."""
    if target in choices:
        return list(choices).index(target)
    index = ord(target) - ord("A") if len(target) == 1 else -1
    if not 0 <= index < len(choices):
        raise ValueError(
            f"target {target!r} is not one of {len(choices)} options; give a letter from A or a text"
        )
    return index
