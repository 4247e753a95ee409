"""What the built-in charts are about: subjects, places, categories and plausible numbers, all our own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """Something that is measured in places. heading: of a title; subject: inside a sentence."""

    heading: str
    subject: str
    unit: str
    low: float
    high: float
    decimals: int = 0


@dataclass(frozen=True)
class Whole:
    """Something that is divided into categories, in percent."""

    heading: str
    subject: str
    categories: tuple[str, ...]


PLACES = (
    "Argentina", "Austria", "Belgium", "Bolivia", "Botswana", "Bulgaria", "Canada", "Chile", "Croatia",
    "Cyprus", "Denmark", "Ecuador", "Estonia", "Fiji", "Finland", "Ghana", "Greece", "Hungary", "Iceland",
    "Indonesia", "Ireland", "Jamaica", "Japan", "Kenya", "Latvia", "Malaysia", "Malta", "Mexico", "Morocco",
    "Namibia", "Nepal", "Norway", "Oman", "Peru", "Poland", "Portugal", "Romania", "Senegal", "Slovenia",
    "Spain", "Sweden", "Thailand", "Tunisia", "Uruguay", "Vietnam", "Zambia",
)  # fmt: skip

MEASURES = (
    Measure("Households with internet access", "the share of households with internet access", "%", 4, 96),
    Measure("Household waste that is recycled", "the share of household waste that is recycled", "%", 3, 70),
    Measure("Adults who exercise every week", "the share of adults who exercise every week", "%", 18, 75),
    Measure("Electricity from renewable sources", "the share of renewable electricity", "%", 5, 90),
    Measure("Unemployment rate", "the unemployment rate", "%", 2, 19, 1),
    Measure("Land covered by forest", "the share of land that is covered by forest", "%", 9, 72, 1),
    Measure("Adults who smoke", "the share of adults who smoke", "%", 8, 46),
    Measure("Young people in higher education", "the share of young people in higher education", "%", 9, 78),
    Measure("Foreign visitors", "the number of foreign visitors", "million", 1, 38, 1),
    Measure("Rail passengers", "the number of rail passengers", "million", 12, 420),
    Measure("New electric cars", "the number of electric cars newly registered", "thousand", 2, 190),
    Measure(
        "Coffee consumption per person", "how much coffee the average person consumed", "kilograms", 1, 12, 1
    ),
    Measure("Daily water use per person", "how much water one person used in a day", "litres", 80, 390),
    Measure("Milk production", "the amount of milk produced on farms", "thousand tonnes", 90, 960),
    Measure("Fish caught at sea", "the amount of fish caught at sea", "thousand tonnes", 15, 620),
    Measure("Time spent reading per day", "the time that people spent reading every day", "minutes", 8, 74),
    Measure(
        "Average weekly working time", "how long employees worked in an average week", "hours", 29, 47, 1
    ),
    Measure(
        "Monthly rent for a two-room flat", "the average monthly rent for a two-room flat", "euros", 210, 1480
    ),
    Measure("Museum visits", "the number of visits to museums", "million", 1, 27, 1),
    Measure("Wheat harvest", "the size of the wheat harvest", "million tonnes", 2, 34, 1),
)

WHOLES = (
    Whole(
        "Household spending",
        "how households divided their spending",
        ("Housing", "Food", "Transport", "Leisure", "Clothing", "Health"),
    ),
    Whole(
        "Sources of electricity",
        "which sources electricity came from",
        ("Coal", "Gas", "Nuclear power", "Water", "Wind", "Solar power"),
    ),
    Whole(
        "Ways of travelling to work",
        "how employees travelled to work",
        ("Car", "Bus", "Train", "Bicycle", "Walking"),
    ),
    Whole(
        "Use of land",
        "what the land was used for",
        ("Farming", "Forests", "Housing", "Roads and railways", "Nature reserves"),
    ),
    Whole(
        "Foreign languages chosen by pupils",
        "which foreign languages pupils chose",
        ("English", "French", "German", "Spanish", "Russian", "Japanese"),
    ),
    Whole(
        "Main source of news for adults",
        "where adults got most of their news from",
        ("Television", "Radio", "Newspapers", "Websites", "Social media"),
    ),
    Whole(
        "Household waste by material",
        "which materials household waste consisted of",
        ("Food waste", "Paper", "Plastic", "Glass", "Metal", "Textiles"),
    ),
    Whole(
        "Employment by sector",
        "which sectors people were employed in",
        ("Farming", "Industry", "Trade", "Public services", "Tourism", "Construction"),
    ),
    Whole(
        "Purpose of journeys abroad",
        "why residents travelled abroad",
        ("Holidays", "Family visits", "Business", "Study", "Shopping"),
    ),
    Whole(
        "Goods exported by value",
        "which goods the country exported",
        ("Machinery", "Chemicals", "Food products", "Textiles", "Raw materials", "Vehicles"),
    ),
)

SPLITS_OF_PEOPLE = (
    ("Men", "Women"),
    ("Cities", "Villages"),
    ("Employees", "Pensioners"),
    ("Adults", "Teenagers"),
    ("Summer", "Winter"),
    ("Weekdays", "Weekends"),
)
"""Pairs of series for charts that compare groups."""

SHARED_BY_PEOPLE = (
    Measure("Regular library users", "the share of people who used a library regularly", "%", 8, 68),
    Measure("Daily newspaper readers", "the share of people who read a newspaper every day", "%", 6, 71),
    Measure("Members of a sports club", "the share of people who were members of a sports club", "%", 5, 58),
    Measure("Regular cyclists", "the share of people who cycled regularly", "%", 4, 66),
    Measure("Daily screen time", "how long people looked at screens every day", "minutes", 65, 410),
    Measure("Daily time outdoors", "how much time people spent outdoors every day", "minutes", 25, 240),
    Measure(
        "Monthly spending on eating out", "how much people spent on eating out in a month", "euros", 15, 230
    ),
    Measure("Cups of tea per week", "how many cups of tea people drank in a week", "cups", 2, 38),
)
"""What differs between such groups."""
