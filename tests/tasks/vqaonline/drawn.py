"""A small VQAonline of our own, in the layout of the published one: drawn pictures, written texts."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, ImageDraw

QUESTIONS = [
    (
        "How many sides has this shape?",
        "I drew it in class.",
        "It has {n} sides; count corners.",
        "maths",
    ),
    ("Is this loaf done?", "", "Tap it: a hollow sound says that it is done, after {n} minutes.", "cooking"),
    ("Which way does the arrow go?", "Seen from a train.", "To the right, about {n} degrees up.", "travel"),
]


def draw(folder: Path, rows: int = 12, split: str = "test") -> Path:
    """Rows over pictures in two folders; every fourth row shows the picture before it."""
    written = []
    for number in range(rows):
        question, context, answer, topic = QUESTIONS[number % len(QUESTIONS)]
        name = f"{topic}_{number - (number % 4 == 3)}.png"
        home = folder / f"images{1 + number % 2}"
        home.mkdir(parents=True, exist_ok=True)
        if number % 4 != 3:
            picture = Image.new("RGB", (96, 64), "white")
            ImageDraw.Draw(picture).regular_polygon((48, 32, 24), 3 + number % 6, fill="navy")
            picture.save(home / name)
        else:
            name = written[-1]["image"]
        written.append(
            {
                "question": f" {question}\n",
                "context": context,
                "answer": answer.format(n=number),
                "image": name,
                "topic": topic,
                "url": f"https://{topic}.example/{number}",
            }
        )
    (folder / f"{split}.json").write_text(json.dumps(written), encoding="utf-8")
    return folder
