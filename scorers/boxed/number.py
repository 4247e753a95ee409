r"""One number in a text as models write it: the decoration around an expression, and which of several counts.

Labels, units, currency and percent signs, typography and chains of equal sides are read here; the arithmetic
between them is the grammar of `scorers.boxed.expression`.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from scorers.boxed.differences import differ_by_more
from scorers.boxed.expression import NotANumberError, Number, multiply, read_expression
from scorers.boxed.latex import fold_unicode, strip_markup
from scorers.boxed.number_words import NUMBER_WORDS, leading_number

MAX_LENGTH = 1000
_MAX_SIDES = 8
_MAX_PEEL = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """One number read from a text.

    `step` is one unit in the last place shown (1/100 for `13.46`), 0 for an exact expression such as
    `175/13`. `percent` tells whether a percent sign followed; the value is the number before it.
    """

    value: Number
    step: Fraction = Fraction(0)
    percent: bool = False


# A word that makes the number beside it another number, a bound, or one of several.
_ALTERING = frozenset(
    word
    for words in (
        "or and not no nor neither either never unless except if versus vs",
        "to than more less fewer over under above below between from up down plus minus negative",
        "times half third quarter twice double triple dozen squared cubed log ln lg sin cos tan exp mod",
        "wrong incorrect impossible unknown undefined",
    )
    for word in words.split()
)
_ALTERING_AFTER = _ALTERING - {"times", "from", "between", "over", "under"}  # `15 times`
_SCALES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "millions": 10**6,
    "billion": 10**9,
    "billions": 10**9,
    "trillion": 10**12,
}
# Bare single letters are variables (`5x`), except these units.
_UNIT_LETTERS = frozenset("msghlLWVANJCF")

_EQUAL = re.compile(
    r"=+|≈|≃|≅|≡|≐|\\(?:approx|approxeq|simeq|cong|equiv|doteq|sim)(?![A-Za-z])"
    r"|\b(?:approximately|approx\.?|about|roughly|around|i\.e\.)(?![A-Za-z])",
    re.IGNORECASE,
)
_OR = re.compile(r"\bor\b|\\lor(?![A-Za-z])", re.IGNORECASE)
_BOUND = re.compile(r"(?i:\bat (?:most|least)\b)|[<>≤≥≠±∓!]|\\(?:leq?|geq?|neq?|lt|gt|pm|mp|not)(?![A-Za-z])")
_NEXT_LABEL = re.compile(r"\d ?(?:[,;&]| and ) ?[^\W\d_]\w*$")  # x = [7, y] = 8
_LETTER = re.compile(r"[^\W\d_]")
_REMARK = re.compile(r"(?<=[\w%.})]) ?\(([^()\\]*)\) ?$")
_BRACES_WITHOUT_DIGITS = re.compile(r"(?<![\^_\\])\{([^{}\d\\]*)\}")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[-'.](?=[^\W\d_]))*\.?(?:\^\{?-?[1-9]\}?)?")
_START = re.compile(r"\.?\d|\\[dtc]?frac|\\(?:nice|s)frac|\\sqrt|√|\\surd|\\pi(?![A-Za-z])|π|\bsqrt\b")
_GROUPED_BY_SPACE = re.compile(r"(?<![\d.,/^])(\d{1,3})((?: \d{3})+)(?![\d,])")
_PLAIN = re.compile(r"-?[0-9]{1,30}(?:\.([0-9]{1,30}))?")
_BRACKETS = {"(": ")", "{": "}", "[": "]"}


def read_number(text: str) -> list[Reading]:
    r"""The ways `text` states its one number; an empty list when it states none, or several.

    Sides of a chain are ways of stating one number: `175/13 \approx 13.46` gives both, `x = 7` gives 7.
    The last numeric side is the answer. An earlier side is kept when the two agree to the places shown, and
    is dropped as working otherwise (`3 + 4 = 8` states 8). Numbers joined by *or* must all agree.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return [Reading(Fraction(text), Fraction(1, 10 ** len(plain[1] or "")))]
    if len(text) > MAX_LENGTH:
        return []
    try:
        return _alternatives(_tidy(text))
    except (NotANumberError, ZeroDivisionError):
        return []


def _tidy(text: str) -> str:
    """The text without decoration that cannot change the number."""
    text = strip_markup(fold_unicode(text))
    text = re.sub(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z])|°)|°|\\degrees?(?![A-Za-z])", " ", text)
    text = re.sub(r"\\?[$€£¥₹#]|\\(?:euro|pounds)(?![A-Za-z])", "", text).replace("\\%", "%")
    text = text.replace("\\{", "[").replace("\\}", "]")
    # {,} says "no list": thousands before three digits, else a decimal comma.
    text = re.sub(r"(?<=\d)\{,\}(?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"(?<=\d)\{,\}(?=\d)", ".", text)
    text = re.sub(r"\{([\d.,]+%)\}", r" \1 ", text)
    text = _BRACES_WITHOUT_DIGITS.sub(_words_of_group, text)
    text = re.sub(r"(?<=[^\W\d_]) \^", "^", " ".join(text.split()))
    text = _GROUPED_BY_SPACE.sub(lambda match: match[1] + match[2].replace(" ", ""), text)
    return _peel(text)


def _words_of_group(group: re.Match[str]) -> str:
    inner = group[1]
    return f" {inner} " if _LETTER.search(inner) else inner


def _peel(text: str) -> str:
    """Without Markdown emphasis, quotes, closing punctuation and brackets around the whole."""
    for _ in range(_MAX_PEEL):
        before = text
        text = text.strip().rstrip(".,;:").strip()
        quoted = len(text) > 1 and text[0] in "\"'*_" and text[0] == text[-1]
        if quoted or (text[:1] in _BRACKETS and _closing(text) == len(text) - 1):
            text = text[1:-1]
        if text == before:
            break
    return text


def _closing(text: str) -> int:
    """Where the bracket that opens `text` closes, or -1."""
    depth = 0
    for position, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return position
    return -1


def _alternatives(text: str) -> list[Reading]:
    """The readings of all parts joined by *or*, which must be one number."""
    if _BOUND.search(text):
        return []
    parts = [part for part in _OR.split(text) if part.strip(" ()[],")]
    if len(parts) > 1 and len(parts) + len(_EQUAL.findall(text)) > _MAX_SIDES:
        return []
    readings: list[Reading] = []
    for part in parts:
        found = _chain(part if len(parts) == 1 else _balance(part))
        if not found:
            return []
        if readings and not any(_same_answer(old, new) for old in readings for new in found):
            return []
        readings += found
    return readings


def _same_answer(one: Reading, other: Reading) -> bool:
    """Whether two alternatives are one answer: equal, or one exact and the other its rounding."""
    if one.value == other.value:
        return True
    return (one.step == 0 or other.step == 0) and _agree(one, other)


def _chain(text: str) -> list[Reading]:
    sides = _EQUAL.split(text)
    if len(sides) == 1:
        return [_side(text)]
    numeric = [side for side in map(_balance, sides) if _states_something(side)]
    if not numeric:
        return []
    answer = _side(numeric[-1])
    readings = [answer]
    for side in numeric[-_MAX_SIDES:-1]:
        try:
            reading = _side(side)
        except (NotANumberError, ZeroDivisionError):
            if _NEXT_LABEL.search(side):
                return []
            continue  # a label with a digit in it, such as x_1 or f(3)
        if _agree(reading, answer):
            readings.append(reading)
    return readings


def _states_something(side: str) -> bool:
    return bool(_START.search(side)) or _spelled_out(side) is not None


def _balance(side: str) -> str:
    """A piece of a split text without the brackets and commas whose partner is in another piece."""
    side = side.strip(" ,;")
    if side.count("(") > side.count(")"):
        side = side.rstrip("( ,;") if side.endswith("(") else side.removeprefix("(")
    if side.count(")") > side.count("("):
        side = side.removesuffix(")")
    return _peel(side)


def _agree(one: Reading, other: Reading) -> bool:
    """Whether one number is the other, rounded or cut to the places it shows."""
    if _close(one.value, other.value, max(one.step, other.step)):
        return True
    return _is_share_of(one, other) or _is_share_of(other, one)


def _is_share_of(percent: Reading, share: Reading) -> bool:
    r"""Whether `12.5\%` is the 0.125 beside it."""
    hundredth = Fraction(1, 100)
    return percent.percent and _close(
        multiply(percent.value, hundredth), share.value, max(percent.step * hundredth, share.step)
    )


def _close(one: Number, other: Number, step: Fraction) -> bool:
    return one == other or (step > 0 and not differ_by_more(one, other, step * Fraction(999, 1000)))


def _side(text: str) -> Reading:
    """The one number of a side, with its label before it and its unit after it."""
    remark = _REMARK.search(text)
    if remark and _LETTER.search(remark[1]):
        text = text[: remark.start()]
    before, colon, after = text.partition(":")
    if colon and _LETTER.search(before) and not after[:1].isdigit():
        # `Median: 7`, but also `7 letters: a, b, c, d, e, f, g`
        text = _peel(after.lstrip("* ") if _states_something(after) or not _START.search(before) else before)
    text = re.sub(r"^(?:minus|negative)\s+(?=[\d.])", "-", text, flags=re.IGNORECASE)
    spelled = _spelled_out(text)
    if spelled is not None:
        return Reading(Fraction(spelled), Fraction(1))
    start = _START.search(text)
    if start is None:
        raise NotANumberError
    begin = start.start()
    while begin and text[begin - 1] in "-+({ ":
        begin -= 1
    label, expression = text[:begin].rstrip(" :,"), text[begin:].lstrip()
    if label:
        _check_label(label, text[len(label) :])
    value, step, end = read_expression(expression)
    return _with_unit(value, step, expression[end:])


def _check_label(label: str, rest: str) -> None:
    """A label is words; a variable, a sign of its own or an altering word makes the rest no number."""
    words = re.split(r"[\s,:]+", label.strip("\"'# "))
    if not all(_WORD.fullmatch(word.strip("\"'()#")) for word in words if word.strip("\"'()#")):
        raise NotANumberError
    if any(word.lower() in _ALTERING or word.lower() in NUMBER_WORDS for word in words):
        raise NotANumberError
    if len(words[-1]) == 1:
        raise NotANumberError  # `x 7`, `x - 7`
    if not rest.startswith((" ", ":", ",")) or re.match(r"[\s:,]*[-+]\s", rest):
        raise NotANumberError


def _with_unit(value: Number, step: Fraction, rest: str) -> Reading:
    percent = False
    scale = 1
    rest = rest.strip().strip("\"'")
    if rest.startswith("%"):
        percent, rest = True, rest[1:]
    for index, raw in enumerate(rest.replace("/", " ").split()):
        word = raw.strip("\"'(){}.,;:!*")
        if not word:
            if "*" in raw:
                raise NotANumberError
            continue
        if index == 0 and word.lower() in _SCALES:
            scale = _SCALES[word.lower()]
            continue
        _check_unit(word)
    return Reading(value if scale == 1 else multiply(value, Fraction(scale)), step * scale, percent)


def _check_unit(word: str) -> None:
    if not _WORD.fullmatch(word) or word.lower() in _ALTERING_AFTER or word.lower() in _SCALES:
        raise NotANumberError
    letters = word.split("^")[0]
    if len(letters) == 1 and letters not in _UNIT_LETTERS:
        raise NotANumberError
    if letters in {"st", "nd", "rd", "th"} or letters.lower() in NUMBER_WORDS:
        raise NotANumberError


def _spelled_out(text: str) -> int | None:
    """The number a side begins with in English words, `seven letters`; else None."""
    found = leading_number(text.strip(" \"'").lower().replace("-", " ").split())
    if found is None:
        return None
    value, rest = found
    if rest and rest[0] in _SCALES:
        value, rest = value * _SCALES[rest[0]], rest[1:]
    rest = [word for word in rest if word != f"({value})"]
    if not all(re.fullmatch(r"[^\W\d_]+", word) for word in rest):
        return None
    if any(word in _ALTERING or word in _SCALES or word in NUMBER_WORDS or word == "of" for word in rest):
        return None
    return value
