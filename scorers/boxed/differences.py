"""Whether two numbers differ by more than a tolerance: fractions at once, roots and pi by `exact_form`."""

from fractions import Fraction

from scorers.boxed.expression import Number


def differ_by_more(one: Number, other: Number, tolerance: Fraction) -> bool:
    """Whether |one - other| > tolerance, exactly for fractions and to 50 places for roots and pi."""
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return abs(one - other) > tolerance
    # sympy takes half a second to import, and few answers need it.
    from scorers.boxed.exact_form import forms_differ

    return forms_differ(one, other, tolerance)
