"""Questions about a chart: families, wordings, and answers that follow from the drawn data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

from scorers.boxed.boxed_answer import AnswerKind
from tasks.chart_vqa.kinds.clouds import VISIBLY_LARGER
from tasks.chart_vqa.kinds.pies import share
from tasks.chart_vqa.rounding import decimals

ChartData = Mapping[str, Any]

FAMILIES: dict[str, tuple[str, ...]] = {
    "bar": ("number_of_letters", "frequency_of_rank", "mean_frequency", "median_frequency"),
    "pie": ("number_of_letters", "letter_of_rank", "share_of_rank"),
    "cloud": ("number_of_words", "word_of_rank", "word_present"),
    "line": ("value_at_time", "time_of_maximum", "largest_rise", "points_above"),
    "grouped": ("cell_value", "group_total", "largest_series"),
}
"""For each chart, what may be asked about it."""

DEEPEST_LETTER_RANK = 5
DEEPEST_WORD_RANK = 3
LARGEST_TIE = 3

TOLERANCE_OF_DECIMALS = 0.01
TOLERANCE_OF_SHARES = 0.1

_BAR_NUMBER = (
    "How many different letters have a bar in this chart?",
    "Count the bars: how many letters are shown?",
    "For how many letters does the bar chart give a frequency?",
    "What is the number of letters that appear in this bar chart?",
)
_PIE_NUMBER = (
    "How many letters does this pie chart contain?",
    "Into how many slices, one per letter, is the pie divided?",
    "Count the letters that have a slice in this pie chart. How many are there?",
    "What is the number of different letters shown in the pie?",
)
WORDINGS: dict[str, tuple[str, ...]] = {
    "bar/number_of_letters": _BAR_NUMBER,
    "bar/frequency_of_rank": (
        "What is the frequency of the {rank} most frequent letter?",
        "How often does the {rank} most common letter of this chart occur?",
        "Order the letters by frequency, highest first. What is the frequency of the {rank} one?",
        "Give the count of the letter with the {rank} highest bar value.",
    ),
    "bar/mean_frequency": (
        "What is the mean frequency of the letters shown? Round to 2 decimals.",
        "Compute the average of all bar values, to 2 decimals.",
        "On average, how often does a letter of this chart occur? Answer with 2 decimals.",
        "Add up the frequencies and divide by the number of letters. What do you get, rounded to 2 decimals?",
    ),
    "bar/median_frequency": (
        "What is the median of the letter frequencies? Give 2 decimals.",
        "Find the median bar value, to 2 decimals.",
        "Sort the frequencies: which value lies in the middle (the median)? Answer with 2 decimals.",
        "Which frequency splits the letters into an upper and a lower half, i.e. the median, to 2 decimals?",
    ),
    "pie/number_of_letters": _PIE_NUMBER,
    "pie/letter_of_rank": (
        "Which letter has the {rank} highest frequency in this pie chart?",
        "Name the letter with the {rank} largest slice.",
        "Order the slices from large to small. Which letter is {rank}?",
        "What is the {rank} most frequent letter of the pie?",
    ),
    "pie/share_of_rank": (
        "What percentage of the pie does the letter with the {rank} highest frequency take? Give 1 decimal.",
        "How large is the {rank} largest slice, in percent with 1 decimal?",
        "Give the share of the {rank} most frequent letter as a percentage, to 1 decimal.",
        "In percent, to 1 decimal, what part of all letters shown belongs to the {rank} most common one?",
    ),
    "cloud/number_of_words": (
        "How many words does this word cloud contain?",
        "Count the words in the picture. How many are there?",
        "What is the number of different words drawn in the cloud?",
        "How many words can be seen in this word cloud?",
    ),
    "cloud/word_of_rank": (
        "Which word is the {rank} most frequent, judging by its size?",
        "Name the word drawn in the {rank} largest type.",
        "The larger a word, the more frequent it is. Which word ranks {rank}?",
        "What is the {rank} most common word of this cloud?",
    ),
    "cloud/word_present": (
        'Is the word "{word}" present in this word cloud? Answer True or False.',
        'True or False: the cloud contains the word "{word}".',
        'Can the word "{word}" be found in the picture? Reply with True or False.',
        'Does "{word}" appear among the words drawn? Answer with True or False.',
    ),
    "line/value_at_time": (
        "What is the value at {time}?",
        "Read the chart: how high is the line at {time}?",
        "Which value does the line reach at {time}?",
        "Give the number recorded for {time}.",
    ),
    "line/time_of_maximum": (
        "When does the line reach its maximum? Answer with the label on the time axis.",
        "At which time is the value highest? Give the label as printed on the axis.",
        "Which label of the time axis belongs to the highest point?",
        "Name the time of the peak value, as the axis labels it.",
    ),
    "line/largest_rise": (
        "What is the largest rise from one point to the next?",
        "By how much does the value increase in the steepest climb between neighbouring points?",
        "Compare each point with the one before it. How large is the biggest increase?",
        "Give the greatest increase between two consecutive times.",
    ),
    "line/points_above": (
        "How many points lie above {threshold}? Points at exactly {threshold} do not count.",
        "At how many times is the value greater than {threshold}?",
        "Count the points whose value is strictly more than {threshold}.",
        "For how many labels of the time axis does the value exceed {threshold}?",
    ),
    "grouped/cell_value": (
        'What is the value of "{series}" for {group}?',
        'How large is the part of {group} that belongs to "{series}"?',
        'Read the number of series "{series}" in group {group}.',
        'Which value does {group} show for "{series}"?',
    ),
    "grouped/group_total": (
        "What do all series of {group} add up to?",
        "Give the total of the group {group}.",
        "Sum the values shown for {group}. What is the result?",
        "What is the total over all series for {group}?",
    ),
    "grouped/largest_series": (
        "Which series has the largest total over all groups?",
        "Add up each series over the groups. Which one is largest?",
        "Name the series whose values sum to the most.",
        "Across all groups together, which series of the legend comes out highest?",
    ),
}
"""For each chart and family, ways to ask; fields in braces are filled from what is asked."""


@dataclass(frozen=True)
class Question:
    """A question with its accepted answer: one text, or all texts of a tie."""

    text: str
    target: str | list[str]
    kind: AnswerKind
    tolerance: float = 0.0
    asked: dict[str, Any] = field(default_factory=dict)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, …, 11th, 12th, 13th, …, 21st, 22nd."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"


def median(values: Sequence[int]) -> Fraction:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return Fraction(ordered[middle - 1] + ordered[middle], 2)


def letter_ranks(letters: Mapping[str, int]) -> list[int]:
    """Ranks k that mean one thing: the k - 1 letters before have frequencies of their own.

    The k-th itself may tie with up to `LARGEST_TIE` - 1 letters; its frequency is the same for all of them.
    """
    counts = sorted(letters.values(), reverse=True)
    ranks = []
    for rank in range(1, min(DEEPEST_LETTER_RANK, len(counts)) + 1):
        if counts.count(counts[rank - 1]) <= LARGEST_TIE:
            ranks.append(rank)
        if counts.count(counts[rank - 1]) > 1:
            break
    return ranks


def letters_of_rank(letters: Mapping[str, int], rank: int) -> list[str]:
    """Every letter whose frequency is the `rank`-th largest."""
    count = sorted(letters.values(), reverse=True)[rank - 1]
    return [letter for letter, found in letters.items() if found == count]


def word_ranks(drawn: Sequence[Sequence[Any]]) -> list[int]:
    """Ranks k up to 3 that a reader can see: each word up to the k-th is visibly larger than the next.

    `drawn` is `[word, count, type size]` of every word in the picture.
    """
    ordered = sorted(drawn, key=lambda item: (-item[2], -item[1]))
    ranks = []
    for rank in range(1, min(DEEPEST_WORD_RANK, len(ordered) - 1) + 1):
        one, following = ordered[rank - 1], ordered[rank]
        if one[1] <= following[1] or one[2] < VISIBLY_LARGER * following[2]:
            break
        ranks.append(rank)
    return ranks


def word_of_rank(drawn: Sequence[Sequence[Any]], rank: int) -> str:
    """The `rank`-th largest word."""
    return str(sorted(drawn, key=lambda item: -item[2])[rank - 1][0])


def absent_words(drawn: Sequence[Sequence[Any]], vocabulary: Sequence[str]) -> list[str]:
    """Words of the vocabulary that are not drawn, nor part of a drawn word, nor contain one."""
    shown = [str(word) for word, *_ in drawn]
    return [word for word in vocabulary if not any(word in other or other in word for other in shown)]


def largest_series(data: ChartData) -> list[str]:
    """Every series whose total is the largest."""
    totals = [sum(column) for column in zip(*data["values"], strict=True)]
    return [name for name, total in zip(data["series"], totals, strict=True) if total == max(totals)]


def rises(values: Sequence[int]) -> list[int]:
    """The change from each value to the next."""
    return [after - before for before, after in pairwise(values)]


def times_of_maximum(data: ChartData) -> list[str]:
    """Every time label at which the value is highest."""
    return [t for t, value in zip(data["times"], data["values"], strict=True) if value == max(data["values"])]


def askable(family: str, data: ChartData) -> bool:
    """Whether the picture of `data` (of a cloud: with what was drawn) has an answer to this family."""
    if family in ("frequency_of_rank", "letter_of_rank", "share_of_rank"):
        return bool(letter_ranks(data["letters"]))
    if family == "word_of_rank":
        return bool(word_ranks(data["words"]))
    if family == "time_of_maximum":
        return len(times_of_maximum(data)) <= LARGEST_TIE
    if family == "largest_rise":
        return max(rises(data["values"])) > 0
    if family == "largest_series":
        return len(largest_series(data)) < len(data["series"])
    return True


def ask(
    chart: str,
    family: str,
    data: ChartData,
    rng: Random,
    *,
    present: bool = True,
    vocabulary: Sequence[str] = (),
) -> Question:
    """One question of a family that is `askable`.

    `present` says which answer a word_present question shall have; `vocabulary` are the words, most frequent
    first, among which it looks for an absent one.
    """
    question = _ANSWERS[family](data, rng, present, vocabulary)
    fields = dict(question.asked)
    if "rank" in fields:
        fields["rank"] = ordinal(fields["rank"])
    text = rng.choice(WORDINGS[f"{chart}/{family}"]).format(**fields)
    return Question(text, question.target, question.kind, question.tolerance, question.asked)


def _one_or_all(answers: list[str]) -> str | list[str]:
    return answers[0] if len(answers) == 1 else answers


def _number(target: str, tolerance: float = 0.0, **asked: Any) -> Question:
    return Question("", target, "number", tolerance, asked)


def _text(answers: list[str], **asked: Any) -> Question:
    return Question("", _one_or_all(answers), "text", 0.0, asked)


_Answer = Callable[[ChartData, Random, bool, Sequence[str]], Question]


def _deep(ranks: Sequence[int], rng: Random) -> int:
    """One of the ranks; the deeper ones, which fewer charts allow, are likelier."""
    return rng.choices(ranks, weights=ranks)[0]


def _frequency_of_rank(data: ChartData, rng: Random, *_: object) -> Question:
    rank = _deep(letter_ranks(data["letters"]), rng)
    return _number(str(sorted(data["letters"].values(), reverse=True)[rank - 1]), rank=rank)


def _mean(data: ChartData, *_: object) -> Question:
    counts = data["letters"].values()
    return _number(decimals(Fraction(sum(counts), len(counts)), 2), TOLERANCE_OF_DECIMALS)


def _median(data: ChartData, *_: object) -> Question:
    return _number(decimals(median(list(data["letters"].values())), 2), TOLERANCE_OF_DECIMALS)


def _letter_of_rank(data: ChartData, rng: Random, *_: object) -> Question:
    rank = _deep(letter_ranks(data["letters"]), rng)
    return _text(letters_of_rank(data["letters"], rank), rank=rank)


def _share_of_rank(data: ChartData, rng: Random, *_: object) -> Question:
    rank = _deep(letter_ranks(data["letters"]), rng)
    counts = sorted(data["letters"].values(), reverse=True)
    return _number(share(counts[rank - 1], counts), TOLERANCE_OF_SHARES, rank=rank)


def _word_of_rank(data: ChartData, rng: Random, *_: object) -> Question:
    rank = _deep(word_ranks(data["words"]), rng)
    return _text([word_of_rank(data["words"], rank)], rank=rank)


def _word_present(data: ChartData, rng: Random, present: bool, vocabulary: Sequence[str]) -> Question:
    drawn = [str(word) for word, *_ in data["words"]]
    # Absent words come from the words that other clouds draw, or they could be told by their rarity.
    others = absent_words(data["words"], vocabulary)[: 4 * len(drawn)]
    word = rng.choice(others if others and not present else drawn)
    return Question("", "True" if word in drawn else "False", "boolean", 0.0, {"word": word})


def _value_at_time(data: ChartData, rng: Random, *_: object) -> Question:
    index = rng.randrange(len(data["times"]))
    return _number(str(data["values"][index]), time=data["times"][index])


def _points_above(data: ChartData, rng: Random, *_: object) -> Question:
    values: list[int] = data["values"]
    threshold = rng.randint(min(values), max(values) - 1)
    return _number(str(sum(value > threshold for value in values)), threshold=threshold)


def _cell_value(data: ChartData, rng: Random, *_: object) -> Question:
    group, series = rng.randrange(len(data["groups"])), rng.randrange(len(data["series"]))
    value: int = data["values"][group][series]
    return _number(str(value), group=data["groups"][group], series=data["series"][series])


def _group_total(data: ChartData, rng: Random, *_: object) -> Question:
    group = rng.randrange(len(data["groups"]))
    return _number(str(sum(data["values"][group])), group=data["groups"][group])


_ANSWERS: dict[str, _Answer] = {
    "number_of_letters": lambda data, *_: _number(str(len(data["letters"]))),
    "frequency_of_rank": _frequency_of_rank,
    "mean_frequency": _mean,
    "median_frequency": _median,
    "letter_of_rank": _letter_of_rank,
    "share_of_rank": _share_of_rank,
    "number_of_words": lambda data, *_: _number(str(len(data["words"]))),
    "word_of_rank": _word_of_rank,
    "word_present": _word_present,
    "value_at_time": _value_at_time,
    "time_of_maximum": lambda data, *_: _text(times_of_maximum(data)),
    "largest_rise": lambda data, *_: _number(str(max(rises(data["values"])))),
    "points_above": _points_above,
    "cell_value": _cell_value,
    "group_total": _group_total,
    "largest_series": lambda data, *_: _text(largest_series(data)),
}
