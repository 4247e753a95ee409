"""Which examples meet in a step: all of them equally often, the same ones however a step is laid out."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.batch_order import MicroBatches, Schedule

LENGTHS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 7), st.integers(0, 3), st.booleans())
def test_steps_are_full_and_every_example_comes_equally_often(
    lengths: list[tuple[int, int]], size: int, seed: int, grouped: bool
) -> None:
    # As many steps as make whole windows and whole passes.
    steps = 32 * len(lengths)
    schedule = Schedule(lengths, size=size, steps=steps, seed=seed, grouped=grouped)

    taken = [schedule.step(number).tolist() for number in range(steps)]

    assert {len(step) for step in taken} == {size}
    counts = Counter(place for step in taken for place in step)
    assert set(counts) == set(range(len(lengths)))
    assert set(counts.values()) == {steps * size // len(lengths)}


@given(LENGTHS, st.integers(1, 6), st.integers(0, 80), st.booleans())
def test_a_schedule_entered_later_goes_on_as_it_would_have(
    lengths: list[tuple[int, int]], size: int, first: int, grouped: bool
) -> None:
    def schedule() -> Schedule:
        return Schedule(lengths, size=size, steps=90, seed=5, grouped=grouped)

    whole = [step.tolist() for step in schedule().from_step(0)]

    assert [step.tolist() for step in schedule().from_step(first)] == whole[first:]


def test_micro_batches_hold_the_same_examples_in_the_same_order() -> None:
    schedule = Schedule([(1, n % 7) for n in range(40)], size=8, steps=6, seed=1, grouped=True)

    whole = list(MicroBatches(schedule, 8))
    quarters = list(MicroBatches(schedule, 2))

    assert len(MicroBatches(schedule, 2)) == len(quarters) == 24
    joined = [list(chain(*quarters[start : start + 4])) for start in range(0, 24, 4)]
    assert joined == whole


def test_grouped_steps_pad_less_and_seeds_differ() -> None:
    lengths = [(1, 10 + 7 * n % 101) for n in range(512)]

    def padding(grouped: bool) -> int:
        schedule = Schedule(lengths, size=16, steps=32, seed=0, grouped=grouped)
        steps = [[lengths[at][1] for at in step] for step in schedule.from_step(0)]
        return sum(max(step) * len(step) - sum(step) for step in steps)

    def first(seed: int) -> list[int]:
        return Schedule(lengths, size=16, steps=1, seed=seed, grouped=True).step(0).tolist()

    assert padding(True) < padding(False) / 5
    assert first(0) == first(0) != first(1)


def test_no_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="no examples"):
        Schedule([], size=1, steps=1, seed=0, grouped=False)
