"""Rationales that a task writes itself, from the data behind its records: no model, and no mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

Rationale: TypeAlias = Callable[[Mapping[str, object]], str]


def _chart_rationale() -> Rationale:
    from tasks.chart_vqa.rationale import rationale

    return rationale


RATIONALES: Mapping[str, Callable[[], Rationale]] = MappingProxyType({"charts": _chart_rationale})
"""The programmatic rationale of the records that have one, by the name in `dataset.records`."""
