r"""Numbers as models write them, read exactly.

The reader is a small grammar of its own, so that no text ever reaches `eval`, `sympify` or a LaTeX parser.
It knows decimals, thousands separators, scientific notation, `+ - * / ^`, fractions, mixed numbers, roots
and pi, and the decoration around them: units, labels, percent and currency signs. Everything rational is a
`Fraction`; a root that is not rational becomes a `Form`, which `scorers.exact_form` compares with sympy.

Length, depth, digits and exponents are capped before anything is computed, so hostile text costs no more
than a long number.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from scorers.latex import fold_unicode, strip_markup

MAX_LENGTH = 1000
_MAX_DEPTH = 24
_MAX_SIDES = 8
_MAX_PEEL = 8
_MAX_DIGITS = 100
_MAX_EXPONENT = 1000
_MAX_BITS = 4096
_MAX_ROOT = 12
_MAX_FORM_BITS = 64
_MAX_FORM_EXPONENT = 12


@dataclass(frozen=True, slots=True)
class Form:
    """A real number that is not known to be rational: `left symbol right`, or pi."""

    symbol: Literal["+", "*", "^", "pi"]
    left: "Number" = Fraction(0)
    right: "Number" = Fraction(0)


Number: TypeAlias = Fraction | Form


@dataclass(frozen=True, slots=True)
class Reading:
    """One number read from a text.

    `step` is one unit in the last place shown (1/100 for `13.46`), 0 for an exact expression such as `175/13`.
    `percent` tells whether a percent sign followed; the value is the number before it.
    """

    value: Number
    step: Fraction = Fraction(0)
    percent: bool = False


class _NotANumberError(ValueError):
    """The text is not a number within the grammar and its caps."""


# A word that makes the number beside it another number, a bound, or one of several.
_ALTERING = frozenset(
    "or and not no nor neither never to than least most more less fewer over under above below between from "
    "up down plus minus negative times half third quarter twice double triple dozen log ln lg sin cos tan exp "
    "mod unless except if either versus vs squared cubed wrong incorrect impossible unknown undefined".split()
)
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
_UNIT_LETTERS = frozenset("m s g h l L W V A N J C F".split())
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

_EQUAL = re.compile(
    r"=+|≈|≃|≅|≡|≐|\\(?:approx|approxeq|simeq|cong|equiv|doteq|sim)(?![A-Za-z])"
    r"|\b(?:approximately|approx\.?|about|roughly|around|i\.e\.)(?![A-Za-z])",
    re.IGNORECASE,
)
_OR = re.compile(r"\bor\b|\\lor(?![A-Za-z])", re.IGNORECASE)
_BOUND = re.compile(r"[<>≤≥≠±∓!]|\\(?:leq?|geq?|neq?|lt|gt|pm|mp|not)(?![A-Za-z])")
_LETTER = re.compile(r"[^\W\d_]")
_REMARK = re.compile(r"(?<=[\w%.})]) ?\(([^()\\]*)\) ?$")
_BRACES_WITHOUT_DIGITS = re.compile(r"(?<![\^_\\])\{([^{}\d\\]*)\}")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[-'.](?=[^\W\d_]))*\.?(?:\^\{?-?[1-9]\}?)?")
_START = re.compile(r"\.?\d|\\[dtc]?frac|\\(?:nice|s)frac|\\sqrt|√|\\surd|\\pi(?![A-Za-z])|π|\bsqrt\b")
_GROUPED_BY_SPACE = re.compile(r"(?<![\d.,/^])(\d{1,3})((?: \d{3})+)(?![\d,])")
_LITERAL = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:'\d{3})+(?!\d)|\d+)?(?:\.(?P<decimals>\d*))?"
    r"(?:[eE](?P<exponent>[-+]?\d+)(?![\w.]))?"
)
_TIMES = re.compile(r"\*(?!\*)|×|·|⋅|∙|\\(?:times|cdot|ast)(?![A-Za-z])|[xX](?=\s*10\s*\^)")
_DIVIDE = re.compile(r"/|÷|\\div(?![A-Za-z])")
_POWER = re.compile(r"\^|\*\*")
_FRACTION = re.compile(r"\\(?:[dtc]|nice|s)?frac(?![A-Za-z])")
_SQUARE_ROOT = re.compile(r"\\sqrt(?![A-Za-z])|\\surd(?![A-Za-z])|√|sqrt\b")
_PI = re.compile(r"\\pi(?![A-Za-z])|π|pi\b")
_SPACE = re.compile(r"\s*")
_OPENING = {"(": ")", "{": "}", "[": "]"}


def read_number(text: str) -> list[Reading]:
    r"""The ways `text` states its one number; an empty list when it states none, or several.

    Sides of a chain are ways of stating one number: `175/13 \approx 13.46` gives both, `x = 7` gives 7.
    The last numeric side is the answer. An earlier side is kept when the two agree to the places shown, and
    is dropped as working otherwise (`3 + 4 = 8` states 8). Numbers joined by *or* must all agree.
    """
    if len(text) > MAX_LENGTH:
        return []
    try:
        return _alternatives(_tidy(text))
    except (_NotANumberError, ZeroDivisionError):
        return []


def _tidy(text: str) -> str:
    """The text without decoration that cannot change the number."""
    text = strip_markup(fold_unicode(text))
    text = re.sub(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z])|°)|°|\\degrees?(?![A-Za-z])", " ", text)
    text = re.sub(r"\\?[$€£¥₹]|\\(?:euro|pounds)(?![A-Za-z])", "", text).replace("\\%", "%")
    text = text.replace("\\{", "[").replace("\\}", "]")
    # {,} says "no list": thousands before three digits, else a decimal comma.
    text = re.sub(r"(?<=\d)\{,\}(?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"(?<=\d)\{,\}(?=\d)", ".", text)
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
        if len(text) > 1 and text[0] in "\"'*_" and text[0] == text[-1]:
            text = text[1:-1]
        elif text[:1] in _OPENING and _closing(text) == len(text) - 1:
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
        except (_NotANumberError, ZeroDivisionError):
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
    return (
        _close(one.value, other.value, max(one.step, other.step))
        or (one.percent and _close(_scaled(one.value, 100), other.value, max(one.step / 100, other.step)))
        or (other.percent and _close(one.value, _scaled(other.value, 100), max(one.step, other.step / 100)))
    )


def _close(one: Number, other: Number, step: Fraction) -> bool:
    return one == other or (step > 0 and not differ_by_more(one, other, step * Fraction(999, 1000)))


def _scaled(value: Number, divisor: int) -> Number:
    return _multiply(value, Fraction(1, divisor))


def differ_by_more(one: Number, other: Number, tolerance: Fraction) -> bool:
    """Whether |one - other| > tolerance, exactly for fractions and to 60 digits for roots and pi."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) > tolerance
    from scorers.exact_form import forms_differ  # imports sympy: half a second, only when a form needs it

    return forms_differ(one, other, tolerance)


def _side(text: str) -> Reading:
    """The one number of a side, with its label before it and its unit after it."""
    remark = _REMARK.search(text)
    if remark and _LETTER.search(remark[1]):
        text = text[: remark.start()]
    before, colon, after = text.partition(":")
    if colon and _LETTER.search(before) and not after[:1].isdigit():
        text = _peel(after.lstrip("* "))
    text = re.sub(r"^(?:minus|negative)\s+(?=[\d.])", "-", text, flags=re.IGNORECASE)
    spelled = _spelled_out(text)
    if spelled is not None:
        return Reading(Fraction(spelled), Fraction(1))
    start = _START.search(text)
    if start is None:
        raise _NotANumberError
    begin = start.start()
    while begin and text[begin - 1] in "-+({ ":
        begin -= 1
    label, expression = text[:begin].rstrip(" :,"), text[begin:].lstrip()
    if label:
        _check_label(label, text[len(label) :])
    parser = _Parser(expression)
    value = parser.sum(0)
    literal = parser.literal_step if parser.plain else Fraction(0)
    return _with_unit(value, literal, expression[parser.position :])


def _check_label(label: str, rest: str) -> None:
    """A label is words; a variable, a sign of its own or an altering word makes the rest no number."""
    words = re.split(r"[\s,:]+", label.strip("\"'# "))
    if not all(_WORD.fullmatch(word.strip("\"'()#")) for word in words if word.strip("\"'()#")):
        raise _NotANumberError
    if any(word.lower() in _ALTERING or _number_word(word.lower()) is not None for word in words):
        raise _NotANumberError
    if len(words[-1]) == 1:
        raise _NotANumberError  # `x 7`, `x - 7`
    if not rest.startswith((" ", ":", ",")) or re.match(r"[\s:,]*[-+]\s", rest):
        raise _NotANumberError


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
                raise _NotANumberError
            continue
        if index == 0 and word.lower() in _SCALES:
            scale = _SCALES[word.lower()]
            continue
        _check_unit(word)
    return Reading(value if scale == 1 else _multiply(value, Fraction(scale)), step * scale, percent)


def _check_unit(word: str) -> None:
    if not _WORD.fullmatch(word) or word.lower() in _ALTERING or word.lower() in _SCALES:
        raise _NotANumberError
    letters = word.split("^")[0]
    if len(letters) == 1 and letters not in _UNIT_LETTERS:
        raise _NotANumberError
    if letters in {"st", "nd", "rd", "th"} or _number_word(letters.lower()) is not None:
        raise _NotANumberError


def _spelled_out(text: str) -> int | None:
    """The number a side begins with in English words, `seven letters`, up to ninety-nine; else None."""
    words = text.strip(" \"'").lower().replace("-", " ").split()
    if not words or (first := _number_word(words[0])) is None:
        return None
    rest = words[1:]
    if rest and first >= 20 and (unit := _number_word(rest[0])) is not None and 0 < unit < 10:
        first, rest = first + unit, rest[1:]
    if not all(re.fullmatch(r"[^\W\d_]+", word) for word in rest):
        return None
    if any(word in _ALTERING or word in _SCALES or word == "of" or _number_word(word) is not None for word in rest):
        return None
    return first


def _number_word(word: str) -> int | None:
    if word in _ONES:
        return _ONES.index(word)
    if word in _TENS:
        return 20 + 10 * _TENS.index(word)
    return None


class _Parser:
    """Recursive descent over one expression; stops where the expression ends."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.plain = True  # nothing but one literal so far
        self.literal_step = Fraction(0)

    def _skip(self) -> None:
        self.position = _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]

    def _take(self, pattern: re.Pattern[str]) -> bool:
        self._skip()
        match = pattern.match(self.text, self.position)
        if match is None:
            return False
        self.position = match.end()
        return True

    def _peek(self) -> str:
        self._skip()
        return self.text[self.position : self.position + 1]

    def sum(self, depth: int) -> Number:
        if depth > _MAX_DEPTH:
            raise _NotANumberError
        value = self._product(depth)
        while (sign := self._peek()) and sign in "+-":
            self.position += 1
            self.plain = False
            term = self._product(depth)
            value = _add(value, term if sign == "+" else _negate(term))
        return value

    def _product(self, depth: int) -> Number:
        value = self._signed(depth)
        while True:
            if self._take(_TIMES):
                value = _multiply(value, self._signed(depth))
            elif self._take(_DIVIDE):
                value = _divide(value, self._signed(depth))
            elif self._factor_follows():
                value = _multiply(value, self._power(depth))
            else:
                return value
            self.plain = False

    def _factor_follows(self) -> bool:
        r"""Whether a factor follows without a sign: `2\sqrt{3}`, `2(3)`, `2\pi`; never two literals."""
        self._skip()
        if self._peek() in ("(", "{"):
            return True
        return any(pattern.match(self.text, self.position) for pattern in (_FRACTION, _SQUARE_ROOT, _PI))

    def _signed(self, depth: int) -> Number:
        negative = False
        for _ in range(2):
            if self._peek() not in ("+", "-") or not self._peek():
                break
            negative ^= self._peek() == "-"
            self.position += 1
        value = self._power(depth)
        return _negate(value) if negative else value

    def _power(self, depth: int) -> Number:
        if depth > _MAX_DEPTH:
            raise _NotANumberError
        base = self._primary(depth)
        if self._take(_POWER):
            self.plain = False
            sign = -1 if self._peek() == "-" else 1
            if self._peek() in ("+", "-") and self._peek():
                self.position += 1
            exponent = self._power(depth + 1)
            return _power(base, exponent if sign == 1 else _negate(exponent))
        return base

    def _primary(self, depth: int) -> Number:
        self._skip()
        if self._peek() in ("(", "{", "["):
            return self._group(depth)
        if self._take(_FRACTION):
            self.plain = False
            numerator = self._argument(depth)
            return _divide(numerator, self._argument(depth))
        if self._take(_SQUARE_ROOT):
            self.plain = False
            index: Number = Fraction(2)
            if self._peek() == "[":
                index = self._group(depth)
            return _root(self._power(depth + 1), index)
        if self._take(_PI):
            self.plain = False
            return Form("pi")
        return self._literal(depth)

    def _group(self, depth: int) -> Number:
        closing = _OPENING[self.text[self.position]]
        self.position += 1
        value = self.sum(depth + 1)
        if self._peek() != closing:
            raise _NotANumberError
        self.position += 1
        return value

    def _argument(self, depth: int) -> Number:
        r"""What `\frac` takes: a group, one digit (`\frac12`), or another command."""
        if not self._peek().isdigit():
            return self._primary(depth + 1)
        self.position += 1
        return Fraction(int(self.text[self.position - 1]))

    def _literal(self, depth: int) -> Number:
        match = _LITERAL.match(self.text, self.position)
        assert match is not None  # every part is optional
        whole, decimals = match["whole"], match["decimals"]
        if whole is None and not decimals:
            raise _NotANumberError
        exponent = match["exponent"] or "0"
        if len(match.group()) > _MAX_DIGITS or len(exponent) > 5 or abs(int(exponent)) > _MAX_EXPONENT:
            raise _NotANumberError
        self.position = match.end()
        digits = (whole or "").replace(",", "").replace("'", "") + (decimals or "")
        step = Fraction(10) ** (int(exponent) - len(decimals or ""))
        self.literal_step = step
        value = Fraction(int(digits)) * step
        return self._mixed(value, depth) if decimals is None and match["exponent"] is None else value

    def _mixed(self, whole: Fraction, depth: int) -> Number:
        r"""`3\frac{1}{2}` and `3 1/2` are three and a half."""
        plain = re.compile(r" (\d{1,9})/(\d{1,9})(?![\d.])").match(self.text, self.position)
        self._skip()
        if plain:
            part = Fraction(int(plain[1]), int(plain[2]))
            self.position = plain.end()
        elif _FRACTION.match(self.text, self.position):
            before = self.position
            value = self._primary(depth + 1)
            if not isinstance(value, Fraction) or not 0 < value < 1:
                self.position = before
                return whole  # a product, not a mixed number
            part = value
        else:
            return whole
        self.plain = False
        if not 0 < part < 1:
            raise _NotANumberError
        return whole + part


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _capped(value: Fraction) -> Fraction:
    if _bits(value) > _MAX_BITS:
        raise _NotANumberError
    return value


def _add(one: Number, other: Number) -> Number:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return _capped(one + other)
    return Form("+", one, other)


def _negate(value: Number) -> Number:
    return -value if isinstance(value, Fraction) else Form("*", Fraction(-1), value)


def _multiply(one: Number, other: Number) -> Number:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return _capped(one * other)
    return Form("*", one, other)


def _divide(one: Number, other: Number) -> Number:
    if isinstance(other, Fraction):
        return _multiply(one, 1 / other)
    return Form("*", one, Form("^", other, Fraction(-1)))


def _root(value: Number, index: Number) -> Number:
    if not isinstance(index, Fraction) or index.denominator != 1 or not 2 <= index <= _MAX_ROOT:
        raise _NotANumberError
    if isinstance(value, Fraction) and value < 0 and index.numerator % 2:
        return _negate(_power(-value, 1 / index))
    return _power(value, 1 / index)


def _power(base: Number, exponent: Number) -> Number:
    """The power, exact where it is rational; no negative base under a fractional exponent."""
    if not isinstance(exponent, Fraction) or abs(exponent.numerator) > _MAX_EXPONENT:
        raise _NotANumberError
    if exponent.denominator > _MAX_ROOT:
        raise _NotANumberError
    if isinstance(base, Form):
        if abs(exponent.numerator) > _MAX_FORM_EXPONENT:
            raise _NotANumberError
        return Form("^", base, exponent)
    if exponent.denominator == 1:
        return _whole_power(base, exponent.numerator)
    if base < 0:
        raise _NotANumberError
    top = _whole_root(base.numerator, exponent.denominator)
    bottom = _whole_root(base.denominator, exponent.denominator)
    if top is not None and bottom is not None:
        return _whole_power(Fraction(top, bottom), exponent.numerator)
    if _bits(base) > _MAX_FORM_BITS or abs(exponent.numerator) > _MAX_FORM_EXPONENT:
        raise _NotANumberError
    return Form("^", base, exponent)


def _whole_power(base: Fraction, exponent: int) -> Fraction:
    if _bits(base) * abs(exponent) > _MAX_BITS and abs(base) != 1:
        raise _NotANumberError
    result: Fraction = base**exponent
    return result


def _whole_root(value: int, index: int) -> int | None:
    """The whole `index`-th root of a whole number, or None."""
    if index == 2:
        root = math.isqrt(value)
    else:
        low, high = 0, 1 << (value.bit_length() // index + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**index <= value else (low, middle - 1)
        root = low
    return root if root**index == value else None
