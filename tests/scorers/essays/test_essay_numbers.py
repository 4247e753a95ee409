"""Numbers as essays write them, and whether a chart supports them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.essays.essay_numbers import ChartTable, check_numbers, key_values
from scorers.essays.number_mentions import number_mentions

PIES = ChartTable(
    "Sources of electricity in Brenn, 1998 and 2018",
    "%",
    ("Coal", "Gas", "Nuclear", "Water", "Wind"),
    ("1998", "2018"),
    ((46, 24, 18, 9, 3), (15, 31, 16, 12, 26)),
)
PORTS = ChartTable(
    "Container traffic in Japan in 2012 (in TEUs)",
    "",
    ("Tokyo", "Yokohama", "Nagoya"),
    ("Volume",),
    ((4751653.0, 3052775.0, 2655225.0),),
)
VISITS = ChartTable(
    "Visits in three countries, 1990 to 2010",
    "million",
    ("1990", "2000", "2010"),
    ("Norway", "Peru"),
    ((2.4, 4.8, 3.6), (10.0, 7.5, 5.0)),
)


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("It rose to 1,234.5.", [("number", 1234.5)]),
        ("from 12% to 15 per cent", [("percent", 12.0), ("percent", 15.0)]),
        ("up 3 percentage points", [("percent", 3.0)]),
        ("twelve percent, twenty-five per cent", [("percent", 12.0), ("percent", 25.0)]),
        ("1.5 million and 3m and 40k and 2bn", [("number", n) for n in (1.5e6, 3e6, 4e4, 2e9)]),
        ("two million", [("number", 2e6)]),
        ("$904.7 million", [("number", 904.7e6)]),
        ("18 000 people", [("number", 18000.0)]),
        ("in 1995, the 1990s and mid-2010", [("year", 1995.0), ("year", 1990.0), ("year", 2010.0)]),
        ("1990-2000 and 10–20%", [("year", 1990.0), ("year", 2000.0), ("number", 10.0), ("percent", 20.0)]),
        ("$1995 and 1995%", [("number", 1995.0), ("percent", 1995.0)]),
        ("10 years later", [("span", 10.0)]),
        ("a third of it, two-thirds, three quarters", [("fraction", n) for n in (1 / 3, 2 / 3, 0.75)]),
        ("half of them", [("fraction", 0.5)]),
        ("one in five, nine-in-ten", [("fraction", 0.2), ("fraction", 0.9)]),
        ("doubled, tripled, halved, twice", [("multiple", n) for n in (2.0, 3.0, 0.5, 2.0)]),
        ("three times as many, 2x, 4-fold", [("multiple", n) for n in (3.0, 2.0, 4.0)]),
        ("-3.24%", [("percent", 3.24)]),
        ("18-29-year-olds", [("number", 18.0), ("number", 29.0)]),
        # What is no mention
        ("COVID-19, 5G, G7, the 1st and 2nd", []),
        ("Figure 2 and Table 3", []),
        ("1. Coal\n2) Gas", []),
        ("a third country came third", []),
        ("in the second half of the decade", []),
        ("four countries and three cities", []),
        ("double-digit", []),
        ("", []),
    ],
)
def test_numbers_as_they_are_written(text: str, mentions: list[tuple[str, float]]) -> None:
    assert [(m.kind, pytest.approx(m.value)) for m in number_mentions(text)] == mentions


@pytest.mark.parametrize(
    ("text", "table", "support"),
    [
        ("Coal had 46%", PIES, "value"),
        ("Coal had 46.0 percent", PIES, "value"),
        ("Coal had 46", PIES, "value"),
        ("about 45%", PIES, "value"),
        ("just over 45%", PIES, "value"),
        ("nearly 50%", PIES, "value"),
        ("Wind won 23 percentage points", PIES, "difference"),
        ("Coal and gas together had 70%", PIES, "total"),
        ("Nuclear power had 70%", PIES, "none"),
        ("Wind grew by 23%", PIES, "difference"),
        ("Wind had 23%", PIES, "none"),
        ("22 percentage points ahead of gas", PIES, "difference"),
        ("a gap of 43%", PIES, "difference"),
        ("half of it", PIES, "total"),
        ("a third of it", PIES, "value"),
        ("a fall of 67%", PIES, "change"),
        ("three times as much", PIES, "ratio"),
        ("the 3 ports", PORTS, "count"),
        ("Coal had 99%", PIES, "none"),
        ("Coal had 46.4%", PIES, "none"),
        ("in 2025", PIES, "none"),
        ("4.75 million", PORTS, "value"),
        ("4,751,653 TEUs", PORTS, "value"),
        ("over 4.7 million", PORTS, "value"),
        ("about 9 million", PORTS, "none"),
        ("10,459,653 in all", PORTS, "total"),
        ("45% of all", PORTS, "share"),
        ("4.8 million visits", VISITS, "value"),
        ("4.8 visits", VISITS, "value"),
        ("it doubled", VISITS, "ratio"),
        ("a rise of 100%", VISITS, "change"),
        ("4.8 billion", VISITS, "none"),
        ("4.8%", VISITS, "none"),
    ],
)
def test_what_supports_a_number(text: str, table: ChartTable, support: str) -> None:
    [(_, found)] = check_numbers(text, table).claims
    assert found == support


@pytest.mark.parametrize(
    "text", ["in 1998 and 2018", "from 1998 to 2005", "20 years later", "1990s and 2000s"]
)
def test_years_that_the_chart_has_are_no_claims(text: str) -> None:
    assert check_numbers(text, PIES).claims == ()


def test_the_shares_of_an_essay() -> None:
    found = check_numbers("Coal fell from 46% in 1998 to 15%, gas had 99%, wind 3%.", PIES)
    assert found.faithful == 0.75
    assert found.unsupported == ("99%",)
    # 46 and 3 of 1998; 31 and 12 of 2018 are missing
    assert key_values(PIES) == [46.0, 3.0, 31.0, 12.0]
    assert found.key_values == 0.5


def test_an_essay_without_a_number_supports_nothing() -> None:
    found = check_numbers("Coal was important.", PIES)
    assert (found.faithful, found.key_values, found.claims) == (0.0, 0.0, ())


def test_over_time_the_ends_are_key_values_too() -> None:
    assert key_values(VISITS) == [4.8, 2.4, 10.0, 5.0, 3.6]


def test_of_many_series_the_extremes_and_the_leader_are_key_values() -> None:
    rows = tuple((float(n), float(n + 10)) for n in range(8))
    table = ChartTable("T, 2000 to 2001", "%", ("2000", "2001"), tuple("abcdefgh"), rows)
    assert key_values(table) == [17.0, 7.0, 0.0]


def test_markers_are_no_numbers() -> None:
    marked = "Step 1: What the chart shows\n\nCoal had 46%.\n\nParagraph 2:\nGas had 24%."
    assert [mention.text for mention, _ in check_numbers(marked, PIES).claims] == ["46%", "24%"]


def test_missing_values_are_left_out() -> None:
    table = ChartTable.of(
        json.dumps(
            {"title": "T", "unit": "%", "labels": ["a", "b"], "series": ["s"], "values": [[None, 4.0]]}
        )
    )
    assert check_numbers("4%", table).key_values == 1.0


def test_a_table_without_values_supports_nothing() -> None:
    table = ChartTable("T", "%", ("a",), ("s",), ((None,),))
    assert check_numbers("4%", table).faithful == 0.0


def test_the_numbers_of_other_charts_are_seldom_supported() -> None:
    """What a number of no relation reaches by chance, on a small chart."""
    others = " ".join(f"{n}%" for n in range(1, 100))
    supported = 1 - len(check_numbers(others, PIES).unsupported) / 99
    assert supported < 0.6


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789.,% -$kmx\n()thirdalfoneipcmy"), max_size=120))
def test_any_text_can_be_checked(text: str) -> None:
    found = check_numbers(text, PIES)
    assert 0 <= found.faithful <= 1 and 0 <= found.key_values <= 1


@pytest.mark.parametrize(
    "piece", ["9", "1,234", "1,000,000 ", "12.5% ", "twenty-five ", "1999-2005 ", " ", "half "]
)
def test_a_megabyte_takes_no_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    check_numbers(text, VISITS)
    assert time.process_time() - started < 1.0
