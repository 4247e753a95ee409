"""Chooses the option that a model finds likeliest, for models that cannot follow an answer's format.

Nothing is generated. Each option is scored as the answer's text; its likelihood is read four ways:

- raw: the sum of its tokens' log-probabilities,
- length: per token, so that a long option is not worse for its length,
- prior: minus its likelihood without the image, so that a common word is not better for being common,
- length and prior: the latter per token.

The completion is the letter of the option that one of them, `normalise`, prefers; all are reported.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ContentImage,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.model._model import record_and_check_model_usage
from inspect_ai.solver import Generate, Solver, TaskState, solver

from solvers.completion import completion

Normalise = Literal["raw", "length", "prior", "length and prior"]
Scored = Literal["text", "letter"]


@dataclass(frozen=True)
class TextScore:
    """A text after a prompt: the natural log-probability of its tokens together, and how many they are.

    prompt_tokens: how many the model read before it. cut: how many of the prompt's it had no room for.
    """

    logprob: float
    tokens: int
    prompt_tokens: int = 0
    cut: int = 0


@runtime_checkable
class ScoresTexts(Protocol):
    """What a model provider has that can score a text it did not write."""

    async def score_texts(self, messages: Sequence[ChatMessage], texts: Sequence[str]) -> list[TextScore]:
        """The score of each text as the answer to a chat; images are data: URIs."""


class NoLikelihoodError(Exception):
    """The model's provider gives no probabilities of texts that it did not write."""


@solver(name="option_likelihood")
def option_likelihood(normalise: Normalise = "length", score: Scored = "text") -> Solver:
    """Answer with the letter of the likeliest option.

    normalise: by which reading the answer is chosen. score: what is scored as the answer, the option's text
    or its letter. A sample without an image has no image-free prior; there the readings by prior are left
    out, and an answer chosen by one falls back on the same reading without the prior.
    """
    if normalise not in get_args(Normalise):
        raise ValueError(f"normalise {normalise!r} is not one of {', '.join(get_args(Normalise))}")
    if score not in get_args(Scored):
        raise ValueError(f"score {score!r} is not one of {', '.join(get_args(Scored))}")
    # Journal, progress and unreadable records are the same as where a completion is generated.
    complete = completion()

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        async def choose(state: TaskState, *_: Any, **__: Any) -> TaskState:
            return await _chosen(state, normalise, score)

        return await complete(state, choose)

    return solve


async def _chosen(state: TaskState, normalise: Normalise, score: Scored) -> TaskState:
    model = get_model()
    api = model.api
    if not isinstance(api, ScoresTexts):
        raise NoLikelihoodError(
            f"{model} gives no probabilities of texts it did not write; serve the checkpoint with "
            "--model FOLDER or --model transformers/FOLDER"
        )
    texts = [
        chr(ord("A") + place) if score == "letter" else choice.value
        for place, choice in enumerate(state.choices)
    ]
    if not texts:
        raise ValueError("the sample has no choices; declare dataset.choices in the task.yaml")
    messages = [_with_inline_images(message) for message in state.messages]
    scores = await api.score_texts(messages, texts)
    # The pictures of solved examples stay: the prior lacks only what the question shows.
    blind = [*messages[:-1], _without_images(messages[-1])]
    priors = await api.score_texts(blind, texts) if blind != messages else None
    chosen = readings(scores, priors)
    place = chosen.get(normalise, chosen["length" if "length" in normalise else "raw"])
    usage = _usage([*scores, *(priors or ())])
    record_and_check_model_usage(model, usage)
    message = ChatMessageAssistant(content=chr(ord("A") + place), model=model.name, source="generate")
    state.output = ModelOutput(
        model=model.name,
        choices=[ChatCompletionChoice(message=message, stop_reason="stop")],
        usage=usage,
        metadata={
            "readings": chosen,
            "normalise": normalise,
            "logprobs": [one.logprob for one in scores],
            "priors": [one.logprob for one in priors] if priors else None,
            "tokens": [one.tokens for one in scores],
            "prompt_tokens_cut": max(one.cut for one in scores),
        },
    )
    state.messages.append(message)
    return state


def readings(scores: Sequence[TextScore], priors: Sequence[TextScore] | None) -> dict[str, int]:
    """The index of the likeliest option by each reading; of equally likely ones the first."""
    by: dict[str, list[float]] = {
        "raw": [one.logprob for one in scores],
        "length": [one.logprob / max(one.tokens, 1) for one in scores],
    }
    if priors is not None:
        gains = [one.logprob - prior.logprob for one, prior in zip(scores, priors, strict=True)]
        by["prior"] = gains
        by["length and prior"] = [gain / max(one.tokens, 1) for gain, one in zip(gains, scores, strict=True)]
    return {name: values.index(max(values)) for name, values in by.items()}


def _usage(scores: Sequence[TextScore]) -> ModelUsage:
    read = sum(one.prompt_tokens + one.tokens for one in scores)
    return ModelUsage(input_tokens=read, output_tokens=0, total_tokens=read)


def _with_inline_images(message: ChatMessage) -> ChatMessage:
    """A message whose images are data: URIs; inspect does this for its own generations only."""
    if isinstance(message.content, str):
        return message
    parts = [
        part.model_copy(update={"image": _data_uri(part.image)}) if isinstance(part, ContentImage) else part
        for part in message.content
    ]
    return message.model_copy(update={"content": parts})


def _data_uri(image: str) -> str:
    if image.startswith("data:"):
        return image
    kind = mimetypes.guess_type(image)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(Path(image).read_bytes()).decode()}"


def _without_images(message: ChatMessage) -> ChatMessage:
    if isinstance(message.content, str):
        return message
    parts = [part for part in message.content if not isinstance(part, ContentImage)]
    return message.model_copy(update={"content": parts}) if len(parts) < len(message.content) else message
