"""The solvers that a task.yaml may name: where each one's maker is, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SOLVERS: Mapping[str, str] = MappingProxyType(
    {
        "generate": "solvers.completion:completion",
        "option_likelihood": "solvers.option_likelihood:option_likelihood",
    }
)
"""Name → module:function."""
