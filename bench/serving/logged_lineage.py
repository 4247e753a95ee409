"""A checkpoint's lineage as a log keeps it: what tables and plots need, without the whole recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.serving.checkpoint import Checkpoint
from trainers.lineage import read_lineage

_KEPT = (
    *("recipe_digest", "weights_digest", "base_digest", "data", "data_hash", "examples", "steps", "tokens"),
    *("seconds", "seed", "commit", "finished"),
)
_MOST_ANCESTORS = 20
_MOST_POINTS = 200


def logged_lineage(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """The lineage beside the weights (an adapter's own), or None.

    Losses are thinned to 200 points; of ancestors only what names them is kept.
    """
    said = read_lineage(checkpoint.adapter or checkpoint.folder)
    if said is None:
        return None
    history = said.get("loss_history")
    points = history if isinstance(history, list) else []
    stride = -(-len(points) // _MOST_POINTS) or 1
    return {**_kept(said), "loss_history": points[::-1][::stride][::-1], "parent": _parents(said)}


def _kept(said: Mapping[str, Any]) -> dict[str, Any]:
    recipe = said.get("recipe")
    named = recipe if isinstance(recipe, Mapping) else {}
    base = named.get("base")
    return {
        "recipe": {
            "name": named.get("name"),
            "base": {"checkpoint": base.get("checkpoint") if isinstance(base, Mapping) else None},
        },
        **{name: said[name] for name in _KEPT if name in said},
    }


def _parents(said: Mapping[str, Any]) -> dict[str, Any] | None:
    chain: list[dict[str, Any]] = []
    while isinstance(parent := said.get("parent"), Mapping) and len(chain) < _MOST_ANCESTORS:
        chain.append(_kept(parent))
        said = parent
    kept: dict[str, Any] | None = None
    for one in reversed(chain):
        kept = {**one, "parent": kept}
    return kept
