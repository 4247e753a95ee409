"""How likely a model run by transformers finds a text that it did not write, as the answer to a chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.serving.continuation import continuation_ids
from solvers.option_likelihood import TextScore

_GREY = (128, 128, 128)


def causal_score(logits: Any, ids: Sequence[int], prompt: Sequence[int], ends: frozenset[int]) -> TextScore:
    """The score of what `ids` has and `prompt` lacks, from logits of (tokens, vocabulary).

    Both are one row's tokens without padding. An end token that the tokenizer closes every text with is left
    out. ValueError when there is nothing left to score.
    """
    stop = len(ids)
    while (
        stop
        and prompt
        and ids[stop - 1] in ends
        and ids[stop - 1] == prompt[len(prompt) - len(ids) + stop - 1]
    ):
        stop -= 1
    same = (a == b for a, b in zip(ids[:stop], prompt, strict=False))
    start = next((place for place, equal in enumerate(same) if not equal), min(stop, len(prompt)))
    if not 0 < start < stop:
        raise ValueError("the text has no tokens after the prompt")
    logprobs = logits[start - 1 : stop - 1].float().log_softmax(-1)
    total = sum(float(row[token]) for row, token in zip(logprobs, ids[start:stop], strict=True))
    return TextScore(total, stop - start, start)


def masked_score(
    model: Any, tokenizer: Any, pixels: Mapping[str, Any], prompt: str, text: str, device: str
) -> TextScore:
    """The score of a text by an encoder with a masked-language-model head.

    Each token of the text is masked in turn and predicted from all others, the prompt and the picture; the
    log-probabilities add up (pseudo-log-likelihood, Salazar et al. 2020). An encoder reads few tokens (ViLT
    40): the prompt's first ones stay.
    """
    import torch

    limit = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 512))
    room = limit - 2
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    own = continuation_ids(tokenizer, before, text)[:room]
    shown = before[: room - len(own)]
    ids = [tokenizer.cls_token_id, *shown, *own, tokenizer.sep_token_id]
    places = range(1 + len(shown), 1 + len(shown) + len(own))
    rows = torch.tensor([ids] * len(own), device=device)
    for row, place in enumerate(places):
        rows[row, place] = tokenizer.mask_token_id
    with torch.inference_mode():
        logits = model(
            input_ids=rows,
            attention_mask=torch.ones_like(rows),
            token_type_ids=torch.zeros_like(rows),
            **{name: value.expand(len(own), *value.shape[1:]) for name, value in pixels.items()},
        ).logits
    total = sum(
        float(logits[row, place].float().log_softmax(-1)[ids[place]]) for row, place in enumerate(places)
    )
    return TextScore(total, len(own), len(shown) + 2, cut=len(before) - len(shown))


def blank_picture() -> Any:
    """What an encoder that must have a picture sees where the prior has none: a grey square."""
    from PIL import Image

    return Image.new("RGB", (224, 224), _GREY)
