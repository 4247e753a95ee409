"""Comparing roots and pi: the only place that needs sympy.

sympy never sees text, and never simplifies: the trees come from the grammar in `scorers.boxed.expression`,
with every integer, exponent and root index already capped, are built with `evaluate=False`, and are evaluated
to 60 digits. Simplification would factor radicands, which can take minutes. What this costs, and why there is
no worker process, is in docs/decisions/0002-boxed-answers.md.
"""

from fractions import Fraction
from typing import Any

import sympy  # type: ignore[import-untyped]

from scorers.boxed.expression import Number, multiply

# Evaluated to 60 digits, compared to 50 places.
_DIGITS = 60
_ZERO = sympy.Float(10, _DIGITS) ** -50
# Of both sides together; part of the caps of `expression`.
_MAX_NODES = 40


def forms_differ(one: Number, other: Number, tolerance: Fraction) -> bool:
    """Whether |one - other| > tolerance; numbers that agree to 50 places are equal.

    What is no real number (the root of a negative one, a division by zero) differs from everything.
    """
    if _size(one) + _size(other) > _MAX_NODES:
        return True
    difference = sympy.Add(_expression(one), _expression(multiply(Fraction(-1), other)), evaluate=False)
    value = difference.evalf(_DIGITS)
    if not value.is_Float:
        return not value.is_zero
    distance = abs(value) - sympy.Rational(tolerance.numerator, tolerance.denominator)
    return bool(distance > _ZERO)


def _size(number: Number) -> int:
    if isinstance(number, Fraction):
        return 1
    return 1 + _size(number.left) + _size(number.right)


def _expression(number: Number) -> Any:
    if isinstance(number, Fraction):
        return sympy.Rational(number.numerator, number.denominator)
    if number.symbol == "pi":
        return sympy.pi
    left, right = _expression(number.left), _expression(number.right)
    if number.symbol == "+":
        return sympy.Add(left, right, evaluate=False)
    return (sympy.Mul if number.symbol == "*" else sympy.Pow)(left, right, evaluate=False)
