r"""Which option a completion chose, by rule: no judge and no guess.

    extract_option("It is warmer there. The answer is (B).", ["Oslo", "Cairo"])   # 1
    extract_option("Both A and B.", ["Oslo", "Cairo"])                            # None

What counts as an answer:

1. What stands in a `<CONCLUSION>` (or `<answer>`) tag, closed or cut off. Nothing outside it is then read.
2. A statement: *the answer is (B)*, *Answer: B*, *option B is correct*, *I choose B*, `\boxed{B}`, and the
   same with the option's text in place of the letter, or after it.
3. A line that is only the letter (`B`, `(B)`, `B.`, `**B**`, `b)`), or the letter and its option's text.
4. Without any of these, the one option whose text stands in the completion word for word.

Strictness. Two different answers are none, unless exactly one is stated as final (*the final answer is*).
A letter that contradicts the option text beside it is none, and so is one with no option (E of four). A
statement in the negative, in a condition or as a question says nothing; *not A but B* says B. The article
*A*, initials and letters in words, names and option texts (*Solution A*) are no letters of options. Whatever
is not covered is no answer, which scores as wrong and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scorers.options.option_text import OptionMention, is_negated, mentions, option_at, plain

# Longer completions are read at both ends, where answers are announced and given.
_MAX_LENGTH = 16_000
_MAX_MARKS = 400

_TAG = re.compile(r"<(conclusion|answer)>(.*?)(?:</\1>|(?=<\1>)|$)", re.IGNORECASE | re.DOTALL)
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,5}\{((?:[^{}\n]|\{[^{}\n]{0,200}\}){0,400})\}")

_IS = (
    r"(?:\s+(?:is|was|are|would\s+be|should\s+be|must\s+be|will\s+be|has\s+to\s+be)\b\s*:?|\s*(?::|=|-+>|→))"
)
_SURE = (
    r"(?:\s*(?:therefore|thus|then|clearly|indeed|simply|definitely|actually"
    r"|(?:most\s+)?(?:likely|probably))\b,?)?"
)
_NOUN = r"(?:answer|option|choice|letter|conclusion)"
_STATEMENT = re.compile(
    rf"(?P<kind>(?:\b[a-z]+[ ]){{0,3}})\b{_NOUN}"
    rf"(?:\s+(?:to|for|of)\s+(?:the|this)\s+(?:question|problem|puzzle))?{_IS}{_SURE}\s*"
    r"|\b(?:i|we)(?:'d|'ll|\s+(?:would|will))?\s+(?:choose|pick|select|go\s+with|say)\b\s*:?\s*"
    r"|\b(?:therefore|thus|hence|so)\b,?\s+(?=\(?[A-Z]\b)"
    r"|\b(?:it|this|that)(?:'s|\s+(?:is|must\s+be|would\s+be|should\s+be))\s+(?=(?:option\s+|choice\s+)?\(?[A-Z]\b)"
    r"|\bnot\s+(?P<instead>[^.;!?\n]{1,60}?),?\s+but\s+(?:rather\s+|instead\s+)?(?=\S)",
    re.IGNORECASE,
)
_NOT_THE_ANSWER = re.compile(
    r"\b(?:wrong|incorrect|worst|false|other|another|tempting|first|second|third|next|each|every|no|any"
    r"|which|student'?s?|user'?s?)\b",
    re.IGNORECASE,
)
_FINAL = re.compile(r"\bfinal\b", re.IGNORECASE)
_LEAD = re.compile(
    r"[\s\"'{\[]*(?:(?:the\s+)?(?:correct\s+)?(?:option|choice|letter|answer)\b\s*:?\s*)?[\s\"'{]*",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"(?:\((?P<round>[A-Za-z])\)|\[(?P<square>[A-Za-z])\]|(?P<half>[A-Za-z])\)|(?P<bare>[A-Za-z])(?!\w|'\w))"
)
# What may follow a letter without brackets; anything else makes it an article, an initial or part of a name.
_CLAUSE_ENDS = re.compile(
    r"[\"'}\])]*(?:\s*$|\s*\n|[.,;:!]+(?=\s|[\"'}\])]|$)|\s+[-–—]+\s|\s*\(|\s+(?:because|since|as)\b"
    r"|\s*[/&]|\s+(?:and|or|nor|not)\b)",
    re.IGNORECASE,
)
_ENDS_LOWER = re.compile(r"[\"'}\])]*(?:\s*$|\s*\n|[.,;:!]+(?=\s|[\"'}\])]|$))")
_ALTERNATIVE = re.compile(
    r"[\"'}\])]*\s*(?:(?:,\s*)?(?:and|or|nor|&|/)\s*(?:(?!not\b)[a-z]+\s+){0,2}|,\s*(?=\(?[A-Z]\)?\s*(?:$|[.,;\n]|and\b|or\b)))"
    r"(?:option\s+|choice\s+)?\(?([A-Z])\)?(?![\w'’])(?!\s+(?:is|are|was|has|shows)\b)"
)
_ALTERNATIVE_TEXT = re.compile(r"\s*,?\s*(?:and|or|nor|&|/)\s+")
_IS_RIGHT = re.compile(
    r"(?<![\w.'])(?P<others>(?:\(?[A-Z]\)?(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)){0,4})"
    r"(?:option\s+|choice\s+|answer\s+)?\(?(?P<letter>[A-Z])\)?\s+(?:is|are|must\s+be|would\s+be|seems)\s+"
    r"(?:both\s+)?(?:the\s+)?(?:correct|right|best|(?:final\s+)?answer)\b"
)
_ROLE = re.compile(r"\s*(?:assistant|model|answer|option|choice|letter)\s*:?\s*", re.IGNORECASE)
_LINE_LETTER = re.compile(r"[\s\"'\[{<>#-]*\(?([A-Za-z])(?:[\s\"'\]}>).:,!]*)(?P<rest>[^\n]*)")


@dataclass(frozen=True)
class _Mark:
    """One stated answer: the options it names (more than one, or none that exists, is a contradiction)."""

    options: frozenset[int]
    final: bool = False


_NO_SUCH_OPTION = frozenset[int]()


def extract_option(text: str, choices: Sequence[str]) -> int | None:
    """The index (from 0) of the option that a completion states, or None; the rules are above.

    choices: the texts of the options, which are lettered A, B, C, … in this order. Of a completion above
    16,000 characters the first and the last 8,000 are read.
    """
    if len(text) > _MAX_LENGTH:
        text = text[: _MAX_LENGTH // 2] + "\n…\n" + text[-_MAX_LENGTH // 2 :]
    text = plain(text)
    tags = _TAG.findall(text)
    if tags:
        # A model may name the tag before it uses it; empty ones say nothing.
        inside = {_stated(content, choices) for _, content in tags if content.strip()}
        return inside.pop() if len(inside) == 1 else None
    return _stated(text, choices)


def _stated(text: str, choices: Sequence[str]) -> int | None:
    found = mentions(text, choices)
    marks = [*_boxes(text, choices), *_statements(text, choices), *_judgements(text, choices, found)]
    lines = _lines(text, choices)
    # Lines with different options repeat the question; with a statement beside them they say nothing.
    if len({mark.options for mark in lines}) == 1 or not marks:
        marks += lines
    if not marks:
        return _only_mention(text, found)
    final = [mark for mark in marks if mark.final]
    options = {mark.options for mark in final or marks}
    if len(options) != 1:
        return None
    [only] = options
    return next(iter(only)) if len(only) == 1 else None


def _only_mention(text: str, found: Sequence[OptionMention]) -> int | None:
    """The one option that is named at all, and never denied."""
    if len({mention.index for mention in found}) != 1:
        return None
    denied = any(is_negated(text, mention.start) for mention in found[-_MAX_MARKS:])
    return None if denied else found[0].index


def _boxes(text: str, choices: Sequence[str]) -> list[_Mark]:
    marks = []
    for match in list(_BOX.finditer(text))[-_MAX_MARKS:]:
        content = re.sub(r"[{}]", " ", match[1]).strip()
        index = _stated(content, choices)
        marks.append(_Mark(frozenset({index}) if index is not None else _NO_SUCH_OPTION))
    return marks


def _statements(text: str, choices: Sequence[str]) -> list[_Mark]:
    marks = []
    for match in list(_STATEMENT.finditer(text))[-_MAX_MARKS:]:
        kind = match["kind"] or ""
        # The words before the noun belong to its clause; "not … but" is its own negation.
        clause = match.end("kind") if match["kind"] is not None else match.start()
        if _NOT_THE_ANSWER.search(kind) or is_negated(text, clause):
            continue
        options = _options_at(text, match.end(), choices)
        if options is not None:
            marks.append(_Mark(options, final=bool(_FINAL.search(kind))))
    return marks


def _judgements(text: str, choices: Sequence[str], found: Sequence[OptionMention]) -> list[_Mark]:
    """*B is correct*, where B is not the end of an option's text such as *Solution B*."""
    marks = []
    for match in list(_IS_RIGHT.finditer(text))[-_MAX_MARKS:]:
        at = match.start("letter")
        inside = any(mention.start <= at < mention.end for mention in found)
        if inside or is_negated(text, match.start()):
            continue
        letters = [*re.findall(r"[A-Z]", match["others"]), match["letter"]]
        marks.append(_Mark(_options(letters, choices), final="final" in match[0]))
    return marks


def _lines(text: str, choices: Sequence[str]) -> list[_Mark]:
    """Lines that are a letter, a letter with its option's text, or a letter with a reason."""
    marks = []
    for line in text.split("\n")[-_MAX_MARKS:]:
        role = _ROLE.match(line)
        start = role.end() if role else 0
        match = _LINE_LETTER.fullmatch(line, start)
        if match is None:
            continue
        mention = option_at(line, start, choices)
        if mention is not None and not line[mention.end :].strip(" .!,;:"):
            continue  # the whole line is an option's text that begins with a letter: A. Smith
        letter, rest = match[1], match["rest"]
        index = _index(letter)
        if index >= len(choices):
            continue
        if not rest:
            marks.append(_Mark(frozenset({index})))
            continue
        decorated = re.match(r"[\"'\]}>]*[).:]", line[match.start(1) + 1 :]) is not None
        beside = option_at(line, match.start("rest"), choices)
        whole = beside is not None and not line[beside.end :].strip(" .!,;:)\"'")
        if decorated and beside is not None and (whole or beside.index != index):
            marks.append(_Mark(frozenset({index, beside.index})))
        elif letter.isupper() and re.match(r"(?:because|since)\b", rest, re.IGNORECASE):
            marks.append(_Mark(frozenset({index})))
    return marks


def _options_at(text: str, start: int, choices: Sequence[str]) -> frozenset[int] | None:
    """What a statement names at the place where its answer stands; None when that is no option."""
    lead = _LEAD.match(text, start)
    at = lead.end() if lead else start
    mention = option_at(text, at, choices)
    letter = _letter_at(text, at, choices)
    if mention is not None and (letter is None or mention.end > letter[1]):
        if _is_question(text, mention.end):
            return None
        also = _ALTERNATIVE_TEXT.match(text, mention.end)
        second = option_at(text, also.end(), choices) if also else None
        return frozenset({mention.index} | ({second.index} if second else set()))
    if letter is None:
        return None
    letters, end = letter
    if _is_question(text, end):
        return None
    options = _options(letters, choices)
    gap = re.compile(r"[\s\"'}\]):.,–—-]*\(?").match(text, end)
    beside = option_at(text, gap.end() if gap else end, choices)
    if options and beside is not None and "\n" not in text[end : beside.start]:
        return options | {beside.index}
    return options


def _letter_at(text: str, at: int, choices: Sequence[str]) -> tuple[list[str], int] | None:
    """The letter or letters at a place and where they end, unless what follows makes them a word's part."""
    match = _LETTER.match(text, at)
    if match is None:
        return None
    letter = next(group for group in match.groups() if group)
    if match["bare"]:
        own = (
            option_at(text, match.end() + 1, choices) if text[match.end() : match.end() + 1] == " " else None
        )
        beside = own is not None and own.index == _index(letter)
        ends = _CLAUSE_ENDS if letter.isupper() else _ENDS_LOWER
        if not beside and not ends.match(text, match.end()) and not _is_question(text, match.end()):
            return None
    letters, end = [letter], match.end()
    while (more := _ALTERNATIVE.match(text, end)) and len(letters) < len(choices) + 1:
        letters.append(more[1])
        end = more.end()
    return letters, end


def _is_question(text: str, end: int) -> bool:
    return re.match(r"[^.!\n]{0,40}\?", text[end : end + 42]) is not None


def _options(letters: Sequence[str], choices: Sequence[str]) -> frozenset[int]:
    indices = frozenset(map(_index, letters))
    return indices if all(index < len(choices) for index in indices) else _NO_SUCH_OPTION


def _index(letter: str) -> int:
    return ord(letter.upper()) - ord("A")
