"""What the gate says of models whose difference is known: a small run of benchmarks/gate.py."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def gate() -> ModuleType:
    file = Path(__file__).parents[3] / "benchmarks" / "gate.py"
    spec = importlib.util.spec_from_file_location("gate_benchmark", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def spread(rate: float, rounds: int) -> float:
    """Three standard errors of a simulated rate."""
    return 3 * math.sqrt(rate * (1 - rate) / rounds)


@pytest.mark.parametrize(
    ("pictures", "questions", "strong"), [(60, 1, False), (272, 1, False), (40, 8, True)]
)
def test_equal_models_raise_the_alarm_in_five_percent(
    gate: ModuleType, pictures: int, questions: int, strong: bool
) -> None:
    rounds = 400
    said, _, covered = gate.verdicts(gate.World(pictures, questions, 0.3, strong), 0.0, -1.0, rounds, seed=11)
    alarms = (said["improved"] + said["regressed"]) / rounds
    assert 0.01 < alarms < 0.05 + spread(0.05, rounds)
    assert covered > 0.95 - spread(0.05, rounds)


def test_questions_of_one_picture_must_not_count_as_independent(gate: ModuleType) -> None:
    """The mistake that the clusters are there for: the same data, each question its own cluster."""
    import numpy as np

    from results.numbers.paired import paired_difference

    world, generator = gate.World(40, 8, 0.3, True), np.random.default_rng(5)
    drawn = [world.drawn(0.0, generator) for _ in range(300)]
    wrong = sum(paired_difference(base, after, range(320)).p < 0.05 for base, after, _ in drawn)
    assert wrong / 300 > 0.15


@pytest.mark.parametrize(("pictures", "questions", "strong"), [(272, 1, False), (60, 8, True)])
def test_the_detectable_difference_is_found_in_eighty_percent(
    gate: ModuleType, pictures: int, questions: int, strong: bool
) -> None:
    rounds, world = 300, gate.World(pictures, questions, 0.3, strong)
    said, _, _ = gate.verdicts(world, -gate.detectable(world), 0.0, rounds, seed=12)
    assert said["regressed"] / rounds == pytest.approx(0.8, abs=spread(0.8, rounds) + 0.02)


def test_a_loss_as_large_as_the_margin_rarely_passes(gate: ModuleType) -> None:
    rounds, world = 500, gate.World(272, 1, 0.2, False)
    said, _, _ = gate.verdicts(world, -0.04, 0.04, rounds, seed=13)
    assert (said["not worse"] + said["improved"]) / rounds < 0.025 + spread(0.025, rounds)
