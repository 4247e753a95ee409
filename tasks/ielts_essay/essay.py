"""An essay in three parts and its two written forms: with step markers and labels, and in plain paragraphs.

essay = parse_essay(completion)          three parts, or ValueError with what is missing
essay.structured()                       "Step 1: What the chart shows\\n\\n…"
essay.plain()                            the same paragraphs, and nothing else
structured_to_plain(essay.structured()) == essay.plain()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scorers.essays.step_markers import marked_blocks, structured_to_plain, unquoted

__all__ = ["Essay", "one_paragraph", "parse_essay", "structured_to_plain"]

FEWEST_WORDS = 150
"""What IELTS asks for at least in Task 1."""

MOST_WORDS = 190
"""The limit that the experiment gave its teacher."""

STEP_TITLES = ("What the chart shows", "Main features and comparisons", "Overview")


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


def rationale(record: Mapping[str, object]) -> str:
    """A record's golden essay under its steps; ValueError for a chart that has none."""
    paragraphs = str(record["target"]).split("\n\n")
    if len(paragraphs) < 3:
        raise ValueError("no golden essay")
    return Essay(paragraphs[0], tuple(paragraphs[1:-1]), paragraphs[-1]).structured()


def one_paragraph(text: str) -> str:
    """A text as a paragraph of an essay: single spaces, no markers, no quotes around all of it."""
    return " ".join(structured_to_plain(unquoted(" ".join(text.split()))).split())


def parse_essay(completion: str) -> Essay:
    """The essay of a completion in three steps; what stands before the first is not part of it.

    ValueError says which part is missing, out of order or not one paragraph.
    """
    steps: dict[int, list[str]] = {}
    for step, text in marked_blocks(completion):
        if step is not None:
            if step != len(steps) + 1:
                raise ValueError(f"step {step} stands after step {len(steps)}; the steps are 1, 2, 3")
            steps[step] = []
        if steps and text:
            steps[len(steps)].append(one_paragraph(text))
    missing = [str(number) for number in (1, 2, 3) if not steps.get(number)]
    if missing:
        raise ValueError(f"no text under step {' and '.join(missing)}")
    if len(steps) > len(STEP_TITLES):
        raise ValueError(f"{len(steps)} steps instead of 3")
    if len(steps[1]) > 1 or len(steps[3]) > 1:
        raise ValueError("introduction and overview are one paragraph each")
    return Essay(steps[1][0], tuple(steps[2]), steps[3][0])
