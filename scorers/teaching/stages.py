"""Completions written in stages, each in its own tags: ``<CAPTION> … </CAPTION> <REASONING> … </REASONING>``.

    read_stages("<A> one </A> <B> two </B>", ("A", "B"))      # {"A": "one", "B": "two"}
    stages_text({"A": "one", "B": "two"})                     # "<A> one </A>\n<B> two </B>"

Tags are read in either case and written as given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ANY_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9_]{0,40}>")


def read_stages(text: str, tags: Sequence[str]) -> dict[str, str]:
    """The content of each stage, by its tag, in the order of ``tags``; what stands around them is left out.

    Tags are read in either case. ValueError says what is wrong, in words that do not depend on the content:
    a stage that is missing, not closed, empty, given twice or out of order.
    """
    found: dict[str, str] = {}
    place = 0
    for tag in tags:
        opened = [m.span() for m in re.finditer(f"<{re.escape(tag)}>", text, re.IGNORECASE)]
        closed = [m.span() for m in re.finditer(f"</{re.escape(tag)}>", text, re.IGNORECASE)]
        if not opened:
            raise ValueError(f"{tag} is missing")
        if not closed:
            raise ValueError(f"{tag} is not closed")
        if len(opened) > 1 or len(closed) > 1:
            raise ValueError(f"{tag} is given twice")
        (start, inside), (end, after) = opened[0], closed[0]
        if start < place or end < inside:
            raise ValueError(f"{tag} is out of order")
        content = text[inside:end].strip()
        if not content:
            raise ValueError(f"{tag} is empty")
        found[tag] = content
        place = after
    return found


def stage(text: str, tag: str) -> str | None:
    """The content of one stage, closed or cut off; None when it is not there, empty, or there twice."""
    parts = re.split(f"<{re.escape(tag)}>", text, flags=re.IGNORECASE)
    if len(parts) != 2:
        return None
    content = re.split(f"</{re.escape(tag)}>", parts[1], maxsplit=1, flags=re.IGNORECASE)[0].strip()
    return content or None


def stages_text(stages: Mapping[str, str]) -> str:
    """Stages as a completion, a stage a paragraph; what `read_stages` reads back."""
    return "\n".join(f"<{tag}> {content.strip()} </{tag}>" for tag, content in stages.items())


def joined_replies(replies: Sequence[str], tags: Sequence[str]) -> str:
    """The replies to one question per stage as one completion.

    A reply without any tag is its stage's content. A reply with tags is taken as it is: `read_stages` then
    says what is wrong with it.
    """
    return "\n".join(
        reply.strip() if _ANY_TAG.search(reply) else stages_text({tag: reply})
        for tag, reply in zip(tags, replies, strict=True)
    )
