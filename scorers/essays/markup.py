"""What makes a text a list, an outline or a formatted page instead of prose."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scorers.essays.prose import ends_sentence

_ITEM = re.compile(
    r"[ \t>]*(?:[-*+•·–—▪●◦‣○■][ \t]+|\(?\d{1,3}[.)][ \t]+|\(?[A-Za-z][)][ \t]+)(?P<rest>\S.*)"
)
_BULLET = re.compile(r"[ \t>]*[•▪●◦‣○■][ \t]*(?P<rest>\S.*)")
_TABLE_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*")
_HASHED = re.compile(r"[ \t>*_]*#{1,6}[ \t*_]*(?P<rest>\S.*?)[ \t#*_:]*")
_BOLD = re.compile(
    r"\*\*(?=[^\s*])[^*\n]{1,300}\*{2}|__(?=[^\s_])[^_\n]{1,300}__|<(b|strong)>[^<\n]{1,300}</\1>"
)
_ALL_BOLD = re.compile(
    r"[ \t]*(?:\*{2,4}|__)(?P<rest>[^*\n]{1,100}?)(?:\*{2,4}|__)?[ \t]*:?[ \t]*(?:\*{2,4}|__)?[ \t]*"
)
_UNDERLINE = re.compile(r"[ \t]*(?:={3,}|-{3,}|\*{3,}|_{3,})[ \t]*")
# A label of a part of an essay before its text, in the same line.
_LABEL = re.compile(
    r"[ \t]*(?:\*\*|__)?(?:introduction|overview|conclusion|summary|body(?:[ \t]+paragraphs?)?|main[ \t]+body"
    r"|(?:key|main)[ \t]+(?:points?|features?|trends?|findings|observations|aspects?)|description|title"
    r"|(?:graph|chart)[ \t]+description|details?|analysis|trends?|comparisons?|observations?)"
    r"(?:[ \t]*\d{1,2})?[ \t]*(?:\*\*|__)?[ \t]*:[ \t*_]*(?P<rest>.*)",
    re.IGNORECASE,
)
# A sentence that leads to a list is no heading.
_CLAUSE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|shows?|gives?|includes?|follows?|compares?|illustrates?|can|will)\b",
    re.IGNORECASE,
)
_LONGEST_HEADING = 12


@dataclass(frozen=True)
class Markup:
    """The counts of a text, and its prose: the same lines without marks; headings are left out.

    items: lines of lists and rows of tables. headings: with hash signs, in bold, underlined, labels such as
    "Conclusion:", and short lines without an end before text. bold: stretches in bold.
    """

    items: int
    headings: int
    bold: int
    overview_heading: bool
    prose: str


def read_markup(text: str) -> Markup:
    """Lines of a text as list items, headings and prose."""
    lines = text.split("\n")
    items, headings, overview, prose = 0, 0, False, []
    for number, line in enumerate(lines):
        if _UNDERLINE.fullmatch(line):
            headings += line.strip()[0] in "=-" and number > 0 and bool(lines[number - 1].strip())
            prose.append("")
            continue
        if _TABLE_ROW.fullmatch(line):
            items += 1
            prose.append(" ".join(line.replace("|", " ").split()))
            continue
        if (item := _ITEM.fullmatch(line) or _BULLET.fullmatch(line)) is not None:
            items += 1
            # An item is a paragraph of its own.
            prose += [_bare(item["rest"]), ""]
            continue
        title, rest = _heading(lines, number)
        if title is not None:
            headings += 1
            overview = overview or _of_overview(title)
        prose.append(_bare(rest))
        if title is not None and not rest:
            prose.append("")
    return Markup(items, headings, len(_BOLD.findall(text)), overview, "\n".join(prose).strip())


def _heading(lines: list[str], number: int) -> tuple[str | None, str]:
    """(heading or None, what else the line says)."""
    line = lines[number]
    if not line.strip():
        return None, ""
    if hashed := _HASHED.fullmatch(line):
        # A whole sentence behind a hash sign is a paragraph with a mark.
        sentence = len(hashed["rest"].split()) > _LONGEST_HEADING
        return hashed["rest"], hashed["rest"] if sentence else ""
    if (bold := _ALL_BOLD.fullmatch(line)) and len(bold["rest"].split()) <= _LONGEST_HEADING:
        return bold["rest"], ""
    if label := _LABEL.fullmatch(line):
        return line[: line.index(":")], label["rest"]
    short = len(line.split()) <= _LONGEST_HEADING
    following = next((other for other in lines[number + 1 :] if other.strip()), "")
    if short and line.rstrip().endswith(":") and following and not _CLAUSE.search(line):
        return line, ""
    alone = number + 1 < len(lines) and not lines[number + 1].strip()
    first = number == 0 or not lines[number - 1].strip()
    if (
        short
        and first
        and alone
        and not ends_sentence(line.strip())
        and len(following.split()) > _LONGEST_HEADING
    ):
        return line, ""
    return None, line


def _bare(text: str) -> str:
    """A line without marks of bold type, italics and code."""
    return re.sub(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|__|`|</?(?:b|strong|i|em|u)>", "", text).strip()


def _of_overview(title: str) -> bool:
    return re.search(r"overview|conclusion|summary|overall", title, re.IGNORECASE) is not None
