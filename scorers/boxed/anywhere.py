"""The looser metric: does the right answer stand anywhere in the text?

Read beside the boxed score, it tells a model that forgot the format from one that lacks the skill. It is an
upper bound and never a score: a text that lists every candidate is a hit, and so is the right number said
about something else.
"""

import re
from collections.abc import Collection

from scorers.boxed.boxed_answer import (
    AnswerKind,
    answers_match,
    check_arguments,
    extract_boxed,
    gold_boolean,
    gold_readings,
    gold_words,
    target_set,
    within,
)
from scorers.boxed.latex import fold_unicode, plain_words, strip_markup
from scorers.boxed.number import read_number
from scorers.boxed.number_words import NUMBER_WORDS

# Longer completions are read at both ends: the answer is announced at one or given at the other.
_MAX_LENGTH = 20_000
_MAX_NUMBERS = 2_000

_NUMBER = re.compile(
    r"(?:(?<![\w.)}])[-+])?(?:"
    r"\\[dtc]?frac\{-?\d{1,30}\}\{\d{1,30}\}"
    r"|(?<![\w.,/^:])(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,30})(?:\.\d{1,30})?(?:/\d{1,30})?"
    r"|(?<=,)(?<!\d\d\d,)\d{1,30}(?:\.\d{1,30})?"
    r"|(?<![\w.])\.\d{1,30}"
    r")(?![\w/^]|[.,:]\d{3}|[.:]\d)"
)
_TENS = [word for word, value in NUMBER_WORDS.items() if value >= 20]
_NUMBER_WORD = re.compile(
    rf"(?<![\w-])(?:(?:{'|'.join(_TENS)})[- ])?(?:{'|'.join(NUMBER_WORDS)})(?![\w-])", re.IGNORECASE
)
_BOOLEAN_WORDS = {True: ("true", "yes"), False: ("false", "no")}


def answer_anywhere(
    text: str,
    target: str | Collection[str],
    *,
    kind: AnswerKind,
    tolerance: float = 0.0,
) -> bool:
    """Whether `target`, or one of a tie set, occurs in `text` on its own; true wherever the box is right.

    kind `number`: a number standing alone within `tolerance`, never a digit inside a longer number.
    kind `text`: the target's words as whole words, in any case.
    kind `boolean`: the whole word true or yes, false or no.

    Of a text above 20,000 characters the first and the last 10,000 are read. Raises ValueError as
    `answers_match` does.
    """
    check_arguments(kind, tolerance)
    targets = target_set(target)
    boxed = extract_boxed(text)
    if boxed is not None and answers_match(boxed, targets, kind=kind, tolerance=tolerance):
        return True
    if len(text) > _MAX_LENGTH:
        text = text[: _MAX_LENGTH // 2] + " … " + text[-_MAX_LENGTH // 2 :]
    if kind == "number":
        return _number_stands_in(text, targets, tolerance)
    words = plain_words(text)
    if kind == "boolean":
        wanted = {word for gold in targets for word in _BOOLEAN_WORDS[gold_boolean(gold)]}
    else:
        wanted = {form for gold in targets for form in gold_words(gold)}
    return any(_has_word(words, word) for word in wanted)


def _number_stands_in(text: str, targets: Collection[str], tolerance: float) -> bool:
    golds = [reading for target in targets for reading in gold_readings(target)]
    folded = strip_markup(fold_unicode(text)).replace("{,}", ",")
    found = dict.fromkeys(match.group() for match in _NUMBER.finditer(folded))
    found |= dict.fromkeys(match.group() for match in _NUMBER_WORD.finditer(folded))
    numbers = list(found)
    if len(numbers) > _MAX_NUMBERS:
        numbers = numbers[: _MAX_NUMBERS // 2] + numbers[-_MAX_NUMBERS // 2 :]
    return any(
        within(reading, gold, tolerance)
        for number in numbers
        for reading in read_number(number)
        for gold in golds
    )


def _has_word(words: str, word: str) -> bool:
    """Whether `word` stands in `words`, not inside another word and not beside its apostrophe (don't)."""
    return re.search(rf"(?<!\w)(?<!\w'){re.escape(word)}(?!\w)(?!'\w)", words) is not None
