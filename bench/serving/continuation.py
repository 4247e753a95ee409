"""The tokens of a text as the continuation of a prompt, so that its probability can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Tokens at the prompt's end that are read again with the text: merges do not reach further back.
_TAIL = 8


def spaced(prompt: str, text: str) -> str:
    """The text with the space that an answer has before it, unless the prompt ends in one."""
    return text if not prompt or prompt[-1].isspace() else f" {text}"


def continuation_ids(tokenizer: Any, prompt_ids: Sequence[int], text: str) -> list[int]:
    """The tokens that follow the prompt's when the text is written after it.

    The prompt's last tokens are decoded and tokenized again together with the text, as tokenizers put spaces
    and words into one token; where that would change the prompt's own tokens, the text is tokenized alone.
    ValueError for a text without tokens.
    """
    tail = list(prompt_ids[-_TAIL:])
    before = tokenizer.decode(tail, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    whole = _ids(tokenizer, before + spaced(before, text))
    start = _ids(tokenizer, before)
    found = whole[len(start) :] if whole[: len(start)] == start else _ids(tokenizer, spaced(before, text))
    if not found:
        raise ValueError(f"the text {text!r} has no tokens")
    return found


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
