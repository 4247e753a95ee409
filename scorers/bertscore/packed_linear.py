"""Linear layers with their weights laid out once as the processor's matrix products want them.

torch lays a layer's weights out anew at each call. oneDNN can keep them laid out, and can apply GELU while
the products are still in the cache: what torch's own compiler emits for inference on a CPU, here without a
compiler. What it saves is in docs/benchmarks.md.
"""

from __future__ import annotations

import torch

_ROWS = 1024
"""Rows for which the layout is chosen; others work as well."""


def pack_linears(model: torch.nn.Module) -> torch.nn.Module:
    """The model with every linear layer packed, on a CPU where torch has oneDNN; elsewhere as it was.

    The model computes the same as before, up to rounding, and can no longer be trained or saved.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return model
    for name, child in list(model.named_children()):
        if isinstance(child, torch.nn.Linear):
            packed = _packed(child)
            if packed is None:  # a processor for which there is no layout: no layer will have one
                return model
            setattr(model, name, packed)
        else:
            pack_linears(child)
    return _with_gelu(model)


class PackedLinear(torch.nn.Module):
    """x W' + b over the last axis, then GELU (the exact one) if `gelu`."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self._weight = weight
        self._bias = bias
        self.gelu = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (…, in) → (…, out)."""
        after: tuple[str, list[float], str] = ("gelu", [], "none") if self.gelu else ("none", [], "")
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *after)
        return made


def _packed(linear: torch.nn.Linear) -> PackedLinear | None:
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), _ROWS)
    except (AttributeError, NotImplementedError, RuntimeError):
        return None
    return PackedLinear(weight, None if linear.bias is None else linear.bias.detach())


def _with_gelu(module: torch.nn.Module) -> torch.nn.Module:
    """BERT's and RoBERTa's intermediate layers: a linear layer and then an activation of this name."""
    dense, activation = getattr(module, "dense", None), getattr(module, "intermediate_act_fn", None)
    if isinstance(dense, PackedLinear) and type(activation).__name__ == "GELUActivation":
        dense.gelu = True
        module.intermediate_act_fn = torch.nn.Identity()
    return module
