"""Whole numbers spelled out in English, zero to ninety-nine."""

_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

NUMBER_WORDS: dict[str, int] = {
    **{word: value for value, word in enumerate(_ONES + _TEENS)},
    **{word: 20 + 10 * place for place, word in enumerate(_TENS)},
}


def leading_number(words: list[str]) -> tuple[int, list[str]] | None:
    """The number that lower-case `words` begin with and the words after it, or None."""
    if not words or words[0] not in NUMBER_WORDS:
        return None
    value, rest = NUMBER_WORDS[words[0]], words[1:]
    if value >= 20 and rest and rest[0] in _ONES[1:]:
        return value + NUMBER_WORDS[rest[0]], rest[1:]
    return value, rest
