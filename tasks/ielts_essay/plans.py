"""Which charts the built-in source has: the n-th chart of a kind in a split, from its seed alone.

A chart belongs to the split of its title, so that no split has a title, and therefore a picture, of another.
"""

from __future__ import annotations

from random import Random

from tasks.ielts_essay.chart import Chart, ChartKind, Layout
from tasks.ielts_essay.topics import MEASURES, PLACES, SHARED_BY_PEOPLE, SPLITS_OF_PEOPLE, WHOLES, Measure
from tasks.splits import Split, split_of

_MOST_ATTEMPTS = 2000
_FIRST_YEAR, _LAST_YEAR = 1965, 2022
_SMALLEST_SLICE = 3

_LAYOUTS: dict[ChartKind, tuple[tuple[Layout, int], ...]] = {
    "bar": (("groups", 2), ("parts", 1), ("groups", 1), ("groups", 2)),
    "line": (("times", 2), ("times", 3), ("times", 1), ("times", 2)),
    "pie": (("parts", 1), ("parts", 2)),
    "table": (("times", 3), ("groups", 2), ("times", 4), ("parts", 2)),
}
"""By turns: the layout and the number of series."""


def plan(kind: ChartKind, index: int, split: Split, seed: int, seen: set[str]) -> tuple[Chart, Random]:
    """The chart, and the random numbers for its looks. Its title is added to `seen` and was not in it."""
    layout, series = _LAYOUTS[kind][index % len(_LAYOUTS[kind])]
    for attempt in range(_MOST_ATTEMPTS):
        rng = Random(f"ielts_essay/{seed}/{split}/{kind}/{index}/{attempt}")
        chart = _DRAWN[layout](rng, kind, series)
        if chart.title not in seen and split_of("title:" + chart.title) == split:
            seen.add(chart.title)
            return chart, rng
    raise ValueError(f"no further {kind} chart for the split {split!r} after {index}; lower size")


def _times(rng: Random, kind: ChartKind, count: int) -> Chart:
    measure = rng.choice(MEASURES)
    places = sorted(rng.sample(PLACES, count))
    step, points = rng.choice(((5, 5), (5, 6), (10, 5), (2, 6), (4, 6), (3, 5)))
    points -= kind == "table"
    first = rng.randrange(_FIRST_YEAR, _LAST_YEAR - step * (points - 1))
    years = tuple(str(first + step * place) for place in range(points))
    values = tuple(_course(rng, measure, points) for _ in places)
    title = f"{measure.heading} in {joined(places)}, {years[0]} to {years[-1]}"
    return Chart(
        kind, "times", title, measure.subject, measure.unit, measure.decimals, years, tuple(places), values
    )


def _course(rng: Random, measure: Measure, points: int) -> tuple[float, ...]:
    """Values over time that rise, fall, peak, dip or stay, without two equal neighbours."""
    span = measure.high - measure.low
    start, end = (measure.low + span * rng.uniform(0.08, 0.92) for _ in range(2))
    middle = measure.low + span * rng.uniform(0.05, 0.95)
    bent = rng.random() < 0.45
    unit = 10.0**-measure.decimals
    values: list[float] = []
    for place in range(points):
        along = place / (points - 1)
        if bent:
            half = points // 2 / (points - 1)
            value = (
                start + (middle - start) * along / half
                if along <= half
                else middle + (end - middle) * (along - half) / (1 - half)
            )
        else:
            value = start + (end - start) * along
        value = min(measure.high, max(measure.low, value + span * rng.uniform(-0.05, 0.05)))
        value = round(value, measure.decimals)
        if values and value == values[-1]:
            value = round(value + (unit if value + unit <= measure.high else -unit), measure.decimals)
        values.append(value)
    return tuple(values)


def _parts(rng: Random, kind: ChartKind, count: int) -> Chart:
    whole, place = rng.choice(WHOLES), rng.choice(PLACES)
    first = rng.randrange(1985, 2008)
    years = [first] if count == 1 else [first, first + rng.choice((10, 12, 15))]
    number = min(len(whole.categories), rng.choice((5, 6)))
    categories = tuple(rng.sample(whole.categories, number))
    values = tuple(_shares(rng, number) for _ in years)
    title = f"{whole.heading} in {place}, {' and '.join(map(str, years))}"
    names = ("",) if count == 1 else tuple(map(str, years))
    return Chart(kind, "parts", title, whole.subject, "%", 0, categories, names, values)


def _shares(rng: Random, count: int) -> tuple[float, ...]:
    """Whole percentages that add up to 100, all different."""
    while True:
        weights = [rng.uniform(0.15, 1) ** 1.6 for _ in range(count)]
        shares = [round(100 * weight / sum(weights)) for weight in weights]
        shares[shares.index(max(shares))] += 100 - sum(shares)
        if min(shares) >= _SMALLEST_SLICE and len(set(shares)) == count:
            return tuple(map(float, shares))


def _groups(rng: Random, kind: ChartKind, count: int) -> Chart:
    places = sorted(rng.sample(PLACES, rng.choice((4, 5)) if count == 2 else rng.choice((5, 6))))
    year = rng.randrange(1992, 2022)
    if count == 1:
        measure, names = rng.choice(MEASURES), [""]
        title = f"{measure.heading} in {joined(places)}, {year}"
    elif rng.random() < 0.5:
        measure = rng.choice(MEASURES)
        names = [str(year - rng.choice((10, 15, 20))), str(year)]
        title = f"{measure.heading} in {joined(places)}, {names[0]} and {names[1]}"
    else:
        measure, names = rng.choice(SHARED_BY_PEOPLE), list(rng.choice(SPLITS_OF_PEOPLE))
        who = " and ".join(names).lower()
        title = f"{measure.heading} in {joined(places)} by group ({who}), {year}"
    values = tuple(_different(rng, measure, len(places)) for _ in names)
    return Chart(
        kind,
        "groups",
        title,
        measure.subject,
        measure.unit,
        measure.decimals,
        tuple(places),
        tuple(names),
        values,
    )


def _different(rng: Random, measure: Measure, count: int) -> tuple[float, ...]:
    while True:
        values = [round(rng.uniform(measure.low, measure.high), measure.decimals) for _ in range(count)]
        if len(set(values)) == count:
            return tuple(map(float, values))


_DRAWN = {"times": _times, "parts": _parts, "groups": _groups}


def joined(names: list[str] | tuple[str, ...]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
