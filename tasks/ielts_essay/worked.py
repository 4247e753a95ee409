"""The solved examples that a teacher sees: two charts with essays for each type of chart, of our own writing.

Their places are invented and stand in no other chart, so an essay that names one has copied its example.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.ielts_essay.chart import Chart, ChartKind
from tasks.ielts_essay.essay import Essay


@dataclass(frozen=True)
class Example:
    """A chart, its essay, and the names that stand in no other chart."""

    chart: Chart
    essay: Essay
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """The chart's title."""
        return self.chart.title

    @cached_property
    def image(self) -> Path:
        """Its picture, drawn into the cache when it is not there."""
        from tasks.ielts_essay.pictures import draw_example

        return draw_example(self.chart)


def worked_examples(chart_type: str) -> tuple[Example, ...]:
    """The examples for a type of chart: bar, line, pie or table; ValueError for another."""
    found = tuple(example for example in EXAMPLES if example.chart.kind == chart_type)
    if not found:
        kinds = ", ".join(dict.fromkeys(example.chart.kind for example in EXAMPLES))
        raise ValueError(
            f"no worked examples for charts of the type {chart_type!r}; there are some for {kinds}"
        )
    return found


def _example(
    kind: ChartKind,
    title: str,
    unit: str,
    values: dict[str, tuple[float, ...]],
    labels: str,
    names: str,
    introduction: str,
    *body_and_overview: str,
    layout: str = "groups",
    decimals: int = 0,
) -> Example:
    *body, overview = body_and_overview
    chart = Chart(
        kind=kind,
        layout=layout,  # type: ignore[arg-type]
        title=title,
        subject=title,
        unit=unit,
        decimals=decimals,
        labels=tuple(labels.split("|")),
        series=tuple(values),
        values=tuple(values.values()),
    )
    return Example(chart, Essay(introduction, tuple(body), overview), tuple(names.split("|")))


EXAMPLES: tuple[Example, ...] = (
    _example(
        "bar",
        "Households with a bicycle in four towns, 2005 and 2020",
        "%",
        {"2005": (62, 48, 35, 21), "2020": (54, 63, 41, 38)},
        "Norvale|Eastmere|Tollbridge|Quarrow",
        "Norvale|Eastmere|Tollbridge|Quarrow",
        "The bar chart compares the proportion of households that owned a bicycle in four towns, Norvale, "
        "Eastmere, Tollbridge and Quarrow, in 2005 and in 2020.",
        "In 2005, bicycles were by far most common in Norvale, where 62% of households had at least one. "
        "Eastmere followed with 48%, while the figure for Tollbridge was 35%. Quarrow came last, with "
        "only 21% of its households owning a bicycle, which was roughly a third of the proportion seen in "
        "Norvale.",
        "Fifteen years later, the order had changed. Eastmere had gained 15 percentage points and stood "
        "at 63%, the highest level in either year. Norvale, by contrast, was the only town in which "
        "ownership declined, falling by 8 percentage points to 54%. Quarrow recorded the steepest rise, "
        "from 21% to 38%, and had almost caught up with Tollbridge, where the figure grew only moderately "
        "and reached 41%.",
        "Overall, ownership became more widespread in three of the four towns over the period. The gap "
        "between the town with the most bicycles and the one with the fewest narrowed considerably.",
    ),
    _example(
        "bar",
        "Visitors to six attractions on the Isle of Merrin, 2019",
        "thousand",
        {"": (340, 295, 180, 150, 90, 75)},
        "Lighthouse|Castle|Aquarium|Botanical garden|Mining museum|Steam railway",
        "Merrin",
        "The bar chart shows how many people visited six attractions on the Isle of Merrin in 2019. The "
        "figures are given in thousands.",
        "The lighthouse was the most popular sight on the island, with 340 thousand visitors. The castle "
        "came second, welcoming 295 thousand people, and no other attraction came close to these two. "
        "Taken together, they drew 635 thousand visitors, considerably more than the remaining four did.",
        "Next in line was the aquarium, which received 180 thousand visitors, 30 thousand more than the "
        "botanical garden, where the figure stood at 150 thousand. The mining museum attracted 90 "
        "thousand people, exactly half as many as the aquarium did. The steam railway was at the bottom "
        "of the list: its 75 thousand passengers were fewer than a quarter of the number who climbed the "
        "lighthouse.",
        "Overall, there was a wide gap between the two leading attractions and all the others. Historic "
        "buildings by the sea appealed to far more people than the museum and the railway, which were the "
        "least visited places on the island.",
    ),
    _example(
        "line",
        "Prices of bread, rice and potatoes in Velden, 2000 to 2020",
        "crowns per kilogram",
        {
            "Bread": (1.2, 1.6, 2.1, 2.9, 3.4),
            "Rice": (1.8, 1.7, 1.9, 2.2, 2.3),
            "Potatoes": (0.6, 0.9, 0.8, 0.7, 0.9),
        },
        "2000|2005|2010|2015|2020",
        "Velden",
        "The line graph illustrates how the prices of bread, rice and potatoes, measured in crowns per "
        "kilogram, developed in Velden between 2000 and 2020.",
        "At the start of the period, rice was the most expensive of the three, at 1.8 crowns per "
        "kilogram, whereas bread cost 1.2 crowns and potatoes only 0.6 crowns. The price of bread then "
        "climbed without interruption. It overtook that of rice by 2010, when it stood at 2.1 crowns, and "
        "reached 3.4 crowns in 2020, nearly three times its original level.",
        "Changes in the other two prices were far smaller. Rice dipped slightly to 1.7 crowns in 2005 "
        "before it recovered and rose gradually to 2.3 crowns at the end. Potatoes became dearer in the "
        "first five years, peaking at 0.9 crowns, fell back to 0.7 crowns by 2015 and then returned to "
        "their earlier peak.",
        "Overall, all three foods were more expensive in 2020 than two decades before, and bread saw by "
        "far the largest increase. Potatoes remained the cheapest food throughout.",
        layout="times",
        decimals=1,
    ),
    _example(
        "line",
        "Passengers on the ferries and night trains of Ostrand, 1990 to 2015",
        "million",
        {"Ferries": (8.4, 7.9, 6.1, 4.8, 4.2, 4.0), "Night trains": (2.1, 2.6, 3.5, 4.8, 5.9, 7.2)},
        "1990|1995|2000|2005|2010|2015",
        "Ostrand",
        "The line graph shows the number of passengers, in millions, who travelled by ferry and by night "
        "train in Ostrand from 1990 to 2015.",
        "In 1990, ferries carried 8.4 million passengers, exactly four times as many as the night trains, "
        "which had 2.1 million. From then on ferry traffic fell in every interval. The decline was "
        "steepest between 1995 and 2000, when the figure dropped from 7.9 million to 6.1 million, and it "
        "slowed down towards the end of the period, at 4.0 million.",
        "Night trains moved in the opposite direction. Their passenger numbers grew at an increasing "
        "pace, from 3.5 million in 2000 to 5.9 million ten years later. The two lines met in 2005, when "
        "both services carried 4.8 million people. By 2015, the trains had reached 7.2 million passengers "
        "and were 3.2 million ahead of the ferries.",
        "Overall, travellers turned away from ferries and towards night trains. By the end of the period, "
        "the trains were clearly the more popular of the two, although ferries had dominated at the "
        "beginning.",
        layout="times",
        decimals=1,
    ),
    _example(
        "pie",
        "Household spending in Carrowby by category, 2016",
        "%",
        {"": (34, 22, 17, 13, 8, 6)},
        "Housing|Food|Transport|Leisure|Clothing|Other",
        "Carrowby",
        "The pie chart shows how households in Carrowby divided their spending between six categories in "
        "2016.",
        "Housing was the largest item in the budget and accounted for 34% of all spending, a little more "
        "than a third. Food came second with 22%, so that these two necessities together made up 56% of "
        "the total. Transport was the third most important category, at 17%, which was exactly half of "
        "the share that went to housing.",
        "The remaining money was spread over smaller items. Households spent 13% of their budget on "
        "leisure, 4 percentage points less than on transport. Clothing took 8%, and only 6% was used for "
        "all other purposes. Even when they are combined, clothing and other goods amounted to 14%, which "
        "was hardly more than the proportion that was set aside for leisure alone.",
        "Overall, more than half of all spending went on housing and food, while clothing played only a "
        "minor part. The shares became steadily smaller from necessities to items that people can more "
        "easily do without.",
        layout="parts",
    ),
    _example(
        "pie",
        "Sources of electricity in Lower Brenn, 1998 and 2018",
        "%",
        {"1998": (46, 24, 18, 9, 3), "2018": (15, 31, 16, 12, 26)},
        "Coal|Gas|Nuclear|Water|Wind",
        "Lower Brenn|Brenn",
        "The two pie charts compare the sources from which Lower Brenn obtained its electricity in 1998 "
        "and in 2018.",
        "In 1998, coal was the dominant source and provided 46% of all electricity, nearly twice as much "
        "as gas, which came second with 24%. Nuclear power contributed 18%, and water another 9%. Wind "
        "played almost no part at that time, since it supplied only 3% of the total.",
        "Twenty years later, the picture was very different. The share of coal had shrunk to 15%, a drop "
        "of 31 percentage points, and gas had become the most important source, at 31%. The most striking "
        "change was the growth of wind power, which rose from 3% to 26% and moved into second place. "
        "Water also gained a little and reached 12%, whereas the proportion of nuclear power fell "
        "slightly to 16%.",
        "Overall, Lower Brenn replaced most of its coal with wind and gas over the period. Nuclear power "
        "and water changed much less than the other sources did.",
        layout="parts",
    ),
    _example(
        "table",
        "Average journey to work in four cities by means of transport",
        "minutes",
        {
            "Car": (38, 27, 44, 21),
            "Bus": (52, 35, 61, 29),
            "Bicycle": (24, 19, 30, 16),
            "On foot": (18, 15, 22, 12),
        },
        "Port Alder|Highmoor|Linsey|Stroma",
        "Port Alder|Alder|Highmoor|Linsey|Stroma",
        "The table gives the average length of a journey to work, in minutes, by four means of transport "
        "in the cities of Port Alder, Highmoor, Linsey and Stroma.",
        "Commuters in Linsey spent the most time travelling, whichever way they went. A journey by bus "
        "took 61 minutes there, the longest figure in the table, and drivers needed 44 minutes. Port "
        "Alder came second, with 52 minutes by bus and 38 minutes by car. In Highmoor the same trips were "
        "much shorter, at 35 and 27 minutes.",
        "Stroma had the shortest journeys in every column. Its bus passengers arrived after 29 minutes, "
        "less than half the time that was usual in Linsey, and people who walked needed just 12 minutes. "
        "Cycling to work took between 16 minutes in Stroma and 30 minutes in Linsey, while the longest "
        "average walk, also in Linsey, lasted 22 minutes.",
        "Overall, journeys by bus were the longest and those on foot the shortest in all four cities. The "
        "ranking of the cities was the same for each means of transport.",
    ),
    _example(
        "table",
        "Members of sports clubs in Aldermark, 2000 to 2015",
        "thousand",
        {
            "Football": (120, 135, 128, 140),
            "Swimming": (64, 70, 77, 88),
            "Tennis": (45, 39, 31, 24),
            "Climbing": (4, 9, 18, 36),
        },
        "2000|2005|2010|2015",
        "Aldermark",
        "The table shows the membership of clubs for four sports in Aldermark, in thousands, at intervals "
        "of five years from 2000 to 2015.",
        "Football had the largest number of members throughout. The figure rose from 120 thousand to 135 "
        "thousand in the first five years, dropped to 128 thousand in 2010 and ended at 140 thousand. "
        "Swimming clubs grew more evenly: they began with 64 thousand members and gained a further 24 "
        "thousand by 2015, when they stood at 88 thousand.",
        "The other two sports developed in opposite directions. Tennis lost members in every interval and "
        "went down from 45 thousand in 2000 to 24 thousand in 2015. Climbing, on the other hand, started "
        "with only 4 thousand members and doubled from 2005 to 2010, and again from 2010 to 2015, when it "
        "reached 36 thousand and was well ahead of tennis.",
        "Overall, three of the four sports attracted more people at the end of the period than at its "
        "start, and climbing expanded fastest. Tennis was the only one to decline.",
        layout="times",
    ),
)
"""All of them, two for each type of chart."""
