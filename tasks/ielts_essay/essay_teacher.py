"""What a teacher is asked, and which of its essays are good enough to learn from.

    examples = worked_examples("pie")
    turns = teacher_messages(record, examples)          system, then image and text by turns
    match accept_essay(record, completion):
        case Accepted(structured, unstructured): …      both variants of the training set
        case Rejected(reason): …                        to be counted, never dropped in silence

A record is one of `tasks.ielts_essay.records.ielts_essays`: `image`, `title`, `chart`, and `chart_data` where
the data are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from scorers.essays.essay_form import form_of
from scorers.essays.essay_numbers import ChartTable, check_numbers
from tasks.ielts_essay.essay import FEWEST_WORDS, MOST_WORDS, STEP_TITLES, parse_essay
from tasks.ielts_essay.worked import Example, worked_examples
from tasks.teaching import Teacher, Turn

# One in nine essays of the experiment's teacher described the prompt's example (docs/decisions/0011).
_NGRAM = 5
_MOST_SHARED = 0.2
_LONGEST_COPY = 12

_SYSTEM = f"""\
You write model answers for Task 1 of the IELTS Academic writing test: a chart is described to somebody who
cannot see it. Work in three steps and write each of them down under its heading, exactly in this form:

Step 1: {STEP_TITLES[0]}

(one sentence, or two, on what is shown, for whom or where, and when)

Step 2: {STEP_TITLES[1]}

Paragraph 1:
(the most important figures and how they compare)

Paragraph 2:
(the remaining groups, changes and exceptions)

Step 3: {STEP_TITLES[2]}

(the general picture in one or two sentences, beginning with "Overall", without new figures)

Step 2 has two or three paragraphs. The whole answer has at least {FEWEST_WORDS} and never more than
{MOST_WORDS} words, headings aside. Use only what this chart shows: no causes, no opinions, no figures that
cannot be read from it. Write connected sentences; no lists, no bold type, no questions. The examples show the
form; their charts are others, and nothing of them belongs in your answer."""

_ADVICE: Mapping[str, str] = {
    "bar": (
        "Compare the bars with each other: the longest and the shortest, groups that are alike, and how far "
        "the others are from them."
    ),
    "line": (
        "Follow each line from its first to its last point: where it rises, falls, peaks or crosses another, "
        "and how fast."
    ),
    "pie": (
        "Compare the slices as shares of a whole: the largest and the smallest, what several add up to, and, "
        "with several pies, which slices grew or shrank."
    ),
    "table": (
        "Choose from the table: its highest and lowest figures and the pattern in its rows and columns. Do "
        "not go through it cell by cell."
    ),
}


@dataclass(frozen=True)
class Accepted:
    """An essay to learn from, with step markers and labels, and in plain paragraphs."""

    structured: str
    unstructured: str


@dataclass(frozen=True)
class Rejected:
    """Why an essay is not learned from; `kind` to count by, `reason` with what was found."""

    kind: Literal["parts", "length", "form", "copied", "numbers"]
    reason: str


EssayVerdict: TypeAlias = Accepted | Rejected


def teacher_messages(record: Mapping[str, object], examples: Sequence[Example] | None = None) -> list[Turn]:
    """The conversation that asks for one essay: each example with its own image, then the chart itself.

    examples: those of the record's type of chart when None; none for an empty sequence. ValueError for a
    record without an image or with a type of chart that has no prompt.
    """
    kind, image = str(record.get("chart")), record.get("image")
    if kind not in _ADVICE:
        raise ValueError(f"no prompt for charts of the type {kind!r}; there is one for {', '.join(_ADVICE)}")
    if not isinstance(image, Path):
        raise ValueError(f"record {record.get('id')!r} has no image to show to the teacher")
    turns = [Turn("system", f"{_SYSTEM}\n\n{_ADVICE[kind]}")]
    for example in worked_examples(kind) if examples is None else examples:
        turns.append(Turn("user", _question(kind, example.title), (example.image,)))
        turns.append(Turn("assistant", example.essay.structured()))
    return [*turns, Turn("user", _question(kind, str(record["title"])), (image,))]


def _question(kind: str, title: str) -> str:
    return f"Title of the {kind if kind == 'table' else f'{kind} chart'}: {title}"


def accept_essay(
    record: Mapping[str, object], completion: str, examples: Sequence[Example] | None = None
) -> EssayVerdict:
    """Both variants of a teacher's essay, or the first thing that is wrong with it.

    It must have the three parts, keep the limits of length, show none of the faults of form, take nothing
    from an example (those of `teacher_messages`), and, where the chart's data are known, have no number
    that is not in them.
    """
    try:
        essay = parse_essay(completion)
    except ValueError as error:
        return Rejected("parts", str(error))
    if not FEWEST_WORDS <= essay.words <= MOST_WORDS:
        return Rejected("length", f"{essay.words} words instead of {FEWEST_WORDS} to {MOST_WORDS}")
    plain = essay.plain()
    shown = (
        [one for one in _examples_of(record) if one.title != record.get("title")]
        if examples is None
        else list(examples)
    )
    if found := copied(plain, shown, _known(record)):
        return Rejected("copied", found)
    faults = form_of(
        plain, title=str(record.get("title") or ""), fewest_words=FEWEST_WORDS, most_words=MOST_WORDS
    ).faults
    if faults:
        return Rejected("form", ", ".join(sorted(faults)))
    if data := record.get("chart_data"):
        wrong = check_numbers(plain, ChartTable.of(str(data))).unsupported
        if wrong:
            return Rejected("numbers", f"not in the chart: {', '.join(wrong)}")
    return Accepted(essay.structured(), plain)


def _refusal(record: Mapping[str, object], completion: str) -> str | None:
    verdict = accept_essay(record, completion)
    return verdict.kind if isinstance(verdict, Rejected) else None


def _lessons(record: Mapping[str, object], completion: str) -> Mapping[str, str]:
    verdict = accept_essay(record, completion)
    assert isinstance(verdict, Accepted)
    return {"structured": verdict.structured, "unstructured": verdict.unstructured}


TEACHER = Teacher(teacher_messages, _refusal, _lessons)


def copied(text: str, examples: Sequence[Example], known: str) -> str | None:
    """What an essay has taken from an example, or None.

    A name of the example that `known` (title and data of the essay's own chart) does not have; more than a
    fifth of its runs of five words; or a run of twelve.
    """
    words, own = _words(text), f" {' '.join(_words(known))} "
    for example in examples:
        for name in example.names:
            said = f" {' '.join(_words(name))} "
            if said in f" {' '.join(words)} " and said not in own:
                return f"names {name!r} of the example {example.title!r}"
        theirs = _words(example.essay.plain())
        if longest := _runs(words, _LONGEST_COPY) & _runs(theirs, _LONGEST_COPY):
            return f"repeats the example {example.title!r}: {' '.join(min(longest))!r}"
        runs = _runs(words, _NGRAM)
        shared = len(runs & _runs(theirs, _NGRAM)) / len(runs) if runs else 0.0
        if shared > _MOST_SHARED:
            return f"{shared:.0%} of its runs of {_NGRAM} words are in the example {example.title!r}"
    return None


def _examples_of(record: Mapping[str, object]) -> tuple[Example, ...]:
    kind = str(record.get("chart"))
    return worked_examples(kind) if kind in _ADVICE else ()


def _known(record: Mapping[str, object]) -> str:
    return " ".join(str(record.get(name) or "") for name in ("title", "chart_data", "caption"))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _runs(words: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
