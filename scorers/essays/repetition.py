"""Loops: the same sentence, phrase or pattern over and over, as small models fall into them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_RUN = 6
_FEWEST_WORDS = 30
_MOST_SHARED = 0.3
_MOST_SHARED_PATTERN = 0.55
_LONG = 8
_SHORT = 4
_SAME_PATTERN = 5
_LONGEST_WORD = 200


def repeats_itself(sentences: Sequence[str]) -> bool:
    """Whether a text of these sentences says the same again, or something like it without end.

    A sentence of eight words or more stands there twice, one of four or more three times; five sentences
    differ in their numbers alone; more than 30% of the runs of six words, or more than 55% of them with
    numbers left aside, were there before; or something without a space has over 200 characters.
    """
    spoken = [_spoken(sentence) for sentence in sentences]
    written = [run for sentence in sentences for run in sentence.split()]
    if any(len(run) > _LONGEST_WORD for run in written):
        return True
    counts = Counter(" ".join(words) for words in spoken if len(words) >= _SHORT)
    if any(n >= 3 or (n == 2 and sentence.count(" ") + 1 >= _LONG) for sentence, n in counts.items()):
        return True
    patterns = [["#" if word[0].isdigit() else word for word in words] for words in spoken]
    same = Counter(" ".join(words) for words in patterns if len(words) > _SHORT)
    if any(n >= _SAME_PATTERN for n in same.values()):
        return True
    words = [word for one in spoken for word in one]
    if len(words) < _FEWEST_WORDS:
        # Signs alone can loop as well.
        return len(words) * 2 < len(written) >= _FEWEST_WORDS and repeated_share(written) > _MOST_SHARED
    shapes = [word for one in patterns for word in one]
    return repeated_share(words) > _MOST_SHARED or repeated_share(shapes) > _MOST_SHARED_PATTERN


def repeated_share(words: Sequence[str], length: int = _RUN) -> float:
    """Share of the runs of so many words that stood there before; 0 for a text that is shorter."""
    runs = [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def _spoken(sentence: str) -> list[str]:
    return re.findall(r"\d[\d.,]*|[^\W\d_]+(?:['’][^\W\d_]+)?", sentence.casefold())
