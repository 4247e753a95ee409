"""Where torchvision does not import: pictures work, videos are refused, saving changes nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Protocol

import pytest

pytest.importorskip("transformers")
if importlib.util.find_spec("torchvision") is not None:
    pytest.skip("torchvision is installed, and nothing stands in for it", allow_module_level=True)

from trainers.models.video_stand_in import stand_in_for_video

pytestmark = pytest.mark.slow


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


@pytest.mark.parametrize("architecture", ["smolvlm2", "qwen2_5_vl"])
def test_a_processor_that_declares_videos_loads_and_refuses_them(
    random_checkpoint: RandomCheckpoint, architecture: str, tmp_path: Path
) -> None:
    from transformers import AutoProcessor

    stand_in_for_video()
    processor = AutoProcessor.from_pretrained(random_checkpoint(architecture))
    with pytest.raises(ValueError, match="videos need torchvision"):
        processor.video_processor([[0]])
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert type(again) is type(processor)
    assert again.video_processor.to_dict() == processor.video_processor.to_dict()


def test_a_video_processors_settings_survive_saving(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    from transformers import AutoProcessor

    stand_in_for_video()
    AutoProcessor.from_pretrained(random_checkpoint("qwen2_5_vl")).save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "processor_config.json").read_text())["video_processor"]
    assert saved["video_processor_type"] == "Qwen2VLVideoProcessor"


def test_it_is_put_in_place_once() -> None:
    stand_in_for_video()
    from transformers.processing_utils import MODALITY_TO_AUTOPROCESSOR_MAPPING as AUTO

    before = AUTO["video_processor"]
    stand_in_for_video()
    assert AUTO["video_processor"] is before
