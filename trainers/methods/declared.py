"""The table of training methods."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trainers.methods.contract import Method
from trainers.methods.sft import fine_tune
from trainers.methods.sft_preview import preview_fine_tuning
from trainers.recipe import TrainRecipe

METHODS: Mapping[str, Method] = MappingProxyType({"sft": Method(fine_tune, preview_fine_tuning)})
"""Name → method."""


def method_of(recipe: TrainRecipe) -> Method:
    """The recipe's method. No recipe names one yet: there is one."""
    return METHODS["sft"]
