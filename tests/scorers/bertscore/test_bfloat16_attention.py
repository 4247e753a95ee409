"""Attention of two products gives what torch's own gives, for any lengths and padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from scorers.bertscore.bfloat16_attention import NAME, attend

HEADS, WIDTH = 3, 16


def drawn(texts: int, tokens: int, size: float) -> tuple[torch.Tensor, ...]:
    """Query, key and value, in the layout that an encoder's layer hands over."""
    generator = torch.Generator().manual_seed(texts * 1000 + tokens)
    return tuple(
        (torch.randn(texts, tokens, HEADS, WIDTH, generator=generator) * size).bfloat16().transpose(1, 2)
        for _ in range(3)
    )


def exact(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    found = torch.nn.functional.scaled_dot_product_attention(
        query.double(), key.double(), value.double(), scale=scaling
    )
    return found.transpose(1, 2)


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 70), min_size=1, max_size=4))
def test_each_text_is_as_if_it_were_alone(lengths: list[int]) -> None:
    longest = max(lengths)
    query, key, value = drawn(len(lengths), longest, 1.0)
    mask = torch.tensor([[place < length for place in range(longest)] for length in lengths])
    found, weights = attend(
        torch.nn.Identity(), query, key, value, None if mask.all() else mask, scaling=WIDTH**-0.5
    )
    assert weights is None and found.shape == (len(lengths), longest, HEADS, WIDTH)
    for place, length in enumerate(lengths):
        own = [x[place : place + 1, :, :length] for x in (query, key, value)]
        torch.testing.assert_close(
            found[place, :length].double(),
            exact(*own, scaling=WIDTH**-0.5)[0],
            atol=0.03,
            rtol=0.02,
        )


@pytest.mark.parametrize("size", [12.0, 40.0])
def test_scores_of_hundreds_stay_finite(size: float) -> None:
    query, key, value = drawn(2, 37, size)
    scaling = WIDTH**-0.5
    assert (query.float() @ key.float().transpose(-1, -2) * scaling).max() > 300
    found, _ = attend(torch.nn.Identity(), query, key, value, None, scaling=scaling)
    assert found.isfinite().all()
    # Where one key outweighs the others by far, its value comes out whole.
    scores = query.double() @ key.double().transpose(-1, -2) * scaling
    first, second = scores.topk(2, dim=-1).values.unbind(-1)
    clear = (first - second) > 0.05 * first.abs() + 10
    assert clear.any()
    torch.testing.assert_close(
        found.transpose(1, 2)[clear].double(),
        exact(query, key, value, scaling).transpose(1, 2)[clear],
        atol=0.01,
        rtol=0.01,
    )


def test_a_model_computes_nearly_the_same_with_it() -> None:
    torch.manual_seed(4)
    config = BertConfig(
        vocab_size=100, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=80
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    ids = torch.randint(0, 100, (3, 45))
    mask = torch.tensor([[1] * length + [0] * (45 - length) for length in (45, 44, 7)])

    def states() -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = model(input_ids=ids, attention_mask=mask).last_hidden_state
            return found[mask.bool()].float()

    expected = states()
    model.bfloat16().set_attn_implementation(NAME)
    torch.testing.assert_close(states(), expected, atol=0.05, rtol=0.05)
