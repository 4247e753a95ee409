r"""The answer a model put in a box, and whether it is the right one.

    answer = extract_boxed(completion)
    correct = answer is not None and answers_match(answer, target, kind="number", tolerance=0.01)

Strict on purpose: without a box there is no answer, and what stands elsewhere in the text is the business of
`scorers.boxed.anywhere`, a metric of its own. The same two functions score evaluations and filter teacher
data.
Choices and measurements: docs/decisions/0002-boxed-answers.md.
"""

import math
import re
from collections.abc import Collection
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from scorers.boxed.differences import differ_by_more
from scorers.boxed.latex import plain_words
from scorers.boxed.number import Reading, read_number

AnswerKind: TypeAlias = Literal["number", "text", "boolean"]

_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,20}\{")
_BRACES = re.compile(r"\\.|\{+|\}+", re.DOTALL)
# A scan gives up after so many braces and boxes: far beyond any answer, and a few milliseconds.
_MAX_TOKENS = 20_000
_MAX_WORDS_LENGTH = 2_000

_NAMED = r"(?:answer|letter|word|character|option|choice)"
_LABEL = re.compile(
    rf"(?:the )?(?:final |correct )?{_NAMED}(?: is)? ?[:=]? ?(?=\S)"
    rf"|(?!.*\bnot\b)(?:[\w'-]+,? ){{0,8}}{_NAMED} is:? (?=\S)"
)
# The count a pie chart prints beside its letter: `e (12, 8.5%)`.
_COUNT_REMARK = re.compile(r" ?\((?=[^()]*\d)(?![^()]*\bor\b)[^()]*\)$")
_TRUE = frozenset({"true", "yes", "t", "y"})
_FALSE = frozenset({"false", "no", "f", "n"})
_BOOLEAN_THEN_REMARK = re.compile(r"(true|false|yes|no) ?[,.;:(=-]")
_REMARK_THEN_BOOLEAN = re.compile(r".*(?:[:=] ?|\bis )(true|false|yes|no)$")
_BOOLEAN_WORD = re.compile(r"\b(?:true|false|yes|no)\b")


def extract_boxed(text: str) -> str | None:
    r"""What the last complete `\boxed{…}` or `\fbox{…}` holds, or None.

    The last box is the one that opens last among those that close (of nested boxes, the inner one). Braces
    nest, `\{` and `\}` do not count, and a box that never closes is passed over. An empty last box is no
    answer, and neither are one holding only markup (`\boxed{\text{}}`) and a `\boxed5` without braces. Code
    fences and thinking tags mean nothing here.
    """
    content = _last_complete_box(text)
    if content is None:
        return None
    content = content.strip()
    if len(content) <= _MAX_WORDS_LENGTH and not plain_words(content).strip(" .,;:!'\"*[]()"):
        return None
    return content


def _last_complete_box(text: str) -> str | None:
    """Scan from the last box backwards; each stretch of text is read once.

    When a later box never closes, neither does one that is still open where the later one begins, so a box
    need only be followed up to the next.
    """
    tokens = _MAX_TOKENS
    end = len(text)
    places = {name: text.rfind(name) for name in ("\\boxed", "\\fbox")}
    while tokens > 0 and (start := max(places.values())) >= 0:
        tokens -= 1
        box = _BOX.match(text, start)
        if box is not None:
            depth = 1
            for brace in _BRACES.finditer(text, box.end(), max(end, box.end())):
                tokens -= 1
                run = brace.group()
                if run[0] == "{":
                    depth += len(run)
                elif run[0] == "}" and len(run) >= depth:
                    return text[box.end() : brace.start() + depth - 1]
                elif run[0] == "}":
                    depth -= len(run)
                if tokens <= 0:
                    return None
            end = start
        name = max(places, key=lambda name: places[name])
        places[name] = text.rfind(name, 0, start)
    return None


def answers_match(
    answer: str,
    target: str | Collection[str],
    *,
    kind: AnswerKind,
    tolerance: float = 0.0,
) -> bool:
    r"""Whether `answer` says what `target` says; a collection of targets is a tie set, any of them will do.

    kind `number`: equal within `tolerance`, an absolute difference, exactly. Labels, units, currency and
    percent signs are decoration (`12.5\%` is 12.5, never 0.125); a chain `175/13 \approx 13.46` counts by
    either side; two different numbers are no answer. Tolerance 0 means equal: `175/13` is 13.46 only for a
    task that declares a tolerance, as one with rounded targets should.

    kind `text`: the same words, in any case, without markup, quotes, closing punctuation, a label such as
    *letter* or *the answer is* before them, and a count in brackets after.

    kind `boolean`: true and yes (t, y), false and no (f, n), with or without a remark after a comma.

    Raises ValueError for a tolerance, a kind or a target that means nothing: a broken gold must be seen.
    """
    check_arguments(kind, tolerance)
    matches = {"number": _number_matches, "text": _text_matches, "boolean": _boolean_matches}[kind]
    return any([matches(answer, gold, tolerance) for gold in target_set(target)])


def check_arguments(kind: str, tolerance: float) -> None:
    """Raise ValueError unless `kind` is one of ours and `tolerance` is finite and not negative."""
    if kind not in get_args(AnswerKind):
        raise ValueError(f"unknown kind of answer {kind!r}; choose one of {', '.join(get_args(AnswerKind))}")
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance is {tolerance}; give a finite number, 0 or above")


def target_set(target: str | Collection[str]) -> Collection[str]:
    """The targets as a collection; ValueError when there is none."""
    targets = [target] if isinstance(target, str) else target
    if not targets:
        raise ValueError("the tie set of targets is empty; give at least one accepted answer")
    return targets


def gold_readings(target: str) -> list[Reading]:
    """The number a target states; ValueError when it states none."""
    readings = read_number(target)
    if not readings:
        raise ValueError(f"target {target!r} is not one number; correct the gold, or use kind 'text'")
    return readings


def gold_words(target: str) -> frozenset[str]:
    """The ways to read a text target; ValueError when it holds no words."""
    forms = word_forms(target)
    if not forms:
        raise ValueError(f"target {target!r} holds no words; correct the gold")
    return forms


def gold_boolean(target: str) -> bool:
    """What a boolean target states; ValueError when it states neither."""
    stated = read_boolean(target)
    if stated is None:
        raise ValueError(f"target {target!r} is not a boolean; give True, False, yes or no")
    return stated


def within(reading: Reading, gold: Reading, tolerance: float) -> bool:
    """Whether two readings differ by at most `tolerance`, taken as the decimal it is written as."""
    return not differ_by_more(reading.value, gold.value, Fraction(str(tolerance)))


def _number_matches(answer: str, target: str, tolerance: float) -> bool:
    golds = gold_readings(target)
    return any(within(reading, gold, tolerance) for reading in read_number(answer) for gold in golds)


def _text_matches(answer: str, target: str, tolerance: float) -> bool:
    golds = gold_words(target)
    return len(answer) <= max(_MAX_WORDS_LENGTH, 2 * len(target)) and not golds.isdisjoint(word_forms(answer))


def word_forms(text: str) -> frozenset[str]:
    """The ways to read a text answer: as it stands, without a label before it, without a count after it."""
    whole = _peel(plain_words(text))
    forms = {whole}
    label = _LABEL.match(whole)
    if label is not None:
        forms.add(_peel(whole[label.end() :]))
    forms |= {_peel(_COUNT_REMARK.sub("", form)) for form in forms}
    return frozenset(forms - {""})


def _peel(words: str) -> str:
    """Without quotes, emphasis, brackets and closing punctuation around the whole; never down to nothing."""
    for _ in range(8):
        peeled = words.strip().rstrip(".,;:!?").strip("'\"*").strip()
        if len(peeled) > 2 and (peeled[0], peeled[-1]) in {("(", ")"), ("[", "]"), ("{", "}"), ("_", "_")}:
            peeled = peeled[1:-1]
        if not peeled or peeled == words:
            return words
        words = peeled
    return words


def _boolean_matches(answer: str, target: str, tolerance: float) -> bool:
    return read_boolean(answer) is gold_boolean(target)


def read_boolean(text: str) -> bool | None:
    """True or False as stated, with a remark after it or not; None when neither, or both, are stated."""
    if len(text) > _MAX_WORDS_LENGTH:
        return None
    for form in word_forms(text):
        remark = _BOOLEAN_THEN_REMARK.match(form) or _REMARK_THEN_BOOLEAN.match(form)
        if remark is not None and len({word in _TRUE for word in _BOOLEAN_WORD.findall(form)}) == 1:
            form = remark[1]
        if form in _TRUE:
            return True
        if form in _FALSE:
            return False
    return None
