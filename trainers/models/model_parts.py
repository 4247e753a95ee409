"""Which parameters belong to which part of a vision-language model, and freezing parts.

The names are those of transformers' vision-language models; whatever is neither the vision encoder nor what
joins it to the text model is the text model's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trainers.recipe import ModelPart

_CONNECTOR = re.compile(
    r"(^|\.)(connector|multi_modal_projector|modality_projection|merger|projector|image_newline|aligner)(\.|$)"
)
_VISION = re.compile(
    r"(^|\.)(vision_model|vision_tower|visual|vision_encoder|vision|image_encoder|vision_embed_tokens)(\.|$)"
)


def part_of(parameter: str) -> ModelPart:
    """The part that a parameter belongs to, by its name.

    The connector comes first: Qwen's merger and Moondream's projection stand inside the vision module.
    """
    if _CONNECTOR.search(parameter):
        return "connector"
    return "vision" if _VISION.search(parameter) else "text"


def freeze(model: Any, parts: Iterable[ModelPart]) -> None:
    """Keep the parameters of these parts out of training; ValueError when the model has no such part."""
    wanted = set(parts)
    found: set[ModelPart] = set()
    for name, parameter in model.named_parameters():
        part = part_of(name)
        found.add(part)
        if part in wanted:
            parameter.requires_grad_(False)
    missing = wanted - found
    if missing:
        raise ValueError(
            f"frozen: the model has no {' and no '.join(sorted(missing))}; "
            f"its parts are {', '.join(sorted(found))}"
        )


@dataclass(frozen=True)
class PartSize:
    """How many parameters a part has, and how many of them are trained."""

    part: str
    parameters: int
    trained: int


def part_sizes(model: Any) -> list[PartSize]:
    """The model's parts with their sizes; adapters count as trained parameters of the part they sit in."""
    total: dict[str, int] = defaultdict(int)
    trained: dict[str, int] = defaultdict(int)
    for name, parameter in model.named_parameters():
        part = part_of(name)
        total[part] += parameter.numel()
        trained[part] += parameter.numel() if parameter.requires_grad else 0
    return [PartSize(part, total[part], trained[part]) for part in sorted(total)]
