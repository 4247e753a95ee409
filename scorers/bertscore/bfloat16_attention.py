"""Attention in bfloat16 as two batched products and a softmax, for encoders of BERT's kind on a CPU.

torch's own runs through the keys in blocks; for texts of some hundred tokens and narrow heads the plain way
takes two thirds of its time, if the keys are padded so that the softmax has whole vectors to work on. Weights
are rounded to bfloat16 before they meet the values, as in transformers' own attention without kernels. What
it saves is in docs/benchmarks.md.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import flash_attention_mask

NAME = "tunebench_bfloat16"
"""For `set_attn_implementation`, once this module is imported."""

_WIDTH = 32
"""bfloat16 numbers in the widest register: 2.3 to 2.8 ms with keys padded to whole ones, 4.6 without."""


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """softmax(scaling · query key') value, for each text and head; no text looks at its padding.

    query, key, value: texts x heads x tokens x dimensions; attention_mask: texts x tokens, False at padding,
    or None where there is none → texts x tokens x heads x dimensions, and no weights.
    """
    texts, tokens = key.shape[0], key.shape[2]
    more = -tokens % _WIDTH
    scores = torch.matmul(query * scaling, _longer(key, more).transpose(-1, -2))
    if more or attention_mask is not None:
        hidden = scores.new_full((texts, 1, 1, tokens + more), -torch.inf)
        seen = hidden[..., :tokens]
        seen.zero_()
        if attention_mask is not None:
            seen.masked_fill_(~attention_mask[:, None, None].bool(), -torch.inf)
        scores += hidden
    # In place: these are megabytes, and fresh ones cost as much as the sums.
    torch.softmax(scores, -1, out=scores)
    return torch.matmul(scores, _longer(value, more)).transpose(1, 2), None


def _longer(x: torch.Tensor, more: int) -> torch.Tensor:
    return torch.nn.functional.pad(x, (0, 0, 0, more)) if more else x


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, flash_attention_mask)
