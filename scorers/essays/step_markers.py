"""Step markers and paragraph labels: the scaffold that a teacher writes an essay in, and what stands in it.

    marked_blocks("Step 1: What it shows\\n\\nA.\\n\\n2. <Find the key points>: Paragraph 1: \\"B.\\"")
    [(1, "A."), (2, ""), (None, "B.")]

A marker is "Step 2: …" or "2. <…>:" at the beginning of a line, a label "Paragraph 1:"; "2. <…>:" and labels
also in the middle of a line, after the end of a sentence.
"""

from __future__ import annotations

import re

_LONGEST_TITLE = 10

_STEP = re.compile(
    r"[ \t>#*_-]*(?:step[ \t]*(?P<word>\d{1,2})[ \t*_]*(?:[:)–—-]|\.(?!\d)|$)"
    r"|(?P<figure>\d{1,2})[ \t]*[.)][ \t*_]*"
    r"(?=<|(?:describe|find|write|summari[sz]e|identify)\b[^.!?:\n]{0,60}(?::|$)))"
    r"[ \t]*(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"<[^<>\n]{1,80}>(?:\*\*|__)?[ \t]*:?")
# "<Describe a graph>:" whose number is lost.
_UNNUMBERED = re.compile(r"[ \t>#*_-]*<[A-Za-z]+ [^<>\n]{1,80}>(?:\*\*|__)?[ \t]*:(?P<rest>[^\n]*)")
_PARAGRAPH = re.compile(
    r"[ \t>#*_-]*(?:body[ \t]+)?paragraph[ \t]*\d{1,2}[ \t*_]*[:.)–—-](?P<rest>[^\n]*)", re.IGNORECASE
)
_INSIDE = re.compile(
    r"(?<=[.!?:\"”])[ \t]+(?=\d{1,2}[.)][ \t]*<[^<>\n]{1,80}>|(?:body[ \t]+)?paragraph[ \t]*\d{1,2}[ \t]*:)",
    re.IGNORECASE,
)


def structured_to_plain(text: str) -> str:
    """The text without step markers and paragraph labels, and without the quotes around a labelled paragraph.

    Everything else stays as it is, line breaks inside a paragraph too. A text without markers is unchanged
    but for blank lines and spaces around its paragraphs.
    """
    return "\n\n".join(block for _, block in marked_blocks(text) if block)


def marked_blocks(text: str) -> list[tuple[int | None, str]]:
    """(step that begins here or None, text) of each block: what blank lines and markers set apart."""
    blocks: list[tuple[int | None, str]] = []
    lines: list[str] = []
    step: int | None = None
    marked = False

    def end() -> None:
        nonlocal lines, step, marked
        block = "\n".join(lines).strip()
        if block or step is not None:
            # A marker's paragraph may come after a blank line, and its quotes belong to the form.
            blocks.append((step, unquoted(block) if marked else block))
            marked = marked and not block
        lines, step = [], None

    for line in _INSIDE.sub("\n", text).split("\n"):
        if (found := marker(line)) is not None:
            end()
            step, rest = found
            marked = True
            lines = [rest] if rest else []
        elif line.strip():
            lines.append(line.rstrip())
        else:
            end()
    end()
    return blocks


def count_markers(text: str) -> int:
    """How many markers and labels a text has."""
    return sum(marker(line) is not None for line in _INSIDE.sub("\n", text).split("\n"))


def marker(line: str) -> tuple[int | None, str] | None:
    """(number of the step, None for a label; what follows in the line), or None where there is no marker."""
    if label := _PARAGRAPH.fullmatch(line) or _UNNUMBERED.fullmatch(line):
        return None, _content(label["rest"])
    found = _STEP.fullmatch(line)
    if found is None:
        return None
    number, rest = int(found["word"] or found["figure"]), _content(found["rest"])
    if bracketed := _BRACKETED.match(rest):
        return number, _content(rest[bracketed.end() :])
    title, colon, after = rest.partition(":")
    if _is_title(title) and (colon or not after):
        return number, _content(after)
    return number, rest


def _content(rest: str) -> str:
    """What follows a marker, without the end of the marker's own bold type."""
    rest = rest.strip()
    marks = rest[:2]
    return rest[2:].strip() if marks in ("**", "__") and rest.count(marks) % 2 else rest


def unquoted(text: str) -> str:
    """A text without the one pair of double quotes around all of it."""
    for opening, closing in (('"', '"'), ("“", "”")):
        whole = text[1:-1]
        enclosed = len(text) >= 2 and text[0] == opening and text[-1] == closing
        if enclosed and opening not in whole and closing not in whole:
            return whole.strip()
    return text


def _is_title(text: str) -> bool:
    bare = text.strip(" \t*_")
    return len(bare.split()) <= _LONGEST_TITLE and not bare.endswith((".", "!", "?"))
