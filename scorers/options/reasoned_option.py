"""Which option a rationale arrives at, by rule, and whether the conclusion under it is another.

    reasoned_option("Arlen lies low. So it must be Dorn.", ["Arlen", "Dorn"])      # 1

What a rationale states (`scorers.options.option_letter`) is what it arrives at. Where it states nothing, the
last part of it that names an option decides: parts end with a sentence and before *so*, *therefore*, *but*
and their like. A part with one option that is not denied names it; a part that begins with *so* and its like
may name others after its subject. What stands for comparison (*than Arlen*, *from the clover*) and questions
name nothing.

Cases labelled by hand (tests/scorers/options/data/reasoned_right.jsonl), for *reasoned right, concluded
wrong*: of 50 with which the rule was written, precision 23/23 and recall 23/24; of 20 written after it, 10/11
and 10/13.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scorers.options.option_letter import extract_option
from scorers.options.option_text import OptionMention, is_negated, mentions, plain
from scorers.teaching.stages import stage

_LONGEST = 16_000
_PART_ENDS = re.compile(
    r"(?<=[.;!?])\s+|\n+|,?\s+(?=(?:so|therefore|thus|hence|but|which\s+means|which\s+makes)\b)",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[^.;!?\n]*\?")
_CONCLUDES = re.compile(r"\s*(?:so|therefore|thus|hence|which\s+means|which\s+makes)\b", re.IGNORECASE)
_COMPARED = re.compile(r"\b(?:than|unlike|from)\b", re.IGNORECASE)
_ALTERNATIVE = re.compile(
    r"\s*(?:,|/|&|\band\b|\bor\b|\bnor\b)[\s,]*(?:(?:or|and)\s+)?(?:an?\s+|the\s+)?", re.IGNORECASE
)


def reasoned_option(text: str, choices: Sequence[str]) -> int | None:
    """The index (from 0) of the option that a rationale arrives at, or None; the rules are above.

    choices: the texts of the options, lettered A, B, C, … in this order. Of a rationale above 16,000
    characters the last 16,000 are read.
    """
    text = _QUESTION.sub(" ", plain(text[-_LONGEST:]))
    stated = extract_option(text, choices)
    if stated is not None:
        return stated
    denied: set[int] = set()
    for part in reversed(_parts(text)):
        compared = _COMPARED.search(part)
        found = mentions(part[: compared.start()] if compared else part, choices)
        claimed = [mention for mention in found if not is_negated(part, mention.start)]
        options = [mention.index for mention in claimed if mention.index not in denied]
        if claimed:
            return _claim(part, claimed, options)
        denied.update(mention.index for mention in found)
    return None


def reasoned_right_concluded_wrong(
    completion: str, choices: Sequence[str], golds: set[int], tag: str = "REASONING"
) -> tuple[bool, bool]:
    """(the stage arrives at a right option, and the completion's conclusion is a wrong one).

    A completion without the stage has arrived nowhere; one without a readable conclusion concluded nothing.
    """
    reasoning = stage(completion, tag)
    right = reasoning is not None and reasoned_option(reasoning, choices) in golds
    concluded = extract_option(completion, choices)
    return right, right and concluded is not None and concluded not in golds


def _claim(part: str, claimed: Sequence[OptionMention], options: Sequence[int]) -> int | None:
    if len(set(options)) == 1:
        return options[0]
    first, second = claimed[0], claimed[1] if len(claimed) > 1 else None
    if not options or second is None or not _CONCLUDES.match(part):
        return None
    # "so the hawk or the otter" leaves both; "so the hawk eats the clover" has a subject.
    if _ALTERNATIVE.fullmatch(part, first.end, second.start):
        return None
    return first.index if first.index in options else None


def _parts(text: str) -> list[str]:
    return [part for part in _PART_ENDS.split(text) if part.strip()]
