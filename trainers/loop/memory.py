"""How much memory a training needs, estimated before it starts.

Weights, gradients and the optimizer's state are counted; activations are estimated with the formula of
Korthikanti et al. (arXiv:2205.05198, equation 1 without tensor parallelism and without attention matrices,
which SDPA and flash attention do not keep): 34 bytes a token, layer and hidden unit at two bytes a number.
Against what trainings really took: docs/benchmarks.md.
"""

from __future__ import annotations

from typing import Any

from trainers.data.encoding import EncodedData
from trainers.recipe import TrainRecipe

_BYTES_A_UNIT = 34
_FIRST_STEP = 2**28
"""What torch and its libraries take on a CPU from the first step on, whatever the model: as measured."""
_OPTIMIZER_BYTES = {
    "adamw": 8,
    "adamw_fused": 8,
    "adamw_8bit": 2,
    "paged_adamw_8bit": 2,
    "adafactor": 0.1,
    "sgd": 0,
}


def memory_estimate(
    recipe: TrainRecipe, model: Any, data: EncodedData, *, bfloat16: bool, process: int = 0
) -> dict[str, float]:
    """GiB by what holds them, and their sum, on one device for the longest batch.

    process: bytes that the process holds besides, where it shares the memory with the model (a CPU).
    """
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    trained = [p for p in model.parameters() if p.requires_grad]
    gradients = sum(p.numel() * p.element_size() for p in trained)
    optimizer = sum(p.numel() for p in trained) * _OPTIMIZER_BYTES[recipe.optimizer.name]
    # Autocast keeps a copy of the weights that it casts for as long as a pass takes.
    copies = weights / 2 if bfloat16 and recipe.base.dtype == "float32" else 0
    rows = recipe.batch.per_device or recipe.batch.size
    longest = sorted(len(row.ids) for row in data.rows)[-rows:]
    tokens = max(longest) * rows
    cells = sorted(row.cells for row in data.rows)[-rows:]
    activations = _activations(recipe, model.config, tokens, sum(cells), 1 if bfloat16 else 2)
    trained_columns = max(len(row.trained) for row in data.rows) * rows
    # Logits in the arithmetic's type, in float32, and their gradient.
    logits = trained_columns * _vocabulary(model.config) * (4 + 4 + (2 if bfloat16 else 4))
    parts = {
        "weights": weights + copies,
        "gradients": gradients,
        "optimizer": optimizer,
        "activations": activations,
        "logits": logits,
        "process": process + _FIRST_STEP if process else 0,
    }
    found = {name: round(size / 2**30, 3) for name, size in parts.items()}
    return {**found, "total": round(sum(parts.values()) / 2**30, 3)}


def _activations(recipe: TrainRecipe, config: Any, tokens: int, cells: int, widening: int) -> float:
    text = getattr(config, "text_config", None) or config
    total = _layers(text, tokens, recipe) * widening
    vision = getattr(config, "vision_config", None)
    if vision is not None and "vision" not in recipe.frozen and recipe.adapter is None:
        patch = getattr(vision, "patch_size", 14)
        total += _layers(vision, cells / (3 * patch * patch), recipe) * widening
    return total


def _layers(config: Any, tokens: float, recipe: TrainRecipe) -> float:
    hidden = getattr(config, "hidden_size", 0) or getattr(config, "embed_dim", 0)
    layers = getattr(config, "num_hidden_layers", 0) or getattr(config, "depth", 0)
    # With checkpointing the input of every layer is kept, and the inside of one.
    units = layers * 2 + _BYTES_A_UNIT if recipe.gradient_checkpointing else layers * _BYTES_A_UNIT
    return float(tokens) * hidden * units


def _vocabulary(config: Any) -> int:
    text = getattr(config, "text_config", None) or config
    return int(getattr(text, "vocab_size", 0))
