"""An essay and its two written forms: with step markers and labels, and in plain paragraphs.

    essay = parse_essay(completion)          three parts, or ValueError with what is missing
    essay.structured()                       "Step 1: What the chart shows\\n\\n…"
    essay.plain()                            the same paragraphs, and nothing else
    structured_to_plain(essay.structured()) == essay.plain()

`structured_to_plain` also takes marked texts that it did not write ("1. <Describe a graph>:", "Paragraph 2:"
in the middle of a line): markers and labels go, every other character stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FEWEST_WORDS = 150
"""What IELTS asks for at least in Task 1."""

MOST_WORDS = 190
"""The limit that the experiment gave its teacher."""

STEP_TITLES = ("What the chart shows", "Main features and comparisons", "Overview")

_LONGEST_TITLE = 10
"""Words of a step's title that is not one of ours."""

# "Step 2: …", "**Step 2** – …", "2. <Find the key points>:" and its variants; `rest` is what follows.
_STEP = re.compile(
    r"[ \t>#*_]*(?:step[ \t]*(?P<word>\d{1,2})[ \t*_]*(?:[:)–—-]|\.(?!\d)|$)"
    r"|(?P<figure>\d{1,2})[ \t]*[.)][ \t]*(?=<))"
    r"[ \t*_]*(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"<[^<>\n]{1,80}>[ \t]*:?[ \t*_]*:?[ \t]*|<[^<>\n]{1,80}:>[ \t]*")
_PARAGRAPH = re.compile(
    r"[ \t>#*_]*(?:body[ \t]+)?paragraph[ \t]*\d{1,2}[ \t*_]*[:.)–—-][ \t*_]*(?P<rest>[^\n]*)", re.IGNORECASE
)
# Markers inside a line, after the end of a sentence or a closing quote, begin a line of their own.
_INSIDE = re.compile(
    r"(?<=[.!?:\"”])[ \t]+(?=\d{1,2}[.)][ \t]*<[^<>\n]{1,80}>|(?:body[ \t]+)?paragraph[ \t]*\d{1,2}[ \t]*:)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Essay:
    """Introduction, body paragraphs and overview, each one line of text without marker or enclosing quotes.

    ValueError for a paragraph that is not in that form; `one_paragraph` brings a text into it.
    """

    introduction: str
    body: tuple[str, ...]
    overview: str

    def __post_init__(self) -> None:
        for paragraph in self.paragraphs:
            if not paragraph or paragraph != one_paragraph(paragraph):
                raise ValueError(f"no paragraph of an essay: {paragraph[:60]!r}")
        if not self.body:
            raise ValueError("an essay has a body of at least one paragraph")

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """All paragraphs in their order."""
        return (self.introduction, *self.body, self.overview)

    @property
    def words(self) -> int:
        """The number of words, markers and labels not counted."""
        return sum(len(paragraph.split()) for paragraph in self.paragraphs)

    def plain(self) -> str:
        """Paragraphs with a blank line between them."""
        return "\n\n".join(self.paragraphs)

    def structured(self) -> str:
        """The paragraphs under the three steps, those of the body numbered."""
        body = "\n\n".join(f"Paragraph {number}:\n{text}" for number, text in enumerate(self.body, 1))
        parts = (self.introduction, body, self.overview)
        steps = (f"Step {number}: {title}\n\n" for number, title in enumerate(STEP_TITLES, 1))
        return "\n\n".join(step + part for step, part in zip(steps, parts, strict=True))


def one_paragraph(text: str) -> str:
    """A text as a paragraph of an essay: single spaces, without markers at its start and quotes around it."""
    line = " ".join(text.split())
    while (bare := _unquoted(_unmarked(line)[1])) != line:
        line = " ".join(bare.split())
    return line


def parse_essay(completion: str) -> Essay:
    """The essay of a completion in three steps; what stands before the first is not part of it.

    ValueError says which part is missing, out of order or not one paragraph.
    """
    steps: dict[int, list[str]] = {}
    current: list[str] | None = None
    for step, text in _blocks(completion):
        if step is not None:
            if step in steps or step != len(steps) + 1:
                raise ValueError(f"step {step} stands after step {len(steps)}; the steps are 1, 2, 3")
            current = steps.setdefault(step, [])
        if current is not None and (paragraph := one_paragraph(text)):
            current.append(paragraph)
    missing = [str(number) for number in (1, 2, 3) if not steps.get(number)]
    if missing:
        raise ValueError(f"no text under step {' and '.join(missing)}")
    if len(steps) > len(STEP_TITLES):
        raise ValueError(f"{len(steps)} steps instead of 3")
    if len(steps[1]) > 1 or len(steps[3]) > 1:
        raise ValueError("introduction and overview are one paragraph each")
    return Essay(steps[1][0], tuple(steps[2]), steps[3][0])


def structured_to_plain(text: str) -> str:
    """The text without step markers and paragraph labels, and without the quotes around a labelled paragraph.

    Everything else stays as it is, line breaks inside a paragraph too. A text without markers is unchanged
    but for blank lines and spaces around its paragraphs.
    """
    return "\n\n".join(block for _, block in _blocks(text) if block)


def _blocks(text: str) -> list[tuple[int | None, str]]:
    """(step that begins here or None, text) of each block: what blank lines and markers set apart."""
    blocks: list[tuple[int | None, str]] = []
    lines: list[str] = []
    step: int | None = None
    marked = False

    def end() -> None:
        nonlocal lines, step, marked
        block = "\n".join(lines).strip()
        # A marker's paragraph may come after a blank line, and its quotes belong to the form.
        if block or step is not None:
            blocks.append((step, _unquoted(block) if marked else block))
            marked = marked and not block
        lines, step = [], None

    for line in _INSIDE.sub("\n", text).split("\n"):
        found, rest = _unmarked(line)
        if rest is not line:
            end()
            step, marked = found, True
            lines = [rest] if rest else []
        elif line.strip():
            lines.append(line.rstrip())
        else:
            end()
    end()
    return blocks


def _unmarked(line: str) -> tuple[int | None, str]:
    """(number of the step, what follows) of a line that begins with a marker; else (None, the same line)."""
    if label := _PARAGRAPH.fullmatch(line):
        return None, label["rest"].strip()
    found = _STEP.fullmatch(line)
    if found is None:
        return None, line
    number, rest = int(found["word"] or found["figure"]), found["rest"].strip()
    if bracketed := _BRACKETED.match(rest):
        return number, rest[bracketed.end() :].strip()
    if number <= len(STEP_TITLES) and rest.lower().startswith(STEP_TITLES[number - 1].lower()):
        return number, rest[len(STEP_TITLES[number - 1]) :].strip(" \t*_:")
    title, colon, after = rest.partition(":")
    if _is_title(title) and (colon or not after):
        return number, after.strip(" \t*_")
    return number, rest


def _is_title(text: str) -> bool:
    bare = text.strip(" \t*_")
    return len(bare.split()) <= _LONGEST_TITLE and not bare.endswith((".", "!", "?"))


def _unquoted(text: str) -> str:
    """A text without the one pair of double quotes around all of it."""
    for opening, closing in (('"', '"'), ("“", "”")):
        whole = text[1:-1]
        enclosed = len(text) >= 2 and text[0] == opening and text[-1] == closing
        if enclosed and opening not in whole and closing not in whole:
            return whole.strip()
    return text
