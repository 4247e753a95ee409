"""What the gate says of models whose true difference is known: false alarms, power, wrong passes.

    .venv/bin/python benchmarks/gate.py [--rounds 10000]

Each round draws one comparison and asks `results.compared.comparison.verdict`, as `bench compare` does.
Questions flip with a chance of `flips`; those of one picture all flip one way (strong clusters) or each its
own way.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from results.compared.comparison import difference_verdict
from results.numbers.intervals import holm
from results.numbers.paired import paired_difference
from results.numbers.power import detectable_difference

ALPHA = 0.05


@dataclass(frozen=True)
class World:
    """pictures, questions on each, chance that a question's score flips, whether a picture's flip as one."""

    pictures: int
    questions: int
    flips: float
    strong: bool

    @property
    def name(self) -> str:
        way = "one way" if self.strong else "each its own"
        clusters = f"{self.pictures} × {self.questions}, {way}" if self.questions > 1 else f"{self.pictures}"
        return f"{clusters} | {100 * self.flips:.0f}%"

    def error(self, difference: float) -> float:
        """The true standard error of the mean difference."""
        k, q = self.questions, self.flips
        square = k * q * (1 - q) + (k * q) ** 2 if self.strong else k * q + k * (k - 1) * difference**2
        return math.sqrt((square - (k * difference) ** 2) / self.pictures) / k

    def drawn(self, difference: float, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
        """One comparison: scores of base and candidate, and the picture of each question."""
        shape = (self.pictures, self.questions)
        up = 0.5 + difference / (2 * self.flips)
        way = generator.random((self.pictures, 1) if self.strong else shape) < up
        flipped = generator.random(shape) < self.flips
        right = generator.random(shape) < 0.7
        base = np.where(flipped, ~way, right)
        candidate = np.where(flipped, way, right)
        pictures = np.repeat(np.arange(self.pictures), self.questions)
        return base.ravel().astype(float), candidate.ravel().astype(float), pictures


WORLDS = (
    World(60, 1, 0.2, False),
    World(60, 1, 0.4, False),
    World(272, 1, 0.1, False),
    World(272, 1, 0.3, False),
    World(2017, 1, 0.05, False),
    World(2017, 1, 0.3, False),
    World(10, 8, 0.3, True),
    World(20, 8, 0.2, True),
    World(40, 8, 0.2, False),
    World(40, 8, 0.2, True),
    World(250, 8, 0.2, True),
)


def verdicts(
    world: World, difference: float, margin: float, rounds: int, seed: int
) -> tuple[Counter[str], float, float]:
    """How often each verdict is given, how often the exact p is under α, how often the interval is right."""
    generator = np.random.default_rng(seed)
    said: Counter[str] = Counter()
    exact = covered = 0
    for number in range(rounds):
        found = paired_difference(*world.drawn(difference, generator), seed=number)
        said[difference_verdict(found, found.p, margin, ALPHA)] += 1
        exact += found.test.exact < ALPHA
        covered += found.low <= difference <= found.high
    return said, exact / rounds, covered / rounds


def detectable(world: World) -> float:
    """The difference that this world's n finds with 80% power.

    Its error falls as it grows, so half steps: whole ones jump to and fro where pictures are few.
    """
    difference = 0.0
    for _ in range(60):
        difference += (detectable_difference(world.error(difference), world.pictures, ALPHA) - difference) / 2
    return difference


def family(tasks: int, rounds: int) -> float:
    """How often any of several equal tasks is called different."""
    generator = np.random.default_rng(3)
    world = World(40, 8, 0.2, True)
    alarms = 0
    for number in range(rounds):
        p = [paired_difference(*world.drawn(0.0, generator), seed=number).p for _ in range(tasks)]
        alarms += min(holm(p)) < ALPHA
    return alarms / rounds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10_000)
    rounds = parser.parse_args().rounds
    started = time.perf_counter()
    spread = 196 * math.sqrt(ALPHA * (1 - ALPHA) / rounds)
    print(f"{rounds} rounds; 5% has a Monte-Carlo error of ±{spread:.2f} points\n")
    print("| pictures × questions | flips | false alarms | of them regressed | by the exact p | covered |")
    print("|---|---|---|---|---|---|")
    for world in WORLDS:
        # Without a margin that anything could be within, what is left is the test of a difference.
        said, exact, covered = verdicts(world, 0.0, -1.0, rounds, 1)
        alarms = (said["improved"] + said["regressed"]) / rounds
        print(
            f"| {world.name} | {100 * alarms:.2f}% | {100 * said['regressed'] / rounds:.2f}% "
            f"| {100 * exact:.2f}% | {100 * covered:.2f}% |",
            flush=True,
        )
    print("\n| pictures × questions | flips | detectable, points | found | wrong passes, loss = margin |")
    print("|---|---|---|---|---|")
    for world in WORLDS:
        size = detectable(world)
        said, _, _ = verdicts(world, -size, 0.0, rounds, 2)
        found = said["regressed"] / rounds
        margin = size / 2
        said, _, _ = verdicts(world, -margin, margin, rounds, 4)
        passes = (said["not worse"] + said["improved"]) / rounds
        print(
            f"| {world.name} | {100 * size:.1f} | {100 * found:.1f}% | {100 * passes:.2f}% |",
            flush=True,
        )
    print(f"\nfive equal tasks, Holm: some difference seen in {100 * family(5, rounds // 2):.2f}%")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
