"""What a log says of how its weights came to be: the checkpoint's lineage, kept in the log by the run.

Read from the log alone: the folder may have been overwritten since, and then its file tells of other weights.
A lineage that names its weights is one of those alone; older ones do not name them and are believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LossPoint:
    """Losses at one step; None where there was no such measurement."""

    step: int
    train: float | None
    validation: float | None


@dataclass(frozen=True)
class Lineage:
    """How weights came to be. Every field is None or empty where the file does not say.

    recipe: its name. base, base_digest: the weights that training started from. ancestors: digests before
    these weights, nearest first. examples: training rows. groups: report field → group → training rows.
    """

    recipe: str | None
    base: str | None
    base_digest: str | None
    ancestors: tuple[str, ...]
    examples: int | None
    groups: Mapping[str, Mapping[str, int]]
    losses: tuple[LossPoint, ...]


def lineage_of(identity: Mapping[str, Any]) -> Lineage | None:
    """The lineage in a run's identity, or None; what has another form than expected is left out.

    None as well for a lineage of other weights than those that ran (`lineage_warning`).
    """
    said = identity.get("lineage")
    if not isinstance(said, Mapping) or lineage_warning(identity) is not None:
        return None
    recipe = _mapping(said.get("recipe"))
    data = _mapping(said.get("data"))
    return Lineage(
        recipe=_name(said.get("recipe")),
        base=_name(said.get("base")) or _name(_mapping(recipe.get("base")).get("checkpoint")),
        base_digest=_base_digest(said),
        ancestors=tuple(_ancestors(said)),
        examples=_count(said.get("examples", data.get("examples"))),
        groups=_groups(data.get("groups")),
        losses=_losses(said.get("loss_history")),
    )


def lineage_warning(identity: Mapping[str, Any]) -> str | None:
    """That a run's lineage is of other weights than those that ran, or None."""
    said, ran = _mapping(identity.get("lineage")).get("weights_digest"), identity.get("weights_digest")
    if not said or not ran or said == ran:
        return None
    # The last part of a path: cards that are pushed say this as well.
    name = str(identity.get("model")).rstrip("/").rpartition("/")[2]
    return (
        f"the lineage of {name[:40]} is left out: it is about weights "
        f"{str(said)[:12]}, and {str(ran)[:12]} ran (base included); they were changed after training"
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _name(value: object) -> str | None:
    """A name given as text or as the ``name`` of an object."""
    if isinstance(value, Mapping):
        value = value.get("name")
    return value if isinstance(value, str) and value else None


def _base_digest(said: Mapping[str, Any]) -> str | None:
    found = said.get("base_digest") or _mapping(said.get("base")).get("digest")
    return found if isinstance(found, str) and found else None


def _ancestors(said: Mapping[str, Any]) -> Iterable[str]:
    """The base's digest, then its own base's: each lineage holds that of its parent."""
    here: Mapping[str, Any] = said
    for _ in range(100):  # a file that somebody edited may be deep without end
        digest = _base_digest(here)
        if digest is None:
            return
        yield digest
        here = _mapping(here.get("parent"))
        if here.get("weights_digest") not in (None, digest):
            return


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _groups(value: object) -> Mapping[str, Mapping[str, int]]:
    return {
        str(field): counts
        for field, groups in _mapping(value).items()
        if (counts := {str(g): n for g, n in _mapping(groups).items() if _count(n) is not None})
    }


def _losses(value: object) -> tuple[LossPoint, ...]:
    """Rows with a step, and a loss or a validation loss."""
    found: dict[int, LossPoint] = {}
    for row in value if isinstance(value, list) else ():
        step = _mapping(row).get("step")
        if not isinstance(step, int):
            continue
        before = found.get(step, LossPoint(step, None, None))
        train, validation = _number(row.get("loss")), _number(row.get("validation_loss"))
        found[step] = LossPoint(
            step,
            before.train if train is None else train,
            before.validation if validation is None else validation,
        )
    return tuple(point for step in sorted(found) for point in [found[step]] if _measured(point))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _measured(point: LossPoint) -> bool:
    return point.train is not None or point.validation is not None
