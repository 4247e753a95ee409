"""A small sentence grammar: endless short stories about people, things and numbers.

Every text is one to four sentences about one scene, so texts of a scene share words (which gives word
clouds their large words) while names, numbers and turns of phrase keep the texts themselves distinct.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Scene:
    """What may be named together: where it happens, what is handled, and what it is kept in."""

    places: tuple[str, ...]
    things: tuple[str, ...]
    holders: tuple[str, ...]
    people: tuple[str, ...]


def _scene(places: str, things: str, holders: str, people: str) -> Scene:
    return Scene(tuple(places.split()), tuple(things.split()), tuple(holders.split()), tuple(people.split()))


SCENES = (
    _scene("orchard meadow", "apples cherries plums walnuts", "baskets ladders", "farmer picker"),
    _scene("harbour pier", "herrings oysters anchors ropes", "nets barrels", "sailor captain"),
    _scene("bakery kitchen", "muffins loaves pretzels biscuits", "trays tins", "baker apprentice"),
    _scene("library archive", "novels atlases journals maps", "shelves carts", "librarian scholar"),
    _scene("workshop garage", "hammers screws wrenches planks", "drawers boxes", "carpenter mechanic"),
    _scene("greenhouse garden", "tulips ferns orchids seedlings", "pots benches", "gardener florist"),
    _scene("stadium gym", "jerseys whistles trophies helmets", "lockers bags", "coach referee"),
    _scene("theatre studio", "masks costumes lanterns scripts", "trunks racks", "actor director"),
    _scene("museum gallery", "statues fossils paintings coins", "cabinets crates", "curator guide"),
    _scene("station depot", "tickets timetables signals wagons", "platforms sheds", "conductor porter"),
    _scene("clinic pharmacy", "bandages tablets syringes gloves", "cupboards kits", "nurse doctor"),
    _scene("laboratory classroom", "beakers magnets lenses batteries", "tables cases", "chemist teacher"),
    _scene("camp forest", "tents compasses torches blankets", "rucksacks cabins", "ranger scout"),
    _scene("dairy farmyard", "cheeses eggs pumpkins turnips", "buckets carts", "milker shepherd"),
    _scene("market bazaar", "scarves candles spices lamps", "stalls sacks", "merchant weaver"),
    _scene("observatory rooftop", "telescopes charts mirrors cameras", "tripods desks", "astronomer pilot"),
    _scene("bookshop newsroom", "postcards magazines stamps notebooks", "stacks parcels", "printer editor"),
    _scene("aquarium lagoon", "turtles corals seahorses shells", "tanks pools", "diver keeper"),
)

PEOPLE = tuple(
    """
    Amara Bashir Chiara Dmitri Eilidh Farouk Greta Hiroshi Ingrid Joaquin Katya Lorenzo Mireille Nikhil
    Oksana Piotr Quentin Rosalind Sunniva Tomas Ursula Viktor Wanjiku Xavier Yasmin Zoltan Anneke Benedikt
    Corinna Delphine Emeka Fiona Gustavo Helmi Isabeau Jarek Keiko Leopold Marisol Nadia Orsolya Pavel
    Ragnar Soledad
    """.split()  # noqa: SIM905 - a list of quoted names would be harder to read
)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

OPENINGS = (
    "{who} carried {n} {a} and {m} {b} to the {place}.",
    "On {day} the {role} at the {place} counted {n} {a}, {m} {b} and {p} {c}.",
    "{who} sold {n} {a} near the {place} and kept {m} for {other}.",
    "There were {n} {a} in the {place}, and {who} brought {m} more {a} before noon.",
    "The {role} packed {n} {a} into {p} {holder} beside the {b}.",
    "{who} and {other} shared {n} {a} and {m} {b} after leaving the {place}.",
    "Each of the {p} {holder} in the {place} held {n} {a} and {m} {b}.",
    "{who} needed {n} {a} by {day} but found only {m} {a} among the {b}.",
    "Last {day} {who} traded {n} {a} for {m} {b} with the {role}.",
    "The {place} received {n} {a}, twice as many {b}, and {p} {holder} of {c}.",
)

MIDDLES = (
    "Later {other} lost {p} {a} but repaired {m} {b}.",
    "The {role} then sorted the {a} from the {b}, filling {p} {holder}.",
    "{other} paid {n} coins for the {a} and {m} for the {b}.",
    "By {day} only {p} {a} remained in the {holder} of the {place}.",
    "{who} gave half of the {b} and {p} of the {c} to {other}.",
    "Another {n} {c} arrived with the {role} from the {place}.",
    "Some {holder} broke, so {p} {a} and {m} {c} were thrown away.",
    "{other} arranged the {b} in {p} rows of {m}, next to the {a}.",
    "Every {day} the {role} checks {m} {a} and replaces {p} {b}.",
    "Two visitors borrowed {m} {c} and returned {p} {a} instead.",
)

ENDINGS = (
    "How many {a} are left in the {place}?",
    "How many {a} and {b} does {who} own altogether?",
    "What did the {role} earn if all the {b} were sold?",
    "How many {holder} does {other} still need for the {a}?",
    "Who has more {b}, {who} or {other}?",
    "In the end nobody wanted the {c}.",
    "The {role} wrote the number of {a} on a board and went home.",
    "That left {p} {b} for every visitor of the {place}.",
)


def text(rng: Random) -> str:
    """One text of one to four sentences (about 60 to 300 characters), drawn from `rng` alone."""
    scene = rng.choice(SCENES)
    who, other = rng.sample(PEOPLE, 2)
    length = rng.choice((1, 2, 3, 3, 4))
    sentences = [rng.choice(OPENINGS)]
    sentences += rng.sample(MIDDLES, max(0, length - 2))
    if length > 1:
        sentences.append(rng.choice(ENDINGS))
    a, b, c = rng.sample(scene.things, 3)
    words = {
        "who": who,
        "other": other,
        "a": a,
        "b": b,
        "c": c,
        "place": rng.choice(scene.places),
        "holder": rng.choice(scene.holders),
        "role": rng.choice(scene.people),
        "day": rng.choice(DAYS),
    }
    return " ".join(
        sentence.format(n=rng.randint(12, 98), m=rng.randint(3, 40), p=rng.randint(2, 11), **words)
        for sentence in sentences
    )
