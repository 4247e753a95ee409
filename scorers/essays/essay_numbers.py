"""Whether an essay's numbers are those of its chart, and whether it mentions the ones that matter.

    table = ChartTable.of('{"title":"Coal","unit":"%","labels":["Coal"],"series":["1998","2018"],…}')
    found = check_numbers("Coal fell from 46% in 1998 to 15%, a drop of 31 percentage points.", table)
    found.faithful       1.0: every number is in the data, or follows from it
    found.key_values     1.0: of the values that a reader needs, the share that is mentioned

A number counts as the chart's own when it is a value (rounded as it is written, scaled by a word such as
million, with the leeway of "about", "over", "nearly"), or follows from values by one step that its sentence
speaks of: the difference or percent change of two values of one series or one label ("by", "more than", "a
gap of"), the total of a series or a label or of two of its members ("together", "in total"), a ratio
("twice"), a share of a total. Years and other numbers in titles and labels are not claims; a year that the
chart does not have is a wrong one. A number in the wrong place (another year's value) still counts: the rule
asks whether it is in the data, and a wrong number can be there by chance (docs/decisions/0011-essays.md says
how often).
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from typing import Literal, TypeAlias

from scorers.essays.number_mentions import NumberMention, number_mentions
from scorers.essays.prose import READ
from scorers.essays.step_markers import structured_to_plain

Support: TypeAlias = Literal[
    "label", "value", "difference", "total", "change", "share", "ratio", "count", "none"
]

_ALL_PAIRS_UP_TO = 6
# How far a number may be from what it stands for. With these one value changed by 10 to 50% still passes in
# 8% (bars) to 18% (pies) of the cases (docs/decisions/0011-essays.md).
_ABOUT = 0.05
_ROUND = 0.02
_OVER = 0.1
_FRACTION = 0.035
_MULTIPLE = 0.1
_NEARLY, _MORE_THAN = 0.8, 1.45
_SERIES_WITH_OWN_KEYS = 4
_SCALES = (
    ("thousand", 1e3),
    ("million", 1e6),
    ("billion", 1e9),
    ("trillion", 1e12),
    ("1,000", 1e3),
    ("bn", 1e9),
)
_PERCENT = re.compile(r"%|per ?cent|percentage|\bshare\b|\brate\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_NUMERAL = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@dataclass(frozen=True)
class ChartTable:
    """A chart's data: a value or None (missing) for each label in each series, in `unit`."""

    title: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]

    @classmethod
    def of(cls, chart_data: str) -> ChartTable:
        """The table of a record's `chart_data`; ValueError for a text that is none."""
        return _table(chart_data)

    @cached_property
    def facts(self) -> Facts:
        """What follows from the values, made once."""
        return Facts(self)

    @property
    def scale(self) -> float:
        """What a printed value is multiplied with, as unit and title say: 1e6 for "in millions"."""
        said = f"{self.unit} {' '.join(self.series)} {self.title}".lower()
        return next((factor for word, factor in _SCALES if word in said), 1.0)

    @property
    def percent(self) -> bool:
        """Whether the values are percentages."""
        return _PERCENT.search(self.unit) is not None or "%" in " ".join(self.series)

    @property
    def over_time(self) -> bool:
        """Whether the labels are points in time."""
        return len(self.labels) > 1 and all(_YEAR.search(label) for label in self.labels)


@lru_cache(maxsize=4096)
def _table(chart_data: str) -> ChartTable:
    found = json.loads(chart_data)
    return ChartTable(
        title=str(found["title"]),
        unit=str(found["unit"]),
        labels=tuple(map(str, found["labels"])),
        series=tuple(map(str, found["series"])),
        values=tuple(tuple(None if v is None else float(v) for v in row) for row in found["values"]),
    )


class Facts:
    """The numbers that a chart's data support, each kind sorted."""

    def __init__(self, table: ChartTable) -> None:
        """Everything that one step of arithmetic gives."""
        rows = [list(row) for row in table.values]
        columns = [list(column) for column in zip(*rows, strict=True)]
        lines = rows + columns
        own = [abs(v) for row in rows for v in row if v is not None]
        pairs = [pair for line in lines for pair in _pairs(line)]
        sums = [[v for v in line if v is not None] for line in lines]
        wholes = [math.fsum(line) for line in sums if len(line) > 1]
        twos = [a + b for line in lines if len(line) <= _ALL_PAIRS_UP_TO + 4 for a, b in _all_pairs(line)]
        # Two pies have their totals per series; a table of groups per label as well.
        shares = [
            100 * v / total for line in sums if len(line) > 1 and (total := math.fsum(line)) > 0 for v in line
        ]
        counts = {len(table.labels), len(table.series), len(table.labels) * len(table.series)}
        self.by_kind: dict[Support, list[float]] = {
            "value": sorted(own),
            "difference": sorted(abs(a - b) for a, b in pairs),
            "total": sorted([*wholes, *twos]),
            "change": sorted(100 * abs(b - a) / abs(a) for a, b in pairs if a),
            "share": sorted(shares),
            "ratio": sorted(r for a, b in pairs if a and b for r in (a / b, b / a) if r > 0),
            "count": sorted(map(float, counts)),
        }
        text = " ".join((table.title, table.unit, *table.labels, *table.series))
        self.label_numbers = {float(found.replace(",", "")) for found in _NUMERAL.findall(text)}
        years = [float(year) for year in _YEAR.findall(text)]
        self.years = (min(years), max(years)) if years else None
        first, last = (_YEAR.search(label) for label in (table.labels[0], table.labels[-1]))
        self.newest_first = bool(first and last and int(first[1]) > int(last[1]))
        self.year_spans = {abs(a - b) for a in set(years) for b in set(years)}

    def has(self, kind: Support, low: float, high: float) -> bool:
        """Whether a number of this kind is within the bounds."""
        numbers = self.by_kind[kind]
        place = bisect_left(numbers, low - 1e-9)
        return place < len(numbers) and numbers[place] <= high + 1e-9


@dataclass(frozen=True)
class NumberCheck:
    """What supports each number of an essay, and the shares.

    claims: numbers that are no labels, each with its support, "none" where the data have nothing like it.
    faithful: share of the claims with support, 0 without any claim. key_values: share of the chart's key
    values that are mentioned.
    """

    claims: tuple[tuple[NumberMention, Support], ...]
    labels: int
    faithful: float
    key_values: float

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The numbers that are not in the data, as the essay writes them."""
        return tuple(mention.text for mention, support in self.claims if support == "none")


def check_numbers(text: str, table: ChartTable) -> NumberCheck:
    """The numbers of an essay against its chart; step markers and their numbers are left aside."""
    mentions = number_mentions(structured_to_plain(text[:READ]))
    supports = [_support(mention, table) for mention in mentions]
    claims = [pair for pair in zip(mentions, supports, strict=True) if pair[1] != "label"]
    right = sum(support != "none" for _, support in claims)
    keys = key_values(table)
    said = [m for m in mentions if m.kind in ("number", "percent", "year")]
    reached = sum(any(_is_value(m, value, table) for m in said) for value in keys)
    return NumberCheck(
        claims=tuple(claims),
        labels=len(mentions) - len(claims),
        faithful=right / len(claims) if claims else 0.0,
        key_values=reached / len(keys) if keys else 0.0,
    )


def key_values(table: ChartTable) -> list[float]:
    """The values that a description should have.

    Of each series the highest and the lowest and, over time, the first and the last. With more than four
    series, those of all values and of the series that ends highest.
    """
    rows = [[v for v in row if v is not None] for row in table.values]
    rows = [row for row in rows if row]
    if table.over_time and table.facts.newest_first:
        rows = [row[::-1] for row in rows]
    if len(rows) > _SERIES_WITH_OWN_KEYS:
        rows = [max(rows, key=lambda row: row[-1]), [v for row in rows for v in row]]
        ends = rows[:1]
    else:
        ends = rows
    found = [value for row in rows for value in (max(row), min(row))]
    if table.over_time:
        found += [value for row in ends for value in (row[0], row[-1])]
    return list(dict.fromkeys(found))


def _support(mention: NumberMention, table: ChartTable) -> Support:
    facts = table.facts
    if mention.kind == "year":
        if mention.value in facts.label_numbers or (
            facts.years and facts.years[0] < mention.value + mention.place and mention.value <= facts.years[1]
        ):
            return "label"
        return "value" if not table.over_time and facts.has("value", mention.value, mention.value) else "none"
    if mention.kind == "span":
        # Where the chart has no years, nothing says how long it lasts.
        return (
            "label" if not facts.years or mention.value in facts.year_spans or mention.value <= 1 else "none"
        )
    if mention.kind == "fraction":
        return _first(facts, _fraction_kinds(table, mention))
    if mention.kind == "multiple":
        low, high = _bounds(mention, mention.value * _MULTIPLE)
        # "Over double" reaches far towards "three times", and "almost tripled" back.
        low = min(low, mention.value * _NEARLY) if mention.hedge == "under" else low
        high = max(high, mention.value * _MORE_THAN) if mention.hedge == "over" else high
        return _first(facts, [("ratio", low, high)])
    if mention.kind == "number" and not mention.scaled and mention.value in facts.label_numbers:
        return "value" if facts.has("value", mention.value, mention.value) else "label"
    low, high = _bounds(mention, _rounding(mention))
    kinds: list[tuple[Support, float, float]] = []
    if mention.kind == "number" or table.percent:
        for scale in dict.fromkeys((1.0, table.scale) if mention.kind == "number" else (1.0,)):
            span = low / scale, high / scale
            kinds.append(("value", *span))
            kinds += [("difference", *span)] if mention.compared else []
            kinds += [("total", *span)] if mention.summed else []
    if mention.kind == "percent":
        kinds += [("change", low, high)] if mention.compared or not table.percent else []
        kinds += [] if table.percent else [("share", low, high)]
    elif not mention.scaled and mention.value == int(mention.value):
        kinds.append(("count", mention.value, mention.value))
    return _first(facts, kinds)


def _first(facts: Facts, kinds: Iterable[tuple[Support, float, float]]) -> Support:
    return next((kind for kind, low, high in kinds if facts.has(kind, low, high)), "none")


def _fraction_kinds(table: ChartTable, mention: NumberMention) -> Iterator[tuple[Support, float, float]]:
    low, high = _bounds(mention, _FRACTION)
    if table.percent:
        for kind in ("value", "total", "difference"):
            yield kind, 100 * low, 100 * high
    yield "share", 100 * low, 100 * high
    yield "ratio", low, high
    yield "change", 100 * low, 100 * high


def _is_value(mention: NumberMention, value: float, table: ChartTable) -> bool:
    low, high = _bounds(mention, _rounding(mention))
    own = abs(value)
    if mention.kind == "percent" and not table.percent:
        return False
    scales = (1.0, table.scale) if mention.kind == "number" else (1.0,)
    return any(low - 1e-9 <= own * scale <= high + 1e-9 for scale in scales)


def _rounding(mention: NumberMention) -> float:
    """Half a unit of the last place that is shown; of a number that ends in zeros at most 2% of it."""
    value, place = mention.value, mention.place
    if place >= 1 and value >= 10 * place:
        place *= 10.0 ** _zeros(round(value / place))
        return max(min(place / 2, _ROUND * value), mention.place / 2)
    return place / 2


def _zeros(whole: int) -> int:
    digits = str(whole)
    return len(digits) - len(digits.rstrip("0"))


def _bounds(mention: NumberMention, tolerance: float) -> tuple[float, float]:
    """From where to where the true number may lie."""
    value = mention.value
    if mention.hedge == "about":
        tolerance = max(tolerance, _ABOUT * value)
    if mention.hedge == "over":
        return value - tolerance, value + max(tolerance, _OVER * value, mention.place)
    if mention.hedge == "under":
        return value - max(tolerance, _OVER * value, mention.place), value + tolerance
    return value - tolerance, value + tolerance


def _pairs(line: Sequence[float | None]) -> list[tuple[float, float]]:
    """Pairs that a writer may compare: all of a short series or label, else neighbours and extremes."""
    if len(line) <= _ALL_PAIRS_UP_TO:
        return _all_pairs(line)
    values = [v for v in line if v is not None]
    if len(values) < 2:
        return []
    ends = {0, len(values) - 1, values.index(max(values)), values.index(min(values))}
    chosen = {(i, i + 1) for i in range(len(values) - 1)}
    chosen |= {(min(i, j), max(i, j)) for i in ends for j in range(len(values)) if i != j}
    return [(values[i], values[j]) for i, j in sorted(chosen)]


def _all_pairs(line: Sequence[float | None]) -> list[tuple[float, float]]:
    return list(combinations([v for v in line if v is not None], 2))
