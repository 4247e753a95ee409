"""Scores of texts that a model did not write: vLLM and transformers agree with the model's own logits."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import ChatMessage, ChatMessageUser, ContentImage, ContentText

from bench.serving.model import ServedModel
from bench.serving.transformers_engine.provider import TransformersAPI
from solvers.option_likelihood import ScoresTexts, TextScore

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.slow

TEXTS = ["True", "False", "the highest bar", "B"]


def chat(image: Path | None) -> list[ChatMessage]:
    from solvers.option_likelihood import _data_uri

    parts = [ContentImage(image=_data_uri(str(image)))] if image else []
    return [ChatMessageUser(content=[*parts, ContentText(text="Is the word in the cloud?")])]


def by_hand(folder: Path, image: Path | None, text: str) -> TextScore:
    """One forward pass over the prompt and the text, and the probabilities picked one by one."""
    from PIL import Image

    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    parts: list[dict[str, Any]] = [{"type": "image"}] if image else []
    turn = [{"role": "user", "content": [*parts, {"type": "text", "text": "Is the word in the cloud?"}]}]
    prompt = processor.apply_chat_template(turn, add_generation_prompt=True)
    pictures = {"images": [Image.open(image).convert("RGB")]} if image else {}
    start = processor(text=prompt, return_tensors="pt", **pictures)["input_ids"].shape[1]
    inputs = processor(text=f"{prompt} {text}", return_tensors="pt", **pictures)
    with torch.inference_mode():
        logprobs = model(**inputs).logits.log_softmax(-1)[0]
    ids = inputs["input_ids"][0]
    total = sum(float(logprobs[place - 1, ids[place]]) for place in range(start, len(ids)))
    return TextScore(total, len(ids) - start, start)


@pytest.fixture
def image(scienceqa_folder: Path) -> Path:
    return scienceqa_folder / "test" / "test-geography-0" / "image.png"


@pytest.mark.engine
@pytest.mark.parametrize("seen", [True, False])
def test_vllm_s_scores_are_the_model_s(
    served: ServedModel, drive: Any, tiny_checkpoint: Path, image: Path, seen: bool
) -> None:
    api = served.model.api
    assert isinstance(api, ScoresTexts)
    picture = image if seen else None
    scores = drive(api.score_texts(chat(picture), TEXTS))
    for text, score in zip(TEXTS, scores, strict=True):
        expected = by_hand(tiny_checkpoint, picture, text)
        assert (score.tokens, score.prompt_tokens) == (expected.tokens, expected.prompt_tokens)
        assert score.logprob == pytest.approx(expected.logprob, abs=1e-3)


@pytest.mark.parametrize("seen", [True, False])
def test_transformers_scores_are_the_model_s(tiny_checkpoint: Path, image: Path, seen: bool) -> None:
    api = TransformersAPI(str(tiny_checkpoint), device="cpu", batch_size=3)
    picture = image if seen else None
    scores = asyncio.run(api.score_texts(chat(picture), TEXTS))
    api.close()
    for text, score in zip(TEXTS, scores, strict=True):
        expected = by_hand(tiny_checkpoint, picture, text)
        assert (score.tokens, score.prompt_tokens) == (expected.tokens, expected.prompt_tokens)
        assert score.logprob == pytest.approx(expected.logprob, abs=1e-3)
