"""Adapters on every architecture: what is trained, what is left alone, and that merging adds just that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from PIL import Image  # noqa: E402 - after the check that there is something to test
from safetensors.torch import load_file  # noqa: E402

from trainers.lineage import read_lineage, write_lineage  # noqa: E402
from trainers.models.adapters import attach, four_bits, merge, name_base, text_layers  # noqa: E402
from trainers.models.video_stand_in import stand_in_for_video  # noqa: E402

pytestmark = pytest.mark.slow

ARCHITECTURES = ("idefics3", "smolvlm2", "qwen2_5_vl", "llava_next")


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


@dataclass(frozen=True)
class Settings:
    kind: str = "lora"
    r: int = 4
    alpha: int = 8
    dropout: float = 0.0
    targets: str | None = None


def loaded(folder: Path, **options: Any) -> Any:
    from transformers import AutoModelForImageTextToText

    stand_in_for_video()
    return AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32, **options).eval()


def inputs(folder: Path) -> dict[str, Any]:
    from transformers import AutoProcessor

    stand_in_for_video()
    processor = AutoProcessor.from_pretrained(folder)
    content = [{"type": "image"}, {"type": "text", "text": "How many bars?"}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    picture = Image.linear_gradient("L").resize((150, 90)).convert("RGB")
    return dict(processor(text=[text], images=[[picture]], return_tensors="pt"))


def logits(model: Any, batch: dict[str, Any]) -> Any:
    with torch.inference_mode():
        return model.eval()(**batch).logits


def as_if_trained(model: Any) -> None:
    """B starts at 0, where an adapter changes nothing."""
    generator = torch.Generator().manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            weights.data.copy_(torch.randn(weights.shape, generator=generator) * 0.1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_the_text_models_linear_layers_get_an_adapter(
    random_checkpoint: RandomCheckpoint, architecture: str
) -> None:
    model = attach(loaded(random_checkpoint(architecture)), Settings())
    trained = [name for name, weights in model.named_parameters() if weights.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)
    # Two layers of seven linear layers each, A and B for each: nothing is missing, and no head among them.
    assert len(trained) == 2 * 7 * 2
    assert not [name for name in trained if re.search("vision|visual|connector|projector|lm_head", name)]


@pytest.mark.parametrize("kind", ["lora", "dora"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_merged_weights_give_the_logits_of_base_and_adapter(
    random_checkpoint: RandomCheckpoint, architecture: str, kind: str, tmp_path: Path
) -> None:
    base = random_checkpoint(architecture)
    model = attach(loaded(base), Settings(kind))
    as_if_trained(model)
    model.save_pretrained(tmp_path / "adapter")
    merge(tmp_path / "adapter", base, tmp_path / "merged")

    batch = inputs(tmp_path / "merged")
    expected = logits(model, batch)
    torch.testing.assert_close(logits(loaded(tmp_path / "merged"), batch), expected, rtol=0, atol=5e-4)
    assert (logits(loaded(base), batch) - expected).abs().max() > 0.1

    before = load_file(base / "model.safetensors")
    after = load_file(tmp_path / "merged" / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert before.keys() == after.keys()
    assert len(changed) == 2 * 7
    assert not [name for name in changed if re.search("vision|visual|connector|projector", name)]
    # What else is in the folder is the base's, byte for byte.
    for file in base.iterdir():
        if file.name not in ("model.safetensors", "config.json", "generation_config.json"):
            assert (tmp_path / "merged" / file.name).read_bytes() == file.read_bytes()


def test_the_lineage_of_the_adapter_goes_into_the_merged_checkpoint(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    base = random_checkpoint("idefics3")
    model = attach(loaded(base), Settings())
    model.save_pretrained(tmp_path / "adapter")

    def digest(folder: Path, adapter: Path | None) -> str:
        return f"{folder.name} + {adapter.name}" if adapter else folder.name.partition("-")[0]

    own = {"commit": "abc", "parent": {"seed": 3}, "weights_digest": "idefics3 + adapter"}
    write_lineage(tmp_path / "adapter", own)
    merge(tmp_path / "adapter", base, tmp_path / "merged", digest=digest)
    lineage = read_lineage(tmp_path / "merged")
    assert lineage is not None
    assert lineage["commit"] == "abc"
    assert lineage["parent"] == {"seed": 3}
    assert lineage["merged"]["adapter_digest"] == "idefics3 + adapter"
    assert lineage["merged"]["base_digest"] == "idefics3"
    assert lineage["weights_digest"] == ".merged"

    write_lineage(tmp_path / "adapter", {**own, "weights_digest": "before somebody changed them"})
    merge(tmp_path / "adapter", base, tmp_path / "again", digest=digest)
    lineage = read_lineage(tmp_path / "again")
    assert lineage is not None
    assert "commit" not in lineage and lineage["weights_digest"] == ".again"


def test_a_folder_that_is_there_is_not_merged_into(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="exists already"):
        merge(tmp_path, random_checkpoint("idefics3"), tmp_path)


def test_an_adapter_of_another_base_is_refused_and_leaves_nothing(
    random_checkpoint: RandomCheckpoint, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    attach(loaded(random_checkpoint("idefics3")), Settings()).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="cannot be merged into"):
        merge(tmp_path / "adapter", tiny_checkpoint, tmp_path / "merged")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["adapter"]


def test_targets_that_match_nothing_are_refused_with_what_would(random_checkpoint: RandomCheckpoint) -> None:
    with pytest.raises(ValueError, match=r"matches no linear layer.*q_proj"):
        attach(loaded(random_checkpoint("idefics3")), Settings(targets=r".*\.(query|value)"))


def test_targets_of_a_recipe_are_kept_as_they_are(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    targets = r".*text_model.*\.(q_proj|v_proj)"
    attach(loaded(random_checkpoint("idefics3")), Settings(targets=targets)).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["target_modules"] == targets


def test_the_head_is_no_layer_of_the_text_model(random_checkpoint: RandomCheckpoint) -> None:
    model = loaded(random_checkpoint("llava_next"))
    matched = [name for name, _ in model.named_modules() if re.fullmatch(text_layers(model), name)]
    assert len(matched) == 14
    assert "lm_head" not in matched


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_qlora_keeps_the_vision_tower_in_its_own_precision(
    random_checkpoint: RandomCheckpoint, architecture: str
) -> None:
    pytest.importorskip("bitsandbytes")
    model = attach(
        loaded(random_checkpoint(architecture), quantization_config=four_bits()), Settings("qlora")
    )
    from bitsandbytes.nn import Linear4bit

    in_four_bits = [name for name, module in model.named_modules() if isinstance(module, Linear4bit)]
    assert len(in_four_bits) == 14
    assert all(re.search(r"(text_model|language_model)\.layers", name) for name in in_four_bits)


def test_qlora_without_bitsandbytes_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ValueError, match=r"need bitsandbytes; install tunebench\[qlora\]"):
        four_bits()


def test_an_adapter_on_a_base_from_the_hub_names_it_with_its_commit(
    random_checkpoint: RandomCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.serving.checkpoint

    base = random_checkpoint("idefics3")
    attach(loaded(base), Settings()).save_pretrained(tmp_path)
    name_base(tmp_path, "owner/base", "abc123")
    asked: list[tuple[str, str | None]] = []

    def fetched(name: str, revision: str | None) -> Path:
        asked.append((name, revision))
        return base

    monkeypatch.setattr(bench.serving.checkpoint, "_fetched", fetched)
    found = bench.serving.checkpoint.find_checkpoint(str(tmp_path))
    assert asked == [("owner/base", "abc123")]
    assert (found.folder, found.adapter, found.revision) == (base, tmp_path, "abc123")
