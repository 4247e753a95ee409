"""Lets checkpoints whose processor also declares a video processor load without torchvision.

Where torchvision is missing, transformers 5.19 has placeholders instead of its video classes, and no
processor that names one can be made (SmolVLM2, Qwen2.5-VL): not even for pictures. vLLM imports two helpers
of plain Python from modules that need torchvision. Both get a stand-in here. It touches private names of
transformers, whose version is therefore bounded in pyproject.toml. The entry point ``vllm.general_plugins``
brings it into every process of vLLM.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any

# Modules that need torchvision → their twins over Pillow, with the helpers that vLLM takes from the former.
_TWINS = {
    "transformers.models.qwen2_vl.image_processing_qwen2_vl": (
        "transformers.models.qwen2_vl.image_processing_pil_qwen2_vl"
    ),
    "transformers.models.pixtral.image_processing_pixtral": (
        "transformers.models.pixtral.image_processing_pil_pixtral"
    ),
}


@functools.cache
def stand_in_for_video() -> None:
    """Put the stand-ins in place, once; nothing happens where torchvision imports."""
    if _torchvision_imports():
        return
    from transformers import processing_utils

    stand_in = _no_videos()
    # An import statement would give a placeholder.
    auto: Any = importlib.import_module("transformers.models.auto.video_processing_auto")
    auto.AutoVideoProcessor = stand_in
    # The class by which a processor checks the part it is given.
    processing_utils.transformers_module.VideoProcessorMixin = stand_in
    for name, twin in _TWINS.items():
        sys.modules.setdefault(name, importlib.import_module(twin))


def _torchvision_imports() -> bool:
    # A build that does not fit torch is found but fails, in several ways.
    try:
        importlib.import_module("torchvision")
    except Exception:
        return False
    return True


def _no_videos() -> type[Any]:
    """A class that takes a video processor's place: it keeps the settings, and refuses videos."""
    from transformers.video_processing_utils import VideoProcessorMixin

    class NoVideos(VideoProcessorMixin):  # type: ignore[misc]
        # SmolVLM2's processor reads these for every chat.
        num_frames = None
        fps = None

        def __init__(self, **settings: Any) -> None:
            super().__init__()
            self._settings = settings

        def preprocess(self, videos: Any, **_: Any) -> Any:
            raise ValueError("videos need torchvision, which is not installed; give pictures")

        def to_dict(self) -> dict[str, Any]:
            """What was loaded, so that saving a processor changes nothing."""
            return dict(self._settings)

    return NoVideos
