r"""Arithmetic as models write it, computed exactly: `\frac{1}{2}`, `3 1/2`, `2\sqrt{3}`, `1.5\times10^3`.

A small grammar of our own, so that no text ever reaches `eval`, `sympify` or a LaTeX parser. What is rational
becomes a `Fraction`; what is not becomes an `ExactForm`, which `exact_form` compares with sympy.
Depth, digits, exponents and sizes are capped before anything is computed.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

# With these caps the most expensive of 342,000 random expressions took 33 ms, sympy's comparison included, so
# that no process to kill is needed (docs/decisions/0002-boxed-answers.md).
_MAX_DEPTH = 24
_MAX_DIGITS = 100
_MAX_EXPONENT = 1000
_MAX_BITS = 4096
_MAX_ROOT = 12
# Those of an irrational term, whose radicand sympy must look at, are tighter.
_MAX_FORM_BITS = 64
_MAX_FORM_EXPONENT = 12


@dataclass(frozen=True, slots=True)
class ExactForm:
    """A real number that is not known to be rational: `left symbol right`, or pi."""

    symbol: Literal["+", "*", "^", "pi"]
    left: "Number" = Fraction(0)
    right: "Number" = Fraction(0)


Number: TypeAlias = Fraction | ExactForm


class NotANumberError(ValueError):
    """The text is not a number within the grammar and its caps."""


_LITERAL = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:'\d{3})+(?!\d)|\d+)?"
    r"(?:\.(?P<decimals>\d*))?"
    r"(?:[eE](?P<exponent>[-+]?\d+)(?![\w.]))?"
)
_TIMES = re.compile(
    r"\*(?!\*)|[\u00d7\u00b7\u22c5\u2219]|\\(?:times|cdot|ast)(?![A-Za-z])|[xX](?=\s*10\s*\^)"
)
_DIVIDE = re.compile(r"/|÷|\\div(?![A-Za-z])")
_POWER = re.compile(r"\^|\*\*")
_FRACTION = re.compile(r"\\(?:[dtc]|nice|s)?frac(?![A-Za-z])")
_SQUARE_ROOT = re.compile(r"\\sqrt(?![A-Za-z])|\\surd(?![A-Za-z])|√|sqrt\b")
_PI = re.compile(r"\\pi(?![A-Za-z])|π|pi\b")
_PLAIN_FRACTION = re.compile(r" (\d{1,9})/(\d{1,9})(?![\d.])")
_REPEATED = re.compile(r"\s?\\(?:overline|bar|dot)\s?\{(\d{1,20})\}")
_SPACE = re.compile(r"\s*")
_DIGITS = frozenset("0123456789")
_OPENING = {"(": ")", "{": "}", "[": "]"}


def read_expression(text: str) -> tuple[Number, Fraction, int]:
    """The value of the expression `text` begins with, one unit of its last place, and where it ends.

    The unit is 0 unless the expression is a single literal. Raises NotANumberError, or ZeroDivisionError.
    """
    parser = _Parser(text)
    value = parser.sum(0)
    return value, parser.literal_step if parser.plain else Fraction(0), parser.position


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
            raise NotANumberError
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
                value = multiply(value, self._signed(depth))
            elif self._take(_DIVIDE):
                value = _divide(value, self._signed(depth))
            elif self._factor_follows():
                value = multiply(value, self._power(depth))
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
            if self._peek() not in ("+", "-"):
                break
            negative ^= self._peek() == "-"
            self.position += 1
        value = self._power(depth)
        return _negate(value) if negative else value

    def _power(self, depth: int) -> Number:
        if depth > _MAX_DEPTH:
            raise NotANumberError
        base = self._primary(depth)
        if self._take(_POWER):
            self.plain = False
            sign = -1 if self._peek() == "-" else 1
            if self._peek() in ("+", "-"):
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
            return ExactForm("pi")
        return self._literal(depth)

    def _group(self, depth: int) -> Number:
        closing = _OPENING[self.text[self.position]]
        self.position += 1
        value = self.sum(depth + 1)
        if self._peek() != closing:
            raise NotANumberError
        self.position += 1
        return value

    def _argument(self, depth: int) -> Number:
        r"""What `\frac` takes: a group, one digit (`\frac12`), or another command."""
        if self._peek() not in _DIGITS:
            return self._primary(depth + 1)
        self.position += 1
        return Fraction(int(self.text[self.position - 1]))

    def _literal(self, depth: int) -> Number:
        match = _LITERAL.match(self.text, self.position)
        assert match is not None  # every part is optional
        whole, decimals = match["whole"], match["decimals"]
        if whole is None and not decimals:
            raise NotANumberError
        exponent = match["exponent"] or "0"
        if len(match.group()) > _MAX_DIGITS or len(exponent) > 5 or abs(int(exponent)) > _MAX_EXPONENT:
            raise NotANumberError
        self.position = match.end()
        if decimals is not None and (repeated := _REPEATED.match(self.text, self.position)):
            return self._repeating((whole or "0") + decimals, len(decimals), repeated)
        digits = (whole or "").replace(",", "").replace("'", "") + (decimals or "")
        step = Fraction(10) ** (int(exponent) - len(decimals or ""))
        self.literal_step = step
        value = Fraction(int(digits)) * step
        return self._mixed(value, depth) if decimals is None and match["exponent"] is None else value

    def _repeating(self, digits: str, decimals: int, repeated: re.Match[str]) -> Fraction:
        r"""`9.8\overline{3}` is 9.8333…, exactly."""
        self.position = repeated.end()
        self.plain = False
        if not digits.isdecimal():
            raise NotANumberError
        period = Fraction(int(repeated[1]), 10 ** len(repeated[1]) - 1)
        return (int(digits) + period) / Fraction(10**decimals)

    def _mixed(self, whole: Fraction, depth: int) -> Number:
        r"""`3\frac{1}{2}` and `3 1/2` are three and a half."""
        plain = _PLAIN_FRACTION.match(self.text, self.position)
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
            raise NotANumberError
        return whole + part


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _capped(value: Fraction) -> Fraction:
    if _bits(value) > _MAX_BITS:
        raise NotANumberError
    return value


def _add(one: Number, other: Number) -> Number:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return _capped(one + other)
    return ExactForm("+", one, other)


def _negate(value: Number) -> Number:
    return -value if isinstance(value, Fraction) else ExactForm("*", Fraction(-1), value)


def multiply(one: Number, other: Number) -> Number:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return _capped(one * other)
    return ExactForm("*", one, other)


def _divide(one: Number, other: Number) -> Number:
    if isinstance(other, Fraction):
        return multiply(one, 1 / other)
    return ExactForm("*", one, ExactForm("^", other, Fraction(-1)))


def _root(value: Number, index: Number) -> Number:
    if not isinstance(index, Fraction) or index.denominator != 1 or not 2 <= index <= _MAX_ROOT:
        raise NotANumberError
    if isinstance(value, Fraction) and value < 0 and index.numerator % 2:
        return _negate(_power(-value, 1 / index))
    return _power(value, 1 / index)


def _power(base: Number, exponent: Number) -> Number:
    """The power, exact where it is rational; no negative base under a fractional exponent."""
    if not isinstance(exponent, Fraction) or abs(exponent.numerator) > _MAX_EXPONENT:
        raise NotANumberError
    if exponent.denominator > _MAX_ROOT:
        raise NotANumberError
    if isinstance(base, ExactForm):
        if abs(exponent.numerator) > _MAX_FORM_EXPONENT:
            raise NotANumberError
        return ExactForm("^", base, exponent)
    if exponent.denominator == 1:
        return _whole_power(base, exponent.numerator)
    if base < 0:
        raise NotANumberError
    top = _whole_root(base.numerator, exponent.denominator)
    bottom = _whole_root(base.denominator, exponent.denominator)
    if top is not None and bottom is not None:
        return _whole_power(Fraction(top, bottom), exponent.numerator)
    if _bits(base) > _MAX_FORM_BITS or abs(exponent.numerator) > _MAX_FORM_EXPONENT:
        raise NotANumberError
    return ExactForm("^", base, exponent)


def _whole_power(base: Fraction, exponent: int) -> Fraction:
    if _bits(base) * abs(exponent) > _MAX_BITS and abs(base) != 1:
        raise NotANumberError
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
