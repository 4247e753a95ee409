"""The numbers that a text mentions: 1,234.5, 12%, "1.5 million", "a third", "doubled", 1995.

    [(m.text, m.kind, m.value) for m in number_mentions("It doubled to 1.5 million, a third of all.")]
    [("doubled", "multiple", 2.0), ("1.5 million", "number", 1500000.0), ("a third", "fraction", 0.333…)]

Ordinals, numbers that belong to a name (COVID-19, G7, Figure 2) and numbers of list items are no mentions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from scorers.boxed.number_words import NUMBER_WORDS

NumberKind: TypeAlias = Literal["number", "percent", "year", "span", "fraction", "multiple"]
Hedge: TypeAlias = Literal["", "about", "over", "under"]

MOST = 250
"""Mentions that are read of a text; no essay has as many."""


@dataclass(frozen=True, slots=True)
class NumberMention:
    """One number. value: with its scale word multiplied in; place: one unit in its last place, scaled alike.

    kind: a percentage may be in percentage points; a span is a number of years; a fraction is a share of 1
    and a multiple a ratio. scaled: a word such as million stands with it. hedge: how the text weakens it.
    compared, summed: the words around it speak of a change or a distance ("by", "more than", "a gap of"), or
    of a sum ("together", "in total").
    """

    text: str
    kind: NumberKind
    value: float
    place: float
    scaled: bool
    hedge: Hedge
    compared: bool = False
    summed: bool = False


_SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "bn": 1e9,
    "b": 1e9,
    "tn": 1e12,
}
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_WORDS = (
    f"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:{_ONES}))?"
    f"|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|{_ONES}|zero"
)
_PERCENT = r"%|per[ ]?cent(?:age[ -]points?)?\b|pp\b"
_SCALE = r"(?:hundred|thousand|million|billion|trillion)s?\b|(?-i:[kKmMbB]|mn|bn|tn)\b"
_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_PARTS |= {"eighth": 8, "ninth": 9, "tenth": 10}
_MULTIPLES = {
    "doubl": 2.0,
    "twice": 2.0,
    "twofold": 2.0,
    "tripl": 3.0,
    "trebl": 3.0,
    "quadrupl": 4.0,
    "quintupl": 5.0,
    "halv": 0.5,
}

_MENTION = re.compile(
    rf"""
    \b(?=[0-9adefhnoqstz])(?:
      (?P<multiple>\b(?:(?:doubl|tripl|trebl|quadrupl|quintupl|halv)(?:e|es|ed|ing)\b(?!-)|twice\b|twofold\b))
    | (?P<outof>\b(?:{_WORDS}|\d{{1,2}})(?:[ -](?:in|out[ -]of)[ -])(?:every[ ])?(?:{_WORDS}|\d{{1,3}})\b
        (?![\d.,%]\d|%))
    | (?P<fraction>\b(?:(?:a|one|two|three|four|five|seven|nine)[ -])
        (?:half|halves|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?|eighths?|ninths?|tenths?)\b
        (?=\s*(?:$|[.,;:)])|\s+(?:of|as|more|less|fewer|higher|lower|larger|smaller|that|than|the|in|by|to|and
        |were|was)\b))
    | (?P<half>(?<!\bfirst[ ])(?<!\bsecond[ ])(?<!\blatter[ ])(?<!\bother[ ])(?<!\blast[ ])\bhalf\b
        (?![ -](?:a|an|way|year|decade|hour|century)\b))
    | (?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?(?![\d])|\d{{1,3}}(?:[ \u00a0\u202f]\d{{3}})+(?![\d,.]?\d)
        |\d+(?:\.\d+)?)
        (?P<after>[ \u00a0-]?(?:{_SCALE}))?(?P<sign>[ \u00a0-]?(?:{_PERCENT}))?
        (?P<tail>[ -]?(?:times\b|fold\b|x\b)|[ -](?:years?|decades?)\b(?![ -]old)|[A-Za-z]+)?
    | \b(?P<words>{_WORDS})(?=[ -](?:{_PERCENT}|{_SCALE}|times\b|fold\b)|fold\b)
        (?P<after2>[ -](?:{_SCALE}))?(?P<sign2>[ -](?:{_PERCENT}))?(?P<tail2>[ -]?(?:times\b|fold\b))?
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT = re.compile(
    r"(?:about|around|approximately|approx\.?|roughly|some|circa|near|estimated|close to|~"
    r"|≈)[ \t]*(?:[$€£][ \t]*)?$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:over|above|more than|greater than|higher than|exceed(?:s|ed|ing)?|at least|upwards? of"
    r"|surpass(?:es|ed|ing)"
    r"|slightly more than|a little more than)[ \t]*(?:[$€£][ \t]*)?$",
    re.IGNORECASE,
)
_UNDER = re.compile(
    r"(?:under|below|less than|fewer than|lower than|nearly|almost|at most|up to|not quite|shy of"
    r"|approaching)"
    r"[ \t]*(?:[$€£][ \t]*)?$",
    re.IGNORECASE,
)
_BEFORE = 24
_SENTENCE = 160
_END_OF_SENTENCE = re.compile(r"[.!?][\"”')]*\s|\n\s*\n")
_COMPARED_BEFORE = re.compile(
    r"\b(?:by|(?:ris|increas|fall|drop|declin|decreas|grow|reduc|gain|loss|chang|differ|gap|lead|distanc|margin"
    r"|jump|surg|dip|swing)\w*(?:[ ]\w+)?[ ]of|gain(?:ed|ing)|lost|losing|add(?:ed|ing)|won|winning|further"
    r"|another|additional|extra)[ ](?:[a-z]+[ ]){0,3}[$€£]?$",
    re.IGNORECASE,
)
_COMPARED_AFTER = re.compile(
    r"(?:[ -][\w-]+){0,3}?,?[ ](?:more|less|fewer|higher|lower|larger|smaller|greater|bigger|ahead|behind"
    r"|above|below|apart|difference|increase|decrease|rise|decline|drop|growth|fall|gap|lead|gain|loss|reduction)\b",
    re.IGNORECASE,
)
_COMPARED = re.compile(r"\b(?:difference|differed|distance|gap|apart|margin|gained|lost)\b", re.IGNORECASE)
_SUMMED = re.compile(
    r"\b(?:together|total(?:s|l?ed|l?ing)?|combin\w*|sum|altogether|both|jointly|collectively|adds?[ ]up"
    r"|added|came[ ]to|comes?[ ]to|made[ ]up|makes?[ ]up|majority|account\w*|amount\w*|all|whole|at[ ]least"
    r"|remaining|rest|others?)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:figure|fig\.|table|chart|graph|paragraph|step|example|part|no\.|number|#)[ \t]*$", re.IGNORECASE
)
_LIST_NUMBER = re.compile(r"(?m)^[ \t>*_#]*\(?\d{1,2}[.)](?=[ \t])")


def number_mentions(text: str) -> list[NumberMention]:
    """The numbers of a text in their order, the first `MOST` of them."""
    shown = _LIST_NUMBER.sub("", text)
    found: list[NumberMention] = []
    for match in _MENTION.finditer(shown):
        mention = _mention(shown, match)
        if mention is not None:
            found.append(_with_context(mention, shown, match.start(), match.end()))
            if len(found) == MOST:
                break
    return found


def _with_context(mention: NumberMention, text: str, start: int, end: int) -> NumberMention:
    before, after = text[max(0, start - _SENTENCE) : start], text[end : end + _SENTENCE]
    ends = [stop.end() for stop in _END_OF_SENTENCE.finditer(before)]
    before = before[ends[-1] :] if ends else before
    if stop := _END_OF_SENTENCE.search(after):
        after = after[: stop.start()]
    sentence = f"{before} {after}"
    compared = (
        "point" in mention.text
        or _COMPARED_BEFORE.search(before) is not None
        or _COMPARED_AFTER.match(after) is not None
        or _COMPARED.search(sentence) is not None
    )
    return replace(mention, compared=compared, summed=_SUMMED.search(sentence) is not None)


def _mention(text: str, match: re.Match[str]) -> NumberMention | None:
    said, hedge = match[0].strip(), _hedge(text, match.start())
    if match["multiple"]:
        stem = next(value for start, value in _MULTIPLES.items() if said.lower().startswith(start))
        return NumberMention(said, "multiple", stem, 0.0, False, hedge)
    if match["half"]:
        return NumberMention(said, "fraction", 0.5, 0.0, False, hedge)
    if match["fraction"]:
        count, part = re.split(r"[ -]", said.lower())
        part = part if part in _PARTS else part.removesuffix("s")
        share = (1 if count == "a" else NUMBER_WORDS[count]) / _PARTS[part]
        return NumberMention(said, "fraction", share, 0.0, False, hedge) if share <= 1 else None
    if match["outof"]:
        return _one_in(said, hedge)
    if match["words"]:
        value = float(sum(NUMBER_WORDS[word] for word in re.split(r"[ -]", match["words"].lower())))
        return _scaled(said, value, 1.0, match["after2"], match["sign2"], match["tail2"], hedge)
    return _digits(text, match, said, hedge)


def _digits(text: str, match: re.Match[str], said: str, hedge: Hedge) -> NumberMention | None:
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    if before[-1:].isalnum() or before.endswith("_") or _NAMED.search(before):
        return None
    if before.endswith((".", ",")) and before[-2:-1].isdigit():
        return None  # the rest of a longer number
    digits, tail = match["digits"], (match["tail"] or "").lower()
    if (
        before.endswith("-")
        and before[-2:-1].isalpha()
        and not re.search(r"(?:mid|early|late|pre|post)-$", before)
    ):
        return None  # part of a name
    plain = re.sub(r"[,\s]", "", digits)
    if len(plain) > 30:
        return None
    value = float(plain)
    bare = not match["after"] and not match["sign"] and plain == digits and "." not in digits
    four = bare and len(digits) == 4 and before[-1:] not in ("$", "€", "£")
    if four and 1500 <= value <= 2100 and (tail in ("", "s") or tail[0] in " -"):
        return NumberMention(digits, "year", value, 10.0 if tail == "s" else 1.0, False, hedge)
    stuck = tail[:1].isalpha()
    if stuck and tail not in ("x", "fold", "times"):
        return None  # 1st, 5G, 30s
    place = 10.0 ** -len(plain.partition(".")[2]) if "." in plain else 1.0
    return _scaled(said, value, place, match["after"], match["sign"], match["tail"], hedge)


def _scaled(
    said: str, value: float, place: float, after: str | None, sign: str | None, tail: str | None, hedge: Hedge
) -> NumberMention:
    last = (tail or "").strip(" -").lower()
    if last in ("times", "fold", "x"):
        return NumberMention(said, "multiple", value, place, False, hedge)
    if last.startswith(("year", "decade")):
        factor = 10.0 if last.startswith("decade") else 1.0
        return NumberMention(said, "span", value * factor, place * factor, False, hedge)
    if sign:
        return NumberMention(said, "percent", value, place, False, hedge)
    if after:
        name = after.strip(" -\u00a0").lower()
        factor = _SCALES.get(name) or _SCALES[name.removesuffix("s")]
        return NumberMention(said, "number", value * factor, place * factor, True, hedge)
    return NumberMention(said, "number", value, place, False, hedge)


def _one_in(said: str, hedge: Hedge) -> NumberMention | None:
    first, last = re.split(r"[ -](?:in|out[ -]of)[ -](?:every )?", said.lower(), maxsplit=1)
    values = [
        float(part) if part.isdigit() else float(sum(NUMBER_WORDS[word] for word in re.split(r"[ -]", part)))
        for part in (first, last)
    ]
    if not values[0] < values[1] <= 100:
        return None  # "10 in 4" is no share of anything
    return NumberMention(said, "fraction", values[0] / values[1], 0.0, False, hedge)


def _hedge(text: str, start: int) -> Hedge:
    before = text[max(0, start - _BEFORE) : start]
    if _OVER.search(before):
        return "over"
    if _UNDER.search(before):
        return "under"
    return "about" if _ABOUT.search(before) else ""
