"""What a frozen vision encoder makes of a picture, computed once and then kept in memory.

Where neither the vision encoder nor what joins it to the text model is trained, every pass over the data
would compute the same again. transformers' models take what the encoder gave in the place of pixels
(`mm_encoder_outputs`), whatever their architecture.

A picture is always encoded alone: its numbers do not depend on which batch it came with first, so a training
that was killed goes on with the same ones.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import torch

from trainers.data.collator import POSITIONS, joined
from trainers.data.encoding import EncodedData
from trainers.models.model_parts import part_of

# Features take at most a quarter of the free memory: batches, checkpoints and other processes need theirs.
_SHARE_OF_FREE = 4
# accelerate's kinds of parallelism in which every process has the whole encoder.
_MODES = ("NO", "MULTI_CPU", "MULTI_GPU", "MULTI_XPU", "MULTI_NPU")

Features: TypeAlias = torch.Tensor | tuple[torch.Tensor, ...]
"""One tensor over all tiles, or one a picture: each architecture has its own form."""


def can_be_kept(model: Any, distributed: str) -> bool:
    """Whether a picture's features are the same in every pass, and the model takes them.

    distributed: the name of accelerate's kind of parallelism; where the weights are spread over processes,
    the encoder cannot run by itself.
    """
    base = _without_adapter(model)
    return (
        distributed in _MODES
        and hasattr(base, "get_image_features")
        and "mm_encoder_outputs" in inspect.signature(base.forward).parameters
        and not any(p.requires_grad and part_of(name) != "text" for name, p in model.named_parameters())
        and not _drops(base)
    )


class PictureFeatures:
    """Encodes pictures for a model, each once as long as `limit` bytes hold them; the others each time.

    autocast: what makes the context in which the model computes.
    """

    def __init__(
        self, model: Any, autocast: Callable[[], AbstractContextManager[Any]], limit: int | None = None
    ) -> None:
        base = _without_adapter(model)
        self._encode = base.get_image_features
        self._reads = frozenset(inspect.signature(self._encode).parameters)
        self._device = next(base.parameters()).device
        self._autocast = autocast
        self._left = _free_memory() // _SHARE_OF_FREE if limit is None else limit
        self._kept: dict[str, tuple[Features, dict[str, Any]]] = {}

    def added(self, batch: dict[str, Any], data: EncodedData) -> dict[str, Any]:
        """The batch of a collator without pixels, with its pictures' features."""
        from transformers.modeling_outputs import BaseModelOutputWithPooling

        batch = dict(batch)
        rows = [data.rows[position] for position in batch.pop(POSITIONS).tolist()]
        found = [self._of(row.picture, data) for row in rows if row.picture is not None]
        if not found:
            return batch
        pooled = _together([features for features, _ in found])
        batch["mm_encoder_outputs"] = {"image": BaseModelOutputWithPooling(pooler_output=pooled)}
        for name in found[0][1]:
            batch[name] = torch.from_numpy(joined([others[name] for _, others in found])).to(self._device)
        return batch

    def _of(self, picture: str, data: EncodedData) -> tuple[Features, dict[str, Any]]:
        """A picture's features, and what else the model reads of it (its size, its grid of patches)."""
        if picture in self._kept:
            features, others = self._kept[picture]
            return _moved(features, self._device), others
        arrays = data.pixels.arrays(picture)
        given = {
            name: torch.from_numpy(a).to(self._device) for name, a in arrays.items() if name in self._reads
        }
        with torch.no_grad(), self._autocast():
            features = self._encode(**given, return_dict=True).pooler_output
        others = {name: array for name, array in arrays.items() if not name.startswith("pixel")}
        size = sum(tensor.nbytes for tensor in _tensors(features))
        if size <= self._left:
            self._left -= size
            self._kept[picture] = _moved(features, torch.device("cpu")), others
        return features, others


def _without_adapter(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _tensors(features: Features) -> Sequence[torch.Tensor]:
    return (features,) if isinstance(features, torch.Tensor) else features


def _moved(features: Features, device: torch.device) -> Features:
    if isinstance(features, torch.Tensor):
        return features.to(device)
    return tuple(tensor.to(device) for tensor in features)


def _together(features: Sequence[Features]) -> Features:
    if isinstance(features[0], torch.Tensor):
        return torch.cat([tensor for one in features for tensor in _tensors(one)])
    return tuple(tensor for one in features for tensor in _tensors(one))


def _drops(model: Any) -> bool:
    """Whether something in the vision encoder or its connector is dropped by chance while training."""
    config = getattr(model.config, "vision_config", None)
    if float(getattr(config, "attention_dropout", 0.0) or 0.0) > 0:
        return True
    return any(
        isinstance(module, torch.nn.Dropout) and module.p > 0 and part_of(name) != "text"
        for name, module in model.named_modules()
    )


def _free_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available)
