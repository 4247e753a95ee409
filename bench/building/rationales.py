"""Texts that a task writes itself, from the data behind its records: no model, and no mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

Rationale: TypeAlias = Callable[[Mapping[str, object]], str]


def _chart_rationale() -> Rationale:
    from tasks.chart_vqa.rationale import rationale

    return rationale


def _golden_essay() -> Rationale:
    from tasks.ielts_essay.essay import Essay

    def essay(record: Mapping[str, object]) -> str:
        """The golden essay under its steps; ValueError for a chart that has none."""
        paragraphs = str(record["target"]).split("\n\n")
        if len(paragraphs) < 3:
            raise ValueError("no golden essay")
        return Essay(paragraphs[0], tuple(paragraphs[1:-1]), paragraphs[-1]).structured()

    return essay


RATIONALES: Mapping[str, Callable[[], Rationale]] = MappingProxyType(
    {"charts": _chart_rationale, "ielts_essays": _golden_essay}
)
"""What the records that have one write themselves, by the name in `dataset.records`."""
