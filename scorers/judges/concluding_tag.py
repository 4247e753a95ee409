"""What a reply concludes with, where it was asked for in a tag on its last line: ``<verdict>…</verdict>``.

Pure and linear in the text's length. A judge reasons first, and its reasoning may quote the instructions, an
essay or an earlier thought, tags and all. So only a tag that ends the reply, or stands alone on its line,
concludes it; tags that stand together conclude it together, and may contradict each other.
"""

from __future__ import annotations

import re
from functools import cache

_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(r"\s{0,100}<think(?:ing)?>", re.IGNORECASE)
_SAYS_SOMETHING = re.compile(r"[^\W_]")


def concluding_tags(text: str, name: str) -> list[str]:
    """The contents of the tags that conclude a text, last first; empty when none does.

    A closing tag without its slash, and one that the token limit cut off at the very end, still close.
    """
    spoken = without_thoughts(text)
    if spoken is None:
        return []
    tags = list(_tag(name).finditer(spoken))
    if not tags or not _concludes(spoken, tags[-1]):
        return []
    found, start = [tags[-1][1]], tags[-1].start()
    for tag in reversed(tags[:-1]):
        between = spoken[tag.end() : start]
        if "\n" in between and _SAYS_SOMETHING.search(between):
            break
        found.append(tag[1])
        start = tag.start()
    return found


def without_thoughts(text: str) -> str | None:
    """What is said after a reasoning model's thoughts; None when its thoughts never ended."""
    ends = list(_THOUGHT_ENDS.finditer(text))
    spoken = text[ends[-1].end() :] if ends else text
    return None if _THOUGHT_BEGINS.match(spoken) else spoken.rstrip()


@cache
def _tag(name: str) -> re.Pattern[str]:
    # Every repetition is bounded, and a content holds no angle: a scan never goes far back.
    closing = rf"<[ ]{{0,3}}/?[ ]{{0,3}}{name}[ ]{{0,3}}/?[ ]{{0,3}}>"
    cut_off = r"(?:</?\w{0,20})?\Z"
    return re.compile(rf"<[ ]{{0,3}}{name}[ ]{{0,3}}>([^<>]{{0,80}})(?:{closing}|{cut_off})", re.IGNORECASE)


def _concludes(text: str, tag: re.Match[str]) -> bool:
    """The tag is on the last line that says something, or alone on its line."""
    rest, _, below = text[tag.end() :].partition("\n")
    if not _SAYS_SOMETHING.search(below):
        return True
    before = text[: tag.start()].rpartition("\n")[2]
    return not _SAYS_SOMETHING.search(before) and not _SAYS_SOMETHING.search(rest)
