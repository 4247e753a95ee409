"""The form of an essay of IELTS Writing Task 1: length, paragraphs, overview, and what is no essay.

    essay_form("**Coal**\\n\\n- What is its share?\\n- Why did it fall?").faults
    {"under_length", "far_too_short", "no_overview", "formatting", "heading", "bold", "list", "questions"}

The faults are the failure modes that the experiment with a small student named, one rate each:

- `under_length`, `over_length`: words outside the limits; `far_too_short`: under a third of the lower one.
- `bare_title`: a title and nothing else.
- `one_paragraph`: no break in a text that is long enough to need one.
- `no_overview`: nothing that sums up ("Overall, …", "In conclusion", "It is clear that …", such a heading, or
  a last paragraph without a figure).
- `list`, `heading`, `bold`: formatting instead of prose; `formatting` is any of the three.
- `questions`: questions instead of statements.
- `repetition`: see `scorers.essays.repetition`.
- `step_markers`: what is left of the steps and labels that a teacher wrote under. Only this fault counts
  them: length, paragraphs and the rest are those of the text without them.

All by rule, in time linear in the text; how well the rules agree with a reader:
docs/decisions/0011-essays.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from scorers.essays.markup import read_markup
from scorers.essays.prose import READ, count_words, ends_sentence, paragraphs, sentences
from scorers.essays.repetition import repeats_itself
from scorers.essays.step_markers import count_markers, marked_blocks

Fault: TypeAlias = Literal[
    "under_length",
    "over_length",
    "far_too_short",
    "bare_title",
    "one_paragraph",
    "no_overview",
    "formatting",
    "list",
    "heading",
    "bold",
    "questions",
    "repetition",
    "step_markers",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_TITLE_WORDS = 30
_NEEDS_PARAGRAPHS = 50
_PARTS_OF_AN_ESSAY = 3
_SENTENCE = 8
_QUESTION = re.compile(
    r"(?:what|which|who|whose|when|where|why|how(?:[ \t]+(?:many|much|does|did|do|has|have|is|are|was|were))?"
    r"|is|are|was|were|does|do|did|has|have|can|could)\b[^.!]*",
    re.IGNORECASE,
)
_OVERVIEW = re.compile(
    r"(?:^|(?<=[.!?:;,\n\"“”(])\s{0,3})(?:overall|overwhelmingly|generally|broadly"
    r"|in[ \t]+(?:summary|conclusion|general|short|brief|sum|essence)"
    r"|to[ \t]+(?:sum(?:[ \t]+up|mari[sz]e)?|conclude)"
    r"|summing[ \t]+up|on[ \t]+the[ \t]+whole|all[ \t]+in[ \t]+all"
    r"|taken[ \t]+as[ \t]+a[ \t]+whole|as[ \t]+(?:a|an)[ \t]+(?:whole|overview))\b"
    r"|\b(?:it[ \t]+(?:is|was|can[ \t]+be|becomes)|we[ \t]+can)[ \t]+(?:\w+ly[ \t]+)?"
    r"(?:clear|evident|obvious|apparent|noticeable|noticed|seen|observed|concluded|see|conclude)[ \t]+"
    r"(?:from|that)\b"
    r"|\boverall,?[ \t]+(?:\w+[ \t]+)?(?:trend|picture|pattern|tendency)|\b(?:general|main|broad)[ \t]+"
    r"(?:trend|picture|pattern|tendency)\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{2,79}>|\[IMAGE_?\w*\]")
_TYPE_TAG = re.compile(r"</?(?:b|strong|i|em|u|br|p|li|ul|ol|h[1-6])[ \t]*/?>", re.IGNORECASE)
_TAGGED_LINE = re.compile(r"(?m)^[ \t]*<[A-Z][A-Z_0-9]+>[^\n]*$")
_ROLE = re.compile(r"(?:assistant|answer|response|essay)\s*:\s*", re.IGNORECASE)
# Verbs of a main clause: a title has none.
_SAYS = re.compile(
    r"(?<!who )(?<!that )(?<!which )\b(?:is|are|was|were|has|have|had)\b"
    r"|\b(?:shows?|illustrates?|compares?|depicts?|presents?|displays?|represents?|indicates?|describes?|reveals?"
    r"|provides?|gives?|rose|fell|increased|decreased|declined|grew)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EssayForm:
    """What was counted, and the faults. The counts are of the text without step markers."""

    words: int
    paragraphs: int
    sentences: int
    questions: int
    list_items: int
    headings: int
    bold: int
    markers: int
    faults: frozenset[Fault]

    @property
    def well_formed(self) -> bool:
        """No fault at all."""
        return not self.faults


def form_of(
    text: str, *, title: str | None = None, fewest_words: int = 150, most_words: int = 190
) -> EssayForm:
    """The form of an essay, of any text. title: the chart's, which alone is no essay."""
    shown = text[:READ].replace("\r\n", "\n").replace("\r", "\n").strip()
    if role := _ROLE.match(shown):
        shown = shown[role.end() :]
    blocks = marked_blocks(shown)
    markers = count_markers(shown) + len(_TAG.findall(_TYPE_TAG.sub("", _without_steps(shown))))
    content = "\n\n".join(block for _, block in blocks if block)
    content = _TAG.sub("", _TAGGED_LINE.sub("", content))
    markup = read_markup(content)
    words = count_words(markup.prose) if len(text) <= READ else len(text.split())
    spoken = sentences(markup.prose)
    asked = sum(map(_is_question, spoken))
    parts = paragraphs(markup.prose)
    checks: dict[Fault, bool] = {
        "under_length": words < fewest_words,
        "over_length": words > most_words,
        "far_too_short": words * 3 < fewest_words,
        "bare_title": _is_bare_title(content, title),
        "one_paragraph": words >= _NEEDS_PARAGRAPHS and len(parts) == 1,
        "no_overview": not (markup.overview_heading or _sums_up(markup.prose, parts) or _third_step(blocks)),
        "formatting": markup.items > 1 or markup.headings > 0 or markup.bold > 0,
        "list": markup.items > 1,
        "heading": markup.headings > 0,
        "bold": markup.bold > 0,
        "questions": asked > 0 and (asked == len(spoken) or (asked > 1 and asked * 3 >= len(spoken))),
        "repetition": repeats_itself(spoken),
        "step_markers": markers > 0,
    }
    return EssayForm(
        words=words,
        paragraphs=len(parts),
        sentences=len(spoken),
        questions=asked,
        list_items=markup.items,
        headings=markup.headings,
        bold=markup.bold,
        markers=markers,
        faults=frozenset(name for name, holds in checks.items() if holds),
    )


def _without_steps(text: str) -> str:
    """The text whose bracketed steps are already counted as markers."""
    return "\n\n".join(block for _, block in marked_blocks(text))


def _is_question(sentence: str) -> bool:
    bare = sentence.rstrip("\"”’')]*_ ")
    if bare.endswith("?"):
        return True
    # A model that was cut off, or writes titles, leaves the question mark out.
    return not ends_sentence(bare) and len(bare.split()) > 2 and _QUESTION.fullmatch(bare) is not None


def _sums_up(prose: str, parts: Sequence[str]) -> bool:
    if _OVERVIEW.search(prose):
        return True
    last = parts[-1] if len(parts) >= _PARTS_OF_AN_ESSAY else ""
    sentence = len(last.split()) >= _SENTENCE and ends_sentence(last) and not _is_question(last)
    return sentence and not any(c.isdigit() for c in last)


def _third_step(blocks: Sequence[tuple[int | None, str]]) -> bool:
    """Whether a structured essay's third step, which is its overview, says something."""
    steps = [step for step, _ in blocks]
    after = [text for _, text in blocks[steps.index(3) :] if text] if 3 in steps else []
    return any(not _is_question(text) for text in after)


def _is_bare_title(content: str, title: str | None) -> bool:
    words = count_words(content)
    if words < 2 or content.lstrip()[:1] in ("{", "["):
        return False
    if title is not None and words <= 2 * _TITLE_WORDS:
        said, given = _letters(content), _letters(title)
        if said and given and (said == given or (said in given and len(said) * 2 > len(given))):
            return True
    lines = [line.strip(' \t*_#"“”') for line in content.split("\n") if line.strip(' \t*_#"“”')]
    return (
        words <= _TITLE_WORDS
        and 0 < len(lines) <= 2
        and not any(ends_sentence(line) or _is_question(line) or _SAYS.search(line) for line in lines)
    )


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
