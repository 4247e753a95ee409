"""Texts as VQAonline's authors put them before ROUGE-L and METEOR: small words, and no punctuation."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import Any, Literal, TypeAlias

Normalization: TypeAlias = Literal["none", "words"]

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_PUNCTUATION = frozenset(string.punctuation)


def normalized(text: str, how: Normalization) -> str:
    """The text, or with "words" its NLTK tokens in small letters without lone ASCII punctuation.

    The authors' code (VQAonline_evaluation/other_metrics.py) splits sentences by NLTK's trained Punkt model
    first, which is a download; here a sentence ends at . ! or ? before white space. That moves a full stop
    off its word, or leaves it there, after abbreviations alone.
    """
    if how == "none":
        return text
    tokens = (
        token.lower() for sentence in _SENTENCE_END.split(text) for token in _tokenizer().tokenize(sentence)
    )
    return " ".join(token for token in tokens if token not in _PUNCTUATION)


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()
