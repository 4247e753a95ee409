"""Option texts found in a completion: verbatim but for case, spacing and markup, as whole words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Emphasis, mathematics and code marks, which say nothing; a lone underscore may be part of a name.
_MARKUP = re.compile(
    r"\*{1,3}|__+|`+|\$+|\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s{0,3}(?=\{)|\\[()\[\] ]"
)
_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "`": "'", "\u200b": None, "\ufeff": None})
_SPACES = re.compile(r"[^\S\n]+")
# What a whole word or number does not touch: "4" is neither in 14, 4.5, 3/4 nor 4%.
_BEFORE = r"(?<![\w/\\])(?<!\d[.,])(?<![\w(]-)(?<!^-)(?<!\s-)"
_AFTER = r"(?![\w/%°])(?![.,]\d)(?!-\w)"
_ARTICLE = r"(?:(?:an?|the)\s+)?"
_NEGATED = re.compile(
    r"\b(?:not|never|neither|nor|except|without|unlike|cannot|if|whether|unless|instead of|rather than"
    r"|(?:wrong|incorrect|false|doubtful|doubt)\s+(?:that|to))\b|n't\b",
    re.IGNORECASE,
)
_NEW_CLAUSE = re.compile(r"[.,;!?\n]|\b(?:so|but|therefore|thus|hence|because)\b", re.IGNORECASE)
_LONGEST_CLAUSE = 100
_LONGEST_CHOICE = 2_000


@dataclass(frozen=True)
class OptionMention:
    """One place where an option's text stands: ``text[start:end]``, of the option with this index."""

    index: int
    start: int
    end: int


def plain(text: str) -> str:
    """Text with one form of each letter, space and quote, and without emphasis and mathematics marks."""
    # One character may unfold into eighteen.
    folded = unicodedata.normalize("NFKC", text)[: len(text) + 200].translate(_QUOTES)
    return _SPACES.sub(" ", _MARKUP.sub("", folded))


def mentions(text: str, choices: Sequence[str]) -> list[OptionMention]:
    """Where option texts stand in a plain text; a shorter option inside a longer one's place is none.

    An option whose text is one letter is left out: it could not be told from a label or an article.
    Options with equal texts are left out too.
    """
    pattern = _any_of(tuple(choices))
    if pattern is None:
        return []
    return [
        OptionMention(int(match.lastgroup[1:]), *match.span(match.lastgroup))
        for match in pattern.finditer(text)
        if match.lastgroup is not None
    ]


def option_at(text: str, start: int, choices: Sequence[str]) -> OptionMention | None:
    """The longest option text that stands at a place, with or without an article before it."""
    for index, pattern in _each(tuple(choices)):
        if match := pattern.match(text, start):
            return OptionMention(index, *match.span("option"))
    return None


def is_negated(text: str, start: int) -> bool:
    """Whether the clause denies, or only supposes, what stands at a place."""
    before = text[max(0, start - _LONGEST_CLAUSE) : start]
    return _NEGATED.search(_NEW_CLAUSE.split(before)[-1]) is not None


@lru_cache(maxsize=64)
def _texts(choices: tuple[str, ...]) -> list[tuple[int, str]]:
    """A pattern's source for each option text that can be told from the others, the longest first."""
    texts = [plain(choice).strip().rstrip(".").strip()[:_LONGEST_CHOICE] for choice in choices]
    keys = [text.casefold() for text in texts]
    usable = [
        index
        for index, text in enumerate(texts)
        if keys.count(keys[index]) == 1 and text and not (len(text) == 1 and text.isalpha())
    ]
    return [
        (
            index,
            r"\s+".join(map(re.escape, texts[index].split()))
            # A text that ends in a mark of its own, such as 4%, needs no boundary but its end.
            + (_AFTER if texts[index][-1].isalnum() else r"(?!\w)"),
        )
        for index in sorted(usable, key=lambda index: -len(texts[index]))
    ]


@lru_cache(maxsize=64)
def _any_of(choices: tuple[str, ...]) -> re.Pattern[str] | None:
    # Alternatives in this order: at one place the longest text wins.
    sources = [f"(?P<o{index}>{source})" for index, source in _texts(choices)]
    return re.compile(_BEFORE + "(?:" + "|".join(sources) + ")", re.IGNORECASE) if sources else None


@lru_cache(maxsize=64)
def _each(choices: tuple[str, ...]) -> list[tuple[int, re.Pattern[str]]]:
    return [
        (index, re.compile(f"{_ARTICLE}(?P<option>{source})", re.IGNORECASE))
        for index, source in _texts(choices)
    ]
