"""The way from the drawn data to the answer, in words, ending with the answer in a box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import cast

from tasks.chart_vqa.kinds.pies import share
from tasks.chart_vqa.questions import (
    ChartData,
    largest_series,
    letters_of_rank,
    median,
    ordinal,
    rises,
    times_of_maximum,
    word_of_rank,
)
from tasks.chart_vqa.rounding import decimals


def rationale(record: Mapping[str, object]) -> str:
    r"""Steps that lead from what the picture of `record` shows to its answer.

    Written from `record["data"]` alone, never from its target; the last line is `The answer is \boxed{…}.`
    """
    data = cast(ChartData, record["data"])
    steps, answer = _STEPS[str(record["family"])](data, data["asked"])
    return f"{steps}\nThe answer is \\boxed{{{answer}}}."


def _listing(pairs: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in pairs.items())


def _plus(values: list[int]) -> str:
    return " + ".join(map(str, values)) + f" = {sum(values)}"


def _ranked(letters: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(letters.items(), key=lambda item: -item[1]))


def _number_of_letters(data: ChartData, asked: ChartData) -> tuple[str, str]:
    letters = list(data["letters"])
    count = len(letters)
    return f"The letters shown are {', '.join(letters)}.\nThat makes {count} letters.", str(count)


def _frequency_of_rank(data: ChartData, asked: ChartData) -> tuple[str, str]:
    ranked = _ranked(data["letters"])
    count = list(ranked.values())[asked["rank"] - 1]
    return (
        f"From high to low, the frequencies are: {_listing(ranked)}.\n"
        f"The {ordinal(asked['rank'])} in this order is {count}."
    ), str(count)


def _mean_frequency(data: ChartData, asked: ChartData) -> tuple[str, str]:
    counts = list(data["letters"].values())
    mean = decimals(Fraction(sum(counts), len(counts)), 2)
    return (
        f"The frequencies are: {_listing(data['letters'])}.\nTheir sum is {_plus(counts)}.\n"
        f"There are {len(counts)} letters, and {sum(counts)} / {len(counts)} is {mean} to 2 decimals."
    ), mean


def _median_frequency(data: ChartData, asked: ChartData) -> tuple[str, str]:
    counts = sorted(data["letters"].values())
    middle = len(counts) // 2
    answer = decimals(median(counts), 2)
    listed = f"Sorted, the {len(counts)} frequencies are {', '.join(map(str, counts))}."
    if len(counts) % 2:
        return f"{listed}\nThe middle one is {counts[middle]}.", answer
    return (
        f"{listed}\nThe two in the middle are {counts[middle - 1]} and {counts[middle]}, "
        f"and half of their sum is {answer}."
    ), answer


def _letter_of_rank(data: ChartData, asked: ChartData) -> tuple[str, str]:
    found = letters_of_rank(data["letters"], asked["rank"])
    tie = f" ({' and '.join(found)} tie, so either is right)" if len(found) > 1 else ""
    return (
        f"From high to low, the slices are: {_listing(_ranked(data['letters']))}.\n"
        f"The {ordinal(asked['rank'])} is {found[0]}{tie}."
    ), found[0]


def _share_of_rank(data: ChartData, asked: ChartData) -> tuple[str, str]:
    ranked = _ranked(data["letters"])
    counts = list(ranked.values())
    answer = share(counts[asked["rank"] - 1], counts)
    return (
        f"From high to low, the slices are: {_listing(ranked)}.\n"
        f"The {ordinal(asked['rank'])} has {counts[asked['rank'] - 1]} of {sum(counts)}, which is {answer}%."
    ), answer


def _number_of_words(data: ChartData, asked: ChartData) -> tuple[str, str]:
    words = [str(word) for word, *_ in data["words"]]
    return f"The words drawn are {', '.join(words)}.\nThat makes {len(words)} words.", str(len(words))


def _word_of_rank(data: ChartData, asked: ChartData) -> tuple[str, str]:
    first = [word_of_rank(data["words"], rank) for rank in range(1, asked["rank"] + 1)]
    return (
        f"From large to small, the words begin with {', '.join(first)}.\n"
        f"The {ordinal(asked['rank'])} is {first[-1]}."
    ), first[-1]


def _word_present(data: ChartData, asked: ChartData) -> tuple[str, str]:
    words = [str(word) for word, *_ in data["words"]]
    found = asked["word"] in words
    return (
        f'The words drawn are {", ".join(words)}.\n"{asked["word"]}" is {"" if found else "not "}among them.'
    ), str(found)


def _value_at_time(data: ChartData, asked: ChartData) -> tuple[str, str]:
    value = data["values"][data["times"].index(asked["time"])]
    return f"The point at {asked['time']} is labelled {value}.", str(value)


def _points(data: ChartData) -> str:
    return f"The points are: {_listing(dict(zip(data['times'], data['values'], strict=True)))}."


def _time_of_maximum(data: ChartData, asked: ChartData) -> tuple[str, str]:
    times = times_of_maximum(data)
    highest = max(data["values"])
    return f"{_points(data)}\nThe highest value, {highest}, is at {' and '.join(times)}.", times[0]


def _largest_rise(data: ChartData, asked: ChartData) -> tuple[str, str]:
    changes = rises(data["values"])
    listed = ", ".join(f"{change:+d}" for change in changes)
    return (f"{_points(data)}\nFrom each to the next: {listed}.\nThe largest is {max(changes):+d}."), str(
        max(changes)
    )


def _points_above(data: ChartData, asked: ChartData) -> tuple[str, str]:
    above = [v for v in data["values"] if v > asked["threshold"]]
    return (
        f"{_points(data)}\nAbove {asked['threshold']} are {', '.join(map(str, above))}: {len(above)} points."
    ), str(len(above))


def _cell_value(data: ChartData, asked: ChartData) -> tuple[str, str]:
    row = data["values"][data["groups"].index(asked["group"])]
    value = row[data["series"].index(asked["series"])]
    return f"In {asked['group']}, the bar in the colour of {asked['series']} is labelled {value}.", str(value)


def _group_total(data: ChartData, asked: ChartData) -> tuple[str, str]:
    row = data["values"][data["groups"].index(asked["group"])]
    listed = _listing(dict(zip(data["series"], row, strict=True)))
    return f"The values of {asked['group']} are: {listed}.\nTogether: {_plus(row)}.", str(sum(row))


def _largest_series(data: ChartData, asked: ChartData) -> tuple[str, str]:
    columns = zip(*data["values"], strict=True)
    sums = [f"{name}: {_plus(list(column))}" for name, column in zip(data["series"], columns, strict=True)]
    winners = largest_series(data)
    listed = "\n".join(sums)
    return f"The totals are\n{listed}\nThe largest is that of {' and '.join(winners)}.", winners[0]


_STEPS: dict[str, Callable[[ChartData, ChartData], tuple[str, str]]] = {
    "number_of_letters": _number_of_letters,
    "frequency_of_rank": _frequency_of_rank,
    "mean_frequency": _mean_frequency,
    "median_frequency": _median_frequency,
    "letter_of_rank": _letter_of_rank,
    "share_of_rank": _share_of_rank,
    "number_of_words": _number_of_words,
    "word_of_rank": _word_of_rank,
    "word_present": _word_present,
    "value_at_time": _value_at_time,
    "time_of_maximum": _time_of_maximum,
    "largest_rise": _largest_rise,
    "points_above": _points_above,
    "cell_value": _cell_value,
    "group_total": _group_total,
    "largest_series": _largest_series,
}
