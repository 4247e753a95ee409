"""Letters and words of a text, counted as the charts show them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

LETTER_THRESHOLD = 3
"""A letter is kept when it occurs more often than this."""

WORD_THRESHOLD = 10
"""A word is kept when it occurs more often than this in all texts of a cloud together."""

_WORD = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*")
# The last letter that the font is trusted to draw: the end of the Cyrillic supplement.
_LAST_LETTER = "\u052f"

STOP_WORDS = frozenset(
    """
    a about above after again against all almost also although always am among an and another any anybody
    anyone anything are around as at away back be became because become been before being below between both
    but by came can can't cannot come could couldn't did didn't do does doesn't doing don't done down during
    each either else enough ever every everybody everyone everything few for from further get gets give
    given go goes going gone got had hadn't has hasn't have haven't having he he'd he'll he's her here
    here's hers herself him himself his how however i i'd i'll i'm i've if in instead into is isn't it it's
    its itself just keep less let let's like likely made make makes many may maybe me might mine more most
    much must mustn't my myself near neither never no nobody none nor not nothing now of off often on once
    one only onto or other others our ours ourselves out over own per perhaps quite rather really s same
    shall shan't she she'd she'll she's should shouldn't since so some somebody someone something soon still
    such t take taken than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've thing things this those though through thus to together too toward towards two
    under until up upon us very was wasn't we we'd we'll we're we've well were weren't what what's when
    when's where where's whether which while who who's whole whom whose why will with within without won't
    would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
    """.split()  # noqa: SIM905 - three hundred quoted words would be harder to read
)


def letters(text: str) -> dict[str, int]:
    """Alphabetic characters of `text`, case kept, that occur more than `LETTER_THRESHOLD` times.

    The order is that of first appearance in the text.
    """
    counts = Counter(filter(str.isalpha, text))
    return {letter: count for letter, count in counts.items() if count > LETTER_THRESHOLD}


def tokens(text: str) -> list[str]:
    """All words of `text` in lower case, stop words included, numbers left out."""
    return [word.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'") for word in _WORD.findall(text.lower())]


def content_words(text: str) -> list[str]:
    """The words of `text` in lower case without English stop words, numbers and possessive endings."""
    words = (word.removesuffix("'s") for word in tokens(text) if word not in STOP_WORDS)
    return [word for word in words if word not in STOP_WORDS and max(word) <= _LAST_LETTER]


def kept_words(words: Iterable[Iterable[str]]) -> list[tuple[str, int]]:
    """Words that occur more than `WORD_THRESHOLD` times in all lists together, most frequent first.

    Equal counts are in alphabetical order.
    """
    counts: Counter[str] = Counter()
    for of_one_text in words:
        counts.update(of_one_text)
    kept = [(word, count) for word, count in counts.items() if count > WORD_THRESHOLD]
    return sorted(kept, key=lambda item: (-item[1], item[0]))


def tell_apart(kept: Mapping[str, int]) -> bool:
    """Whether a reader of the picture can tell the letters apart.

    False when a letter occurs in both cases (a scorer that ignores case could not tell them apart), for a
    capital I (drawn like a small l), for two scripts side by side, and for scripts the font does not have.
    """
    if "I" in kept or max(kept, default="") > _LAST_LETTER:
        return False
    if len({letter.casefold() for letter in kept}) < len(kept):
        return False
    return len({unicodedata.name(letter, "?").split()[0] for letter in kept}) == 1
