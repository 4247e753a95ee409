"""A small ScienceQA of our own, drawn and written in the official layout: nine topics, three subjects.

Every split has maps, food webs, beakers, magnets, price tags and signs, and questions without a picture.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw

SIZE = (160, 120)
PER_TOPIC = {"train": 4, "val": 1, "test": 2}
REPEATED = "test-geography-0"
"""The test question that stands in the train split as well, picture and text."""
NEARLY = "test-biology-0"
"""The test question whose picture is one of the train split's, saved a little smaller."""

Question = dict[str, Any]
Maker = Callable[[Random], tuple[Question, Image.Image | None]]

_TOWNS = ("Arlen", "Bruck", "Calder", "Dorn", "Elmsby", "Farrow", "Gately", "Holm")
_EATERS = ("hawk", "owl", "fox", "snake", "heron", "otter")
_PLANTS = ("clover", "algae", "reed", "moss", "wheat", "fern")


def geography(rng: Random) -> tuple[Question, Image.Image]:
    """Four towns on a map with a compass rose; which is farthest north?"""
    towns = rng.sample(_TOWNS, 4)
    rows = rng.sample((15, 40, 65, 90), 4)
    image, draw = _canvas()
    for town, y in zip(towns, rows, strict=True):
        x = rng.randrange(10, 90)
        draw.ellipse((x, y, x + 5, y + 5), fill="black")
        draw.text((x + 8, y - 3), town, fill="black")
    draw.line((140, 30, 140, 70), fill="red")
    draw.text((136, 16), "N", fill="red")
    answer = rows.index(min(rows))
    return _question(
        "Which of these towns is farthest north?",
        towns,
        answer,
        solution=f"North is up. {towns[answer]} is nearest to the upper edge.",
        lecture="A compass rose shows which way is north.",
        grade=3,
    ), image


def us_history(rng: Random) -> tuple[Question, Image.Image]:
    """A land in two colours; which side held the river?"""
    split = rng.randrange(50, 110)
    river = rng.choice((20, 140))
    image, draw = _canvas()
    draw.rectangle((0, 0, split, 120), fill="khaki")
    draw.rectangle((split, 0, 160, 120), fill="lightgreen")
    draw.line((river, 0, river + rng.randrange(-9, 9), 120), fill="blue", width=4)
    names = [f"the {name} League" for name in rng.sample(("Ash", "Birch", "Cedar", "Oak"), 2)]
    draw.text((4, 100), names[0], fill="black")
    draw.text((split + 4, 4), names[1], fill="black")
    answer = int(river > split)
    return _question(
        "Which league's land had the river in it?",
        names,
        answer,
        hint=f"In {rng.randrange(1650, 1850)} two leagues shared the valley.",
        solution=f"The blue line crosses the land of {names[answer]}.",
        grade=8,
    ), image


def economics(rng: Random) -> tuple[Question, Image.Image]:
    """Price tags; which costs least?"""
    prices = rng.sample(range(2, 60), 3)
    goods = rng.sample(("rope", "lamp", "kite", "drum", "soap"), 3)
    image, draw = _canvas()
    for place, (item, price) in enumerate(zip(goods, prices, strict=True)):
        draw.rectangle((10 + 50 * place, 20, 50 + 50 * place, 90), outline="black", fill="white")
        draw.text((14 + 50 * place, 30), item, fill="black")
        draw.text((14 + 50 * place, 60), str(price), fill="darkred")
    answer = prices.index(min(prices))
    return _question(
        "Which costs least?", goods, answer, solution=f"{min(prices)} is the least.", grade=5
    ), image


def biology(rng: Random) -> tuple[Question, Image.Image]:
    """A food web of three; who eats the plant?"""
    plant, (first, second) = rng.choice(_PLANTS), rng.sample(_EATERS, 2)
    image, draw = _canvas()
    for name, place in ((plant, (60, 95)), (first, (10, 20)), (second, (105, 20))):
        draw.text(place, name, fill="darkgreen")
    eater = rng.randrange(2)
    ends = ((25, 35), (118, 35))
    draw.line(((75, 92), ends[eater]), fill="black", width=2)
    draw.line((ends[eater], ends[1 - eater]), fill="black", width=2)
    choices = [first, second, plant]
    return _question(
        f"Which of these eats the {plant}?",
        choices,
        eater,
        hint="In a food web a line goes from what is eaten to what eats it.",
        solution=f"The line from the {plant} ends at the {choices[eater]}.",
        lecture="Matter moves along the lines of a food web.",
        grade=7,
    ), image


def chemistry(rng: Random) -> tuple[Question, Image.Image]:
    """Two beakers with dots; which is more concentrated?"""
    left, right = rng.sample(range(3, 15), 2)
    image, draw = _canvas()
    for offset, count in ((10, left), (90, right)):
        draw.rectangle((offset, 30, offset + 55, 110), outline="navy", fill="lightcyan")
        for _ in range(count):
            x, y = rng.randrange(offset + 4, offset + 50), rng.randrange(36, 104)
            draw.ellipse((x, y, x + 4, y + 4), fill="purple")
    choices = ["Solution B", "Solution A", "neither; they are the same"]
    answer = 1 if left > right else 0
    return _question(
        "The left beaker holds Solution A, the right one Solution B. Which is more concentrated?",
        choices,
        answer,
        hint="Each dot is one particle of the solute.",
        solution=f"{max(left, right)} dots are more than {min(left, right)}.",
        grade=6,
    ), image


def physics(rng: Random) -> tuple[Question, Image.Image]:
    """Two magnets; do they attract?"""
    poles = [rng.choice(("NS", "SN")) for _ in range(2)]
    image, draw = _canvas()
    for offset, pole in ((15 + rng.randrange(10), poles[0]), (95 + rng.randrange(10), poles[1])):
        for part, name in enumerate(pole):
            x = offset + 25 * part
            draw.rectangle((x, 45, x + 25, 70), fill="tomato" if name == "N" else "lightblue")
            draw.text((x + 9, 52), name, fill="black")
    facing = poles[0][1] + poles[1][0]
    answer = int(facing in ("NN", "SS"))
    return _question(
        "Will these magnets attract or repel each other?",
        ["attract", "repel"],
        answer,
        hint=f"Two magnets lie {rng.randrange(2, 30)} cm apart.",
        solution=f"The poles that face each other are {facing}.",
        grade=4,
    ), image


def vocabulary(rng: Random) -> tuple[Question, Image.Image]:
    """A sign; which word is on it?"""
    words = rng.sample(("harbour", "orchard", "quarry", "chapel", "mill"), 3)
    answer = rng.randrange(3)
    image, draw = _canvas()
    draw.rectangle((20, 30, 140, 80), fill="darkgreen")
    draw.text((45 + rng.randrange(20), 48), words[answer], fill="white")
    return _question(
        "Which place does the sign name?", words, answer, solution="It is written there.", grade=2
    ), image


def grammar(rng: Random) -> tuple[Question, None]:
    """No picture, no context."""
    noun, verb = rng.choice(_EATERS), rng.choice(("sleeps", "runs", "waits", "sings"))
    return _question(
        f'Is "The {noun} {verb} in town {rng.randrange(100)}" a sentence or a fragment?',
        ["a sentence", "a fragment"],
        0,
        solution="It has a subject and a verb.",
        grade=4,
    ), None


def figurative_language(rng: Random) -> tuple[Question, None]:
    """A text context, no picture."""
    thing = rng.choice(("rope", "lamp", "kite", "drum"))
    return _question(
        "Which figure of speech is in this text?",
        ["a simile", "an oxymoron", "a hyperbole"],
        0,
        hint=f"He was as quiet as a {thing} in room {rng.randrange(1000)}.",
        solution='"As … as" compares two things.',
        grade=10,
    ), None


TOPICS: dict[str, tuple[str, Maker]] = {
    "geography": ("social science", geography),
    "us-history": ("social science", us_history),
    "economics": ("social science", economics),
    "biology": ("natural science", biology),
    "chemistry": ("natural science", chemistry),
    "physics": ("natural science", physics),
    "vocabulary": ("language science", vocabulary),
    "grammar": ("language science", grammar),
    "figurative-language": ("language science", figurative_language),
}


def write_scienceqa(folder: Path, seed: int = 5) -> Path:
    """Write problems.json, pid_splits.json and the pictures; returns the folder."""
    problems: dict[str, Question] = {}
    splits: dict[str, list[str]] = {split: [] for split in PER_TOPIC}
    for split, count in PER_TOPIC.items():
        for number in range(count):
            for topic, (subject, make) in TOPICS.items():
                pid = f"{split}-{topic}-{number}"
                source = "train-geography-1" if pid == REPEATED else pid
                question, image = make(Random(f"{seed}/{source}"))
                problems[pid] = {
                    **question,
                    "subject": subject,
                    "topic": topic,
                    "split": split,
                    "image": None,
                }
                splits[split].append(pid)
                if image is not None:
                    problems[pid]["image"] = "image.png"
                    file = folder / split / pid / "image.png"
                    file.parent.mkdir(parents=True)
                    image.save(file)
    nearly = Image.open(folder / "train" / "train-biology-2" / "image.png").resize((152, 114))
    nearly.save(folder / "test" / NEARLY / "image.png")
    (folder / "problems.json").write_text(json.dumps(problems))
    (folder / "pid_splits.json").write_text(json.dumps(splits))
    return folder


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", SIZE, "beige")
    return image, ImageDraw.Draw(image)


def _question(
    question: str,
    choices: list[str],
    answer: int,
    *,
    solution: str,
    grade: int,
    hint: str = "",
    lecture: str = "",
) -> Question:
    return {
        "question": question,
        "choices": choices,
        "answer": answer,
        "hint": hint,
        "task": "closed choice",
        "grade": f"grade{grade}",
        "category": "drawn for tests",
        "skill": question.split("?")[0],
        "lecture": lecture,
        "solution": solution,
    }
