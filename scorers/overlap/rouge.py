"""ROUGE-1, -2, -L and -Lsum (Lin 2004) with the numbers of the library `rouge-score`, many times faster.

Own code, because that library spends over 90% of its time in a table of longest common subsequences in pure
Python. Here `rapidfuzz` counts the subsequence, a bit-parallel table (Hyyrö 2004) finds it where ROUGE-Lsum
needs the words themselves, stems are remembered, and so is what is known of a reference. The library is the
oracle of the tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

RougeType: TypeAlias = Literal["rouge1", "rouge2", "rougeL", "rougeLsum"]
ROUGE_TYPES: tuple[RougeType, ...] = get_args(RougeType)

_WORD = re.compile("[a-z0-9]+")
_STEMMED_FROM = 4
_REFERENCES_KEPT = 4096
_WORDS_KEPT = 1 << 20


class Rouge(NamedTuple):
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


_ZERO = Rouge(0.0, 0.0, 0.0)


def rouge_scores(
    completions: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    types: Iterable[str] = ROUGE_TYPES,
    stemmer: bool = False,
) -> list[dict[RougeType, Rouge]]:
    """The scores of each completion against its own list of references.

    >>> [scores] = rouge(["the cat sat"], [["the cat sat down"]], types=["rouge1"])
    >>> scores["rouge1"].recall
    0.75
    """
    scorer = RougeScorer(types, stemmer=stemmer)
    return [scorer.score(text, golds) for text, golds in zip(completions, references, strict=True)]


class RougeScorer:
    """Scores texts against references; remembers words and references from call to call.

    types: some of `ROUGE_TYPES`, in the order wanted. stemmer: compare Porter stems of words of four letters
    or more. ValueError for an unknown or empty choice, ModuleNotFoundError without the `text` extra.
    """

    def __init__(self, types: Iterable[str] = ROUGE_TYPES, *, stemmer: bool = False) -> None:
        from rapidfuzz.distance import LCSseq

        given = list(types)
        unknown = [name for name in given if name not in ROUGE_TYPES]
        if unknown or not given:
            said = ", ".join(map(repr, unknown)) or "none given"
            raise ValueError(f"types: {said}; give one or more of {', '.join(ROUGE_TYPES)}")
        self.types = tuple(name for wanted in given for name in ROUGE_TYPES if name == wanted)
        self._subsequence: Callable[[list[int], list[int]], int] = LCSseq.similarity
        self._vocabulary = _Vocabulary(_stems() if stemmer else None)
        # A reference comes back for every model and epoch; a completion does not.
        self._reference = lru_cache(maxsize=_REFERENCES_KEPT)(self._read)

    def score(self, completion: str, references: Sequence[str]) -> dict[RougeType, Rouge]:
        """The scores of a completion; of several references, for each type the one with the best F1."""
        if not references:
            raise ValueError("a completion needs at least one reference")
        if len(self._vocabulary) > _WORDS_KEPT:
            self._vocabulary.clear()
            self._reference.cache_clear()
        text = self._read(completion)
        each = [self._pair(self._reference(reference), text) for reference in references]
        if len(each) == 1:
            return each[0]
        return {name: max((scores[name] for scores in each), key=lambda one: one.f1) for name in self.types}

    def _read(self, text: str) -> _Text:
        return _Text(text, self._vocabulary)

    def _pair(self, target: _Text, text: _Text) -> dict[RougeType, Rouge]:
        scores: dict[RougeType, Rouge] = {}
        lengths = len(target.words), len(text.words)
        common: int | None = None
        for name in self.types:
            if name == "rouge1":
                scores[name] = _of_counts(target.unigrams, text.unigrams)
            elif name == "rouge2":
                scores[name] = _of_counts(target.bigrams, text.bigrams)
            elif name == "rougeLsum" and (len(target.lines) > 1 or len(text.lines) > 1):
                scores[name] = _rouge(_union_hits(target.lines, text.lines), *lengths)
            else:
                # Of two texts of one line, the union of subsequences is the only one there is.
                if common is None:
                    common = self._subsequence(target.words, text.words)
                scores[name] = _rouge(common, *lengths)
        return scores


class _Vocabulary(dict[str, int]):
    """A number for every word; words with one stem have one number."""

    def __init__(self, stem: Callable[[str], str] | None) -> None:
        super().__init__()
        self._stem = stem
        self._numbers: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        form = self._stem(word) if self._stem and len(word) >= _STEMMED_FROM else word
        number = self[word] = self._numbers.setdefault(form, len(self._numbers))
        return number

    def clear(self) -> None:
        super().clear()
        self._numbers.clear()


@lru_cache(maxsize=1)
def _stems() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    stem: Callable[[str], str] = PorterStemmer().stem
    return stem


class _Text:
    """A text as ROUGE sees it: lower-case words of ASCII letters and digits. Each view is made once."""

    def __init__(self, text: str, vocabulary: _Vocabulary) -> None:
        self._text = text
        self._vocabulary = vocabulary

    def _split(self, text: str) -> list[int]:
        vocabulary = self._vocabulary
        return [vocabulary[word] for word in _WORD.findall(text.lower())]

    @cached_property
    def words(self) -> list[int]:
        return self._split(self._text)

    @cached_property
    def unigrams(self) -> Counter[Any]:
        return Counter(self.words)

    @cached_property
    def bigrams(self) -> Counter[Any]:
        return Counter(zip(self.words, self.words[1:], strict=False))

    @cached_property
    def lines(self) -> list[list[int]]:
        """The words of each line that has a character: the sentences of ROUGE-Lsum."""
        if "\n" not in self._text:
            return [self.words]
        return [self._split(line) for line in self._text.split("\n") if line]


def _of_counts(target: Counter[Any], text: Counter[Any]) -> Rouge:
    few, many = (target, text) if len(target) < len(text) else (text, target)
    hits = 0
    for item, count in few.items():
        other = many.get(item)
        if other is not None:
            hits += count if count < other else other
    return _rouge(hits, target.total(), text.total())


def _rouge(hits: int, target: int, text: int) -> Rouge:
    if not hits:
        return _ZERO
    precision, recall = hits / text, hits / target
    return Rouge(precision, recall, 2 * precision * recall / (precision + recall))


def _union_hits(target: Sequence[list[int]], text: Sequence[list[int]]) -> int:
    """Words of the target's lines in the union of their subsequences with the text's lines.

    As in ROUGE-1.5.5 a word counts no more often than it occurs in either whole text (Lin 2004, section 3.2,
    counts every one).
    """
    left_in_target = Counter(word for line in target for word in line)
    left_in_text = Counter(word for line in text for word in line)
    hits = 0
    for line in target:
        union: set[int] = set()
        for other in text:
            union.update(_subsequence(line, other))
        for position in sorted(union):
            word = line[position]
            if left_in_text[word] > 0 and left_in_target[word] > 0:
                hits += 1
                left_in_text[word] -= 1
                left_in_target[word] -= 1
    return hits


def _subsequence(target: list[int], text: list[int]) -> list[int]:
    """Positions in the target of one longest common subsequence: among equals, the one rouge-score takes.

    Bit j of a row is 0 where the text's word j adds one to the subsequence, so that the length for the first
    j words is the number of zeros among the first j bits.
    """
    columns: dict[int, int] = {}
    for position, word in enumerate(text):
        columns[word] = columns.get(word, 0) | (1 << position)
    if not any(word in columns for word in target):
        return []
    row = full = (1 << len(text)) - 1
    rows = [row]
    for word in target:
        matches = columns.get(word, 0)
        if matches:
            kept = row & matches
            row = ((row + kept) | (row - kept)) & full
        rows.append(row)
    positions: list[int] = []
    i, j = len(target), len(text)
    while i and j:
        if target[i - 1] == text[j - 1]:
            i -= 1
            j -= 1
            positions.append(i)
            continue
        # Without a match here the length is the larger of its two neighbours; left only if that is larger.
        first = (1 << j) - 1
        if (rows[i] & first).bit_count() < (rows[i - 1] & first).bit_count():
            j -= 1
        else:
            i -= 1
    return positions
