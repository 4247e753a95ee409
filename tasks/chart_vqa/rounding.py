"""Exact values as printed numbers."""

from __future__ import annotations

from fractions import Fraction


def decimals(value: Fraction | int, places: int) -> str:
    """`value` (at least 0) with a fixed number of decimals, halves rounded up, as people do it by hand."""
    unit: int = 10**places
    whole = int((Fraction(value) * unit * 2 + 1) // 2)
    return f"{whole // unit}.{whole % unit:0{places}d}"
