"""Words, sentences and paragraphs of a text, by rule."""

from __future__ import annotations

import re

READ = 10_000
"""Characters that are looked at: some ten times a long essay. Of a longer text only the words are counted."""

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’')\]*]{0,3}\s+(?=[\"“‘'(\[*]{0,3}[A-Z0-9])")
_ENDED = re.compile(r"[.!?:;][\"”’')\]*_]{0,4}$")
# After these a full stop ends no sentence.
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|e\.g|i\.e|vs|approx|no|St|Mr|Mrs|Dr|U\.S|U\.K)\.)[\"”’')\]]{0,3}$")
_WRAPPED_AT = 0.75


def count_words(text: str) -> int:
    """How many runs of characters between spaces have a letter or a digit."""
    return sum(word.isalnum() or any(map(str.isalnum, word)) for word in text.split())


def sentences(text: str) -> list[str]:
    """The sentences of a text; a line break ends one where a paragraph ends."""
    found: list[str] = []
    for paragraph in paragraphs(text):
        start = 0
        for gap in _SENTENCE_END.finditer(paragraph):
            if _ABBREVIATION.search(paragraph, max(0, gap.start() - 8), gap.start()):
                continue
            found.append(paragraph[start : gap.end()].strip())
            start = gap.end()
        if rest := paragraph[start:].strip():
            found.append(rest)
    return found


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, each in one line.

    A blank line parts paragraphs. So does a line break after the end of a sentence, unless the lines were
    broken at a fixed width and this one is full.
    """
    found: list[str] = []
    for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", text):
        lines = [line.strip() for line in block.split("\n") if line.strip()]
        wrapped = any(not ends_sentence(line) for line in lines[:-1])
        full = _WRAPPED_AT * max(map(len, lines), default=0)
        begin = 0
        for number, line in enumerate(lines):
            last = number == len(lines) - 1
            if last or (ends_sentence(line) and not (wrapped and len(line) > full)):
                found.append(" ".join(lines[begin : number + 1]))
                begin = number + 1
    return found


def ends_sentence(line: str) -> bool:
    """Whether a line ends with the end of a sentence or clause."""
    return _ENDED.search(line, max(0, len(line) - 8)) is not None
