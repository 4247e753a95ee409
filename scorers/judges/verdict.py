"""Which of two texts a judge preferred, read from its reply. A reading that is not certain is no verdict.

>>> parse_verdict("The second one misreads 1990.\\n\\n**<verdict>FIRST</verdict>**")
'first'
>>> parse_verdict("FIRST is better than SECOND") is None
True

Experiment C took the first "first" or "second" anywhere in the reply, and dropped the rest without a word
so that 9 of 304 replies left the count. Here None is an outcome of its own, counted and shown.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

from scorers.judges.concluding_tag import concluding_tags, without_thoughts

Preferred: TypeAlias = Literal["first", "second", "tie"]
TAG = "verdict"

_DECORATION = " \t\r\n*_`'\"“”‘’.,:;!()[]{}#>~"
_WORD = re.compile(r"(?:the\s{1,3})?(first|second|tie)(?:\s{1,3}(?:one|text|essay|answer))?", re.IGNORECASE)
# A last line without a tag: the word alone, in capitals (a reply cut off may end in "Second"), or after a
# label that leaves no doubt.
_BARE = re.compile(r"FIRST|SECOND|TIE")
_LABELLED = re.compile(
    r"(?:(?:my|the)\s{1,3})?(?:final\s{1,3})?(?:verdict|answer|decision|winner)[\s*_`]{0,6}(?::|=|\bis\b)[\s*_`:<\[\"']{0,6}"
    r"(?:the\s{1,3})?(first|second|tie)(?:\s{1,3}(?:one|text|essay|answer))?",
    re.IGNORECASE,
)
_LONGEST_LINE = 120
# The word itself as a tag, as experiment C asked for it, with the words that judges put there in its place.
_WORD_TAG = re.compile(
    r"(?:<verdict>\s{0,3})?"
    r"<[ ]{0,3}(first|second|third|fourth|tie|draw|equal|both|neither|none)[ ]{0,3}/?[ ]{0,3}>"
    r"(?:[^<>]{0,80}<[ ]{0,3}/[ ]{0,3}\1[ ]{0,3}>)?"
    r"(\W{0,6}\b(?:if|when|whenever|indicating|indicates|means|meaning|where)\b)?",
    re.IGNORECASE,
)


def parse_verdict(text: str) -> Preferred | None:
    """The verdict that a judge's reply concludes with, or None.

    A tag that concludes the reply decides; of several the last one, unless they stand together and differ.
    The word itself may be the tag (``<FIRST>``). Without any tag, a last line that is nothing but the verdict
    counts (``FIRST``, ``Verdict: tie.``). None for anything else: both named in the conclusion, a word that
    was not on offer (THIRD), a refusal, the instructions quoted, thoughts that never ended.
    """
    text = _WORD_TAG.sub(_as_tag, text)
    tags = concluding_tags(text, TAG)
    if tags:
        said = {_word(tag) for tag in tags}
        return said.pop() if len(said) == 1 else None
    spoken = without_thoughts(text)
    if spoken is None or f"<{TAG}" in spoken.lower():
        return None
    return (_word(spoken) if len(spoken) < _LONGEST_LINE else None) or _last_line(spoken)


def _as_tag(found: re.Match[str]) -> str:
    """The form that is asked for here; what such a tag would mean is the instructions quoted, no verdict."""
    condition = found[2] or ""
    return f"<{TAG}>{'' if condition else found[1]}</{TAG}>{condition}"


def _word(content: str) -> Preferred | None:
    return _known(_WORD.fullmatch(content.strip(_DECORATION)))


def _last_line(text: str) -> Preferred | None:
    lines = (line.strip(_DECORATION + "<") for line in reversed(text[-4000:].split("\n")))
    line = next((line for line in lines if line), "")
    if len(line) > _LONGEST_LINE:
        return None
    if _BARE.fullmatch(line):
        return _known(_BARE.fullmatch(line))
    return _known(_LABELLED.fullmatch(line))


def _known(found: re.Match[str] | None) -> Preferred | None:
    if found is None:
        return None
    word = (found[1] if found.re.groups else found[0]).lower()
    return next((known for known in get_args(Preferred) if known == word), None)
