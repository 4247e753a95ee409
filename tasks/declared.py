"""What of our tasks' code a task.yaml may name: where each is, imported when it is asked for.

A new task with records of its own is its folder and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TypeAlias

from tasks.teaching import Teacher

RecordFunction: TypeAlias = Callable[..., Iterable[Mapping[str, object]]]
Rationale: TypeAlias = Callable[[Mapping[str, object]], str]

RECORDS: Mapping[str, str] = MappingProxyType(
    {
        "charts": "tasks.chart_vqa.records:charts",
        "ielts_essays": "tasks.ielts_essay.records:ielts_essays",
        "scienceqa": "tasks.scienceqa.records:scienceqa",
        "vqaonline": "tasks.vqaonline.records:vqaonline",
    }
)
"""What `dataset.records` may name → module:function, of whose arguments `split` and `progress` are ours."""

RATIONALES: Mapping[str, str] = MappingProxyType(
    {
        "charts": "tasks.chart_vqa.rationale:rationale",
        "ielts_essays": "tasks.ielts_essay.essay:rationale",
    }
)
"""Records that can be explained from the data behind them, without a model → module:function of a record.

The function gives the text that stands before the answer; ValueError for a record that has none.
"""

TEACHERS: Mapping[str, str] = MappingProxyType({"ielts_essay": "tasks.ielts_essay.essay_teacher:TEACHER"})
"""What `distill.teacher` may name → module:the `tasks.teaching.Teacher`."""


def record_function(name: str) -> RecordFunction:
    """The function of one of `RECORDS`."""
    function: RecordFunction = resolve_name(RECORDS[name])
    return function


def rationale_of(records: str | None) -> Rationale | None:
    """The function that explains these records; None where there is none."""
    place = RATIONALES.get(records or "")
    function: Rationale | None = resolve_name(place) if place else None
    return function


def teacher_called(name: str) -> Teacher:
    """One of `TEACHERS`."""
    teacher: Teacher = resolve_name(TEACHERS[name])
    return teacher
