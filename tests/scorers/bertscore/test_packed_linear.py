"""A packed encoder computes what it computed before, and forgets nothing on the way."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertModel

from scorers.bertscore.packed_linear import PackedLinear, pack_linears


def bert(activation: str) -> BertModel:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=100,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=80,
        hidden_act=activation,
    )
    return BertModel(config, add_pooling_layer=False).eval()


def states(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=ids).last_hidden_state
        return found


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 13), (3, 400)])
def test_a_packed_model_computes_the_same(activation: str, shape: tuple[int, int]) -> None:
    ids = torch.randint(0, 100, shape, generator=torch.Generator().manual_seed(1))
    expected = states(bert(activation), ids)
    packed = pack_linears(bert(activation))
    assert not any(isinstance(module, torch.nn.Linear) for module in packed.modules())
    torch.testing.assert_close(states(packed, ids), expected, atol=2e-6, rtol=2e-6)


def test_only_the_exact_gelu_is_taken_into_the_layer() -> None:
    for activation, taken in (("gelu", 2), ("gelu_new", 0), ("relu", 0)):
        layers = [m for m in pack_linears(bert(activation)).modules() if isinstance(m, PackedLinear)]
        assert sum(layer.gelu for layer in layers) == taken


def test_without_onednn_the_model_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    model = bert("gelu")
    assert pack_linears(model) is model
    assert any(isinstance(module, torch.nn.Linear) for module in model.modules())
