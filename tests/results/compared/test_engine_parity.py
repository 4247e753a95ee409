"""Where two texts part, and how that is summed up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.compared.engine_parity import first_difference, position_summary


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [("abc", "abd", 3), ("abc", "xbc", 1), ("ab", "abc", 3), ("", "a", 1), ("abc", "abc", 4)],
)
def test_the_first_token_that_differs(one: str, other: str, place: int) -> None:
    assert first_difference(one, other) == first_difference(other, one) == place


def test_places_are_summed_up_in_doubling_bins() -> None:
    assert position_summary([]) is None
    assert position_summary([1, 2, 3, 4, 5, 9, 16]) == {
        "n": 7,
        "least": 1,
        "quartiles": [2, 4, 9],
        "most": 16,
        "counts": {"1": 1, "2": 1, "3–4": 2, "5–8": 1, "9–16": 2},
    }


@given(st.lists(st.integers(1, 5000), min_size=1))
def test_every_place_is_in_one_bin(places: list[int]) -> None:
    found = position_summary(places)
    assert found is not None and sum(found["counts"].values()) == len(places)
    low, _, high = found["quartiles"]
    assert found["least"] <= low <= np.median(places) <= high <= found["most"] or len(places) < 3
