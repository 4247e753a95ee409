"""What a task.yaml may name of our tasks' code is where its entry says."""

from __future__ import annotations

import pytest

from tasks.declared import RATIONALES, RECORDS, TEACHERS, rationale_of, record_function, teacher_called
from tasks.teaching import Teacher


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_a_function(name: str) -> None:
    assert callable(record_function(name))


def test_rationales_are_of_records_that_there_are() -> None:
    assert set(RATIONALES) < set(RECORDS)
    assert all(callable(rationale_of(name)) for name in RATIONALES)
    assert rationale_of("scienceqa") is None and rationale_of(None) is None


@pytest.mark.parametrize("name", TEACHERS)
def test_a_teacher_is_one(name: str) -> None:
    assert isinstance(teacher_called(name), Teacher)
