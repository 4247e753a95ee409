"""A reference essay written from a chart's data by rule.

It says what the data say, in plain sentences of fixed patterns: an honest reference for numbers and form,
and no model of style. Every number in it is a value or a difference or sum of values, all key values are
in it, and it has between `FEWEST_WORDS` and `MOST_WORDS` words.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from tasks.ielts_essay.chart import Chart
from tasks.ielts_essay.essay import FEWEST_WORDS, MOST_WORDS, Essay
from tasks.ielts_essay.plans import joined

_VERBS = ("shows", "illustrates", "gives information about")


def golden_essay(chart: Chart) -> Essay:
    """The essay of a chart, the same for equal charts."""
    rng = Random(chart.title)
    introduction, overview = _introduction(chart, rng), _overview(chart, rng)
    first, second, spare = _BODY[chart.layout](chart, rng)
    if _total(introduction, first, second, overview) > MOST_WORDS:
        # Several series with peaks and lows of their own, all of which are key values.
        first, second = _short_body_of_times(chart)
    for extra in [None, *spare]:
        if extra is not None:
            shorter = first if _length(first) < _length(second) else second
            shorter.append(extra)
            if _total(introduction, first, second, overview) > MOST_WORDS:
                shorter.remove(extra)
                continue
        if _total(introduction, first, second, overview) >= FEWEST_WORDS + 4:
            break
    return Essay(introduction, (" ".join(first), " ".join(second)), overview)


def _length(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _total(introduction: str, first: list[str], second: list[str], overview: str) -> int:
    return _length([introduction, *first, *second, overview])


def _introduction(chart: Chart, rng: Random) -> str:
    what = {"bar": "The bar chart", "line": "The line graph", "pie": "The pie chart", "table": "The table"}[
        chart.kind
    ]
    verb = rng.choice(_VERBS)
    if chart.kind == "pie" and len(chart.series) == 2:
        what, verb = "The two pie charts", {"shows": "show", "illustrates": "illustrate"}.get(verb, "compare")
    unit = "in per cent" if chart.unit == "%" else f"in {chart.unit}"
    if chart.layout == "times":
        years = f"{chart.labels[0]} to {chart.labels[-1]}"
        return f"{what} {verb} {chart.subject} in {joined(chart.series)} from {years}, {unit}."
    place, _, year = chart.title.rpartition(" in ")[2].rpartition(", ")
    if chart.layout == "parts":
        return f"{what} {verb} {chart.subject} in {place} in {year}. The figures are given {unit}."
    groups = "" if len(chart.series) == 1 else f", comparing {_names(chart, 0)} with {_names(chart, 1)}"
    return (
        f"{what} {verb} {chart.subject} in {joined(chart.labels)}{groups}. "
        f"The figures are given {unit}{f' and refer to {year}' if len(chart.series) == 1 else ''}."
    )


def _names(chart: Chart, series: int) -> str:
    """A series in a sentence: a year as it is, a group of people in lower case."""
    return chart.series[series] if chart.series[series].isdigit() else chart.series[series].lower()


def _gap(chart: Chart, one: float, other: float) -> str:
    number = chart.number(abs(one - other))
    if chart.unit == "%":
        return f"{number} percentage point{'' if abs(one - other) == 1 else 's'}"
    return f"{number} {chart.unit}"


Body = tuple[list[str], list[str], list[str]]


def _body_of_times(chart: Chart, rng: Random) -> Body:
    """Each series from its first to its last value, with peaks and troughs; then comparisons."""
    amount, years = chart.amount, chart.labels
    one = len(chart.series) == 1
    ends = [
        "In {name}, the figure {moved} from {v0} in {y0} to {v1} in {y1}, a change of {gap}.",
        "{name} started with {v0} in {y0} and finished with {v1} in {y1}, which is a difference of {gap}.",
        "The figure for {name} stood at {v0} in {y0}; it had {reached} {v1} by {y1}, {gap} {more} than "
        "before.",
        "As for {name}, it went from {v0} at the beginning to {v1} at the end and so {won} {gap}.",
    ]
    start = rng.randrange(len(ends))
    texts: list[str] = []
    for place, (name, row) in enumerate(zip(chart.series, chart.values, strict=True)):
        up = row[-1] >= row[0]
        text = ends[(start + place) % len(ends)].format(
            name=name,
            v0=amount(row[0]),
            v1=amount(row[-1]),
            y0=years[0],
            y1=years[-1],
            gap=_gap(chart, row[0], row[-1]),
            moved="rose" if up else "fell",
            reached="reached" if up else "dropped to",
            more="more" if up else "less",
            won="gained" if up else "lost",
        )
        high, low = row.index(max(row)), row.index(min(row))
        inner = [at for at in dict.fromkeys((high, low)) if row[at] not in (row[0], row[-1])]
        said = {high: f"a peak of {amount(row[high])} in {years[high]}"}
        said[low] = (
            said.get(low, f"a low of {amount(row[low])} in {years[low]}")
            if low == high
            else (f"a low of {amount(row[low])} in {years[low]}")
        )
        if inner:
            text += f" In between, {name} had {' and '.join(said[at] for at in inner)}."
        texts.append(text)
    middle = (len(texts) + 1) // 2
    spare = list(_moves(chart, rng)) if one else [*_rankings(chart), *_moves(chart, rng)]
    if one:
        return texts, [spare[0]], [*spare[1:], *_since_the_start(chart)]
    return texts[:middle], texts[middle:], spare


def _short_body_of_times(chart: Chart) -> tuple[list[str], list[str]]:
    texts = []
    for name, row in zip(chart.series, chart.values, strict=True):
        high, low = row.index(max(row)), row.index(min(row))
        inner = [
            f"a {what} of {chart.amount(row[at])} in {chart.labels[at]}"
            for what, at in (("peak", high), ("low", low))
            if row[at] not in (row[0], row[-1])
        ]
        with_them = f", with {' and '.join(inner)}" if inner else ""
        texts.append(f"{name} went from {chart.amount(row[0])} to {chart.amount(row[-1])}{with_them}.")
    middle = (len(texts) + 1) // 2
    return texts[:middle], texts[middle:]


def _since_the_start(chart: Chart) -> Iterator[str]:
    """The range of a single series, and its inner values against the first."""
    [row] = chart.values
    high, low = row.index(max(row)), row.index(min(row))
    yield (
        f"The highest figure in the whole graph was that of {chart.labels[high]}, and the lowest that of "
        f"{chart.labels[low]}; the two were {_gap(chart, max(row), min(row))} apart from each other."
    )
    patterns = (
        "Compared with the first year of the period, {year} was {gap} {more}.",
        "By {year}, the distance from the starting point was {gap}, as the figure had come to {value}.",
        "The value of {year}, which was {value}, lay {gap} {above} that of {first}.",
    )
    for number, at in enumerate(at for at in range(1, len(row) - 1) if row[at] != row[0]):
        yield patterns[number % len(patterns)].format(
            year=chart.labels[at],
            first=chart.labels[0],
            gap=_gap(chart, row[at], row[0]),
            value=chart.amount(row[at]),
            more="higher" if row[at] > row[0] else "lower",
            above="above" if row[at] > row[0] else "below",
        )


def _rankings(chart: Chart) -> Iterator[str]:
    years = chart.labels
    at = len(years) // 2
    order = sorted(range(len(chart.series)), key=lambda s: -chart.values[s][at])
    listed = joined([f"{chart.amount(chart.values[s][at])} in {chart.series[s]}" for s in order])
    yield f"In {years[at]}, in the course of the period, the figures were {listed}."
    for place, when in ((-1, "At the end"), (0, "At the start")):
        top, next_, *_ = sorted(range(len(chart.series)), key=lambda s: -chart.values[s][place])
        a, b = chart.values[top][place], chart.values[next_][place]
        if a != b:
            yield f"{when}, {chart.series[top]} was {_gap(chart, a, b)} ahead of {chart.series[next_]}."


def _moves(chart: Chart, rng: Random) -> Iterator[str]:
    """Changes between neighbouring years, the largest first."""
    patterns = [
        "Between {ya} and {yb}, the figure{name} {went} by {gap} and came to {b}.",
        "From {ya} to {yb}{name2} there was {a_move} from {a} to {b}.",
        "The years from {ya} to {yb} brought {a_move} of {gap}{name3}, to {b}.",
        "In {yb}, the value{name} was {b}, {gap} {more} than in {ya}.",
    ]
    found = [
        (abs(row[at + 1] - row[at]), series, at)
        for series, row in enumerate(chart.values)
        for at in range(len(row) - 1)
    ]
    start = rng.randrange(len(patterns))
    one = len(chart.series) == 1
    for number, (_, series, at) in enumerate(sorted(found, key=lambda item: (-item[0], item[1:]))):
        a, b = chart.values[series][at], chart.values[series][at + 1]
        name = chart.series[series]
        yield patterns[(start + number) % len(patterns)].format(
            ya=chart.labels[at],
            yb=chart.labels[at + 1],
            a=chart.amount(a),
            b=chart.amount(b),
            gap=_gap(chart, a, b),
            went="went up" if b > a else "went down",
            a_move="a rise" if b > a else "a fall",
            more="more" if b > a else "less",
            name="" if one else f" for {name}",
            name2="" if one else f", in {name},",
            name3="" if one else f" in {name}",
        )


def _body_of_parts(chart: Chart, rng: Random) -> Body:
    """Of one pie the categories from the largest to the smallest; of two their order, then what changed."""
    if len(chart.series) == 2:
        return _body_of_two_wholes(chart, rng)
    [row] = chart.values
    order = sorted(range(len(row)), key=lambda place: -row[place])
    names = [chart.labels[place].lower() for place in order]
    values = [row[place] for place in order]
    said = [chart.amount(value) for value in values]
    first = [
        f"The largest category was {names[0]}, which accounted for {said[0]} of the total. "
        f"It was followed by {names[1]} with {said[1]}, {_gap(chart, values[0], values[1])} less.",
        f"Together, these two categories made up {chart.amount(values[0] + values[1])}.",
    ]
    middle = [f"{name} with {value}" for name, value in zip(names[2:-1], said[2:-1], strict=True)]
    second = [
        f"The categories in the middle were {joined(middle)}.",
        f"The smallest share was that of {names[-1]}, at only {said[-1]}, so that the distance between "
        "the first and "
        f"the last category was {_gap(chart, values[0], values[-1])}.",
    ]
    spare = [
        f"The share of {names[1]} was {_gap(chart, values[1], values[2])} larger than that of {names[2]}, "
        "the next "
        "category in the list.",
        f"Even when they are taken together, the two smallest categories, {names[-2]} and {names[-1]}, "
        "came to no more "
        f"than {chart.amount(values[-1] + values[-2])}.",
        f"Between {names[2]} and {names[-2]} there was a difference of {_gap(chart, values[2], values[-2])}.",
        f"The leading category was also {_gap(chart, values[0], values[2])} larger than the third one, so "
        "that it "
        "clearly stood apart from all the others.",
        f"The last two categories differed by {_gap(chart, values[-1], values[-2])}.",
    ]
    return first, second, spare


def _body_of_two_wholes(chart: Chart, rng: Random) -> Body:
    del rng
    first: list[str] = []
    for name, row, pattern in zip(
        chart.series,
        chart.values,
        (
            "In {year}, the largest category was {top} with {v}, ahead of {second} at {w}, while {last} "
            "came last with "
            "only {u}.",
            "By {year}, the order was headed by {top}, at {v}, and {second}, at {w}; the smallest share, "
            "{u}, was that "
            "of {last}.",
        ),
        strict=True,
    ):
        order = sorted(range(len(row)), key=lambda place: -row[place])
        first.append(
            pattern.format(
                year=name,
                top=chart.labels[order[0]].lower(),
                second=chart.labels[order[1]].lower(),
                last=chart.labels[order[-1]].lower(),
                v=chart.amount(row[order[0]]),
                w=chart.amount(row[order[1]]),
                u=chart.amount(row[order[-1]]),
            )
        )
    old, new = chart.values
    order = sorted(range(len(old)), key=lambda place: -abs(new[place] - old[place]))
    patterns = (
        "The greatest change was that of {name}, which went {up} from {a} to {b}.",
        "The share of {name} {rose} by {gap} and came to {b}.",
        "Another {gap} {won} by {name}, which ended at {b}.",
        "{Name} {rose} as well, from {a} to {b}.",
        "With a change from {a} to {b}, {name} moved comparatively little.",
        "The figures for {name} were {a} and {b}.",
    )
    changes = []
    for place, pattern in zip(order, patterns, strict=False):
        a, b, name = old[place], new[place], chart.labels[place]
        if a == b:
            changes.append(f"The share of {name.lower()} did not change and remained at {chart.amount(a)}.")
            continue
        if "as well" in pattern and (b > a) != (new[order[1]] > old[order[1]]):
            pattern = pattern.replace(" as well", ", by contrast")
        changes.append(
            pattern.format(
                name=name.lower(),
                Name=name,
                a=chart.amount(a),
                b=chart.amount(b),
                gap=_gap(chart, a, b),
                up="up" if b > a else "down",
                rose="rose" if b > a else "fell",
                won=("was gained" if abs(a - b) == 1 else "were gained")
                if b > a
                else ("was lost" if abs(a - b) == 1 else "were lost"),
            )
        )
    one, other = order[0], order[1]
    spare = [
        f"In {chart.series[0]}, {chart.labels[one].lower()} and {chart.labels[other].lower()} had "
        "together made up "
        f"{chart.amount(old[one] + old[other])}; in {chart.series[1]} it was "
        f"{chart.amount(new[one] + new[other])}.",
        f"The distance between the largest and the smallest share was {_gap(chart, max(old), min(old))} "
        "in the first year "
        f"and {_gap(chart, max(new), min(new))} in the second.",
        *changes[4:],
    ]
    return first, changes[:4], spare


def _body_of_groups(chart: Chart, rng: Random) -> Body:
    """Highest and lowest label of each series; then label by label, or the ranking of a single series."""
    if len(chart.series) == 1:
        return _body_of_one_group(chart)
    first: list[str] = []
    patterns = (
        "{In_s}, {top} had the highest figure of all, {v}, and {last} the lowest, {u}.",
        "{In_s}, the range was from {u} in {last} to {v} in {top}, a distance of {gap}.",
    )
    years = chart.series[0].isdigit()
    for series, (row, pattern) in enumerate(zip(chart.values, patterns, strict=True)):
        high, low = row.index(max(row)), row.index(min(row))
        first.append(
            pattern.format(
                In_s=f"In {chart.series[series]}" if years else f"As regards {_names(chart, series)}",
                top=chart.labels[high],
                last=chart.labels[low],
                v=chart.amount(row[high]),
                u=chart.amount(row[low]),
                gap=_gap(chart, row[high], row[low]),
            )
        )
    each = list(_pairs_of_groups(chart, rng))
    return [*first, each[0]], each[1:3], [*each[3:], *_neighbours(chart)]


def _pairs_of_groups(chart: Chart, rng: Random) -> Iterator[str]:
    old, new = chart.values
    a_name, b_name = _names(chart, 0), _names(chart, 1)
    years = chart.series[0].isdigit()
    patterns = (
        (
            "In {place}, the figure {went} from {a} to {b}.",
            "The figure for {place} {went} by {gap} and came to {b} in the later year.",
            "With {a} in {one} and {b} in {two}, {place} showed a change of {gap}.",
            "The two figures for {place} were {a} and {b}.",
        )
        if years
        else (
            "In {place}, {one} stood at {a} and {two} at {b}, a difference of {gap}.",
            "{place} had {a} for {one}, while the figure for {two} was {gap} {more}.",
            "With {a} for {one} and {b} for {two}, {place} showed a gap of {gap}.",
            "The two figures for {place} were {a} and {b}.",
        )
    )
    start = rng.randrange(len(patterns))
    order = sorted(range(len(old)), key=lambda place: -abs(new[place] - old[place]))
    for number, place in enumerate(order):
        a, b = old[place], new[place]
        if a == b:
            yield f"In {chart.labels[place]}, both figures were {chart.amount(a)}."
            continue
        yield patterns[(start + number) % len(patterns)].format(
            place=chart.labels[place],
            one=a_name,
            two=b_name,
            a=chart.amount(a),
            b=chart.amount(b),
            gap=_gap(chart, a, b),
            went="rose" if b > a else "fell",
            more="higher" if b > a else "lower",
        )


def _neighbours(chart: Chart) -> Iterator[str]:
    for series, row in enumerate(chart.values):
        order = sorted(range(len(row)), key=lambda place: -row[place])
        a, b = order[0], order[1]
        when = (
            f"in {chart.series[series]}" if chart.series[series].isdigit() else f"for {_names(chart, series)}"
        )
        yield (
            f"The distance between the two leading countries {when}, {chart.labels[a]} and "
            f"{chart.labels[b]}, was "
            f"{_gap(chart, row[a], row[b])}."
        )
        c, d = order[-2], order[-1]
        yield (
            f"At the other end of the scale {when}, {chart.labels[c]} was {_gap(chart, row[c], row[d])} "
            "above "
            f"{chart.labels[d]}."
        )


def _body_of_one_group(chart: Chart) -> Body:
    [row] = chart.values
    order = sorted(range(len(row)), key=lambda place: -row[place])
    names = [chart.labels[place] for place in order]
    values = [row[place] for place in order]
    said = [chart.amount(value) for value in values]
    gap = [_gap(chart, a, b) for a, b in pairwise(values)]
    first = [
        f"{names[0]} had the highest figure, {said[0]}.",
        f"{names[1]} came second with {said[1]}, {gap[0]} less than the leading country.",
        f"It was followed at some distance by {names[2]}, where the figure was {said[2]}.",
    ]
    middle = joined([f"{name} with {value}" for name, value in zip(names[3:-1], said[3:-1], strict=True)])
    second = [
        f"Further down the list {'were' if len(names) > 5 else 'was'} {middle}.",
        f"{names[-1]} had the lowest figure of all countries in the chart, only {said[-1]}, which was "
        f"{_gap(chart, values[0], values[-1])} below that of {names[0]}.",
    ]
    spare = [
        f"Between the second and the third country there was a difference of {gap[1]}.",
        f"The last two countries, {names[-2]} and {names[-1]}, were {gap[-1]} apart from each other.",
        "Compared with the third country in the list, the leading one was "
        f"{_gap(chart, values[0], values[2])} ahead.",
        f"{names[3]}, in turn, was {gap[2]} behind {names[2]}, the country immediately above it.",
        f"The distance between {names[1]} and the country at the bottom was "
        f"{_gap(chart, values[1], values[-1])}.",
    ]
    return first, second, spare


_BODY = {"times": _body_of_times, "parts": _body_of_parts, "groups": _body_of_groups}


def _overview(chart: Chart, rng: Random) -> str:
    start = rng.choice(("Overall", "Overall", "In summary"))
    if chart.layout == "times":
        return f"{start}, {_overview_of_times(chart)}"
    if len(chart.series) == 1:
        [row] = chart.values
        order = [chart.labels[place] for place in sorted(range(len(row)), key=lambda place: -row[place])]
        if chart.layout == "parts":
            order = [name.lower() for name in order]
            most = f"{order[0]} and {order[1]} were the most important categories"
            return f"{start}, {most}, and {order[-1]} the least."
        return (
            f"{start}, the countries differed considerably, with {order[0]} and {order[1]} at the top and "
            f"{order[-1]} at the bottom of the list."
        )
    return f"{start}, {_overview_of_pairs(chart)}"


def _overview_of_times(chart: Chart) -> str:
    up = [name for name, row in zip(chart.series, chart.values, strict=True) if row[-1] > row[0]]
    down = [name for name, row in zip(chart.series, chart.values, strict=True) if row[-1] < row[0]]
    same = [name for name, row in zip(chart.series, chart.values, strict=True) if row[-1] == row[0]]
    said = []
    if up:
        said.append(f"the figure{'s' if len(up) > 1 else ''} for {joined(up)} went up over the period")
    if down:
        said.append(f"the figure{'s' if len(down) > 1 else ''} for {joined(down)} went down over the period")
    if same:
        said.append(f"{joined(same)} ended where {'it' if len(same) == 1 else 'they'} had begun")
    text = f"{', whereas '.join(said)}."
    if len(chart.series) == 1:
        return text
    names = [_highest(chart, at) for at in (0, -1)]
    if None in names:
        return text
    if names[0] == names[1]:
        return f"{text} {names[0]} had the highest figure both at the beginning and at the end."
    return f"{text} {names[0]} was first at the beginning, but {names[1]} had the highest figure at the end."


def _highest(chart: Chart, at: int) -> str | None:
    """The series with the highest value at a label, or None where several have it."""
    values = [row[at] for row in chart.values]
    return chart.series[values.index(max(values))] if values.count(max(values)) == 1 else None


def _overview_of_pairs(chart: Chart) -> str:
    old, new = chart.values
    more = [name for name, a, b in zip(chart.labels, old, new, strict=True) if b > a]
    less = [name for name, a, b in zip(chart.labels, old, new, strict=True) if b < a]
    if chart.layout == "parts":
        more, less = [name.lower() for name in more], [name.lower() for name in less]
    if chart.series[0].isdigit():
        said = [f"there was growth in {joined(more)}"] if more else []
        said += (
            [f"a decline in {joined(less)}" if more else f"there was a decline in {joined(less)}"]
            if less
            else []
        )
        return f"{' and '.join(said)} over the period."
    one, two = _names(chart, 0), _names(chart, 1)
    if not more or not less:
        first, second = (two, one) if more else (one, two)
        return f"the figures for {first} were higher than those for {second} in all countries."
    return f"the figures for {two} were higher in {joined(more)}, and those for {one} in {joined(less)}."
