"""`bench merge` from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Protocol

import pytest

pytest.importorskip("peft")

from bench.serving.checkpoint import find_checkpoint

Bench = Callable[..., "CompletedProcess[str]"]


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


@pytest.fixture
def adapter(random_checkpoint: RandomCheckpoint, tmp_path: Path) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    base = AutoModelForImageTextToText.from_pretrained(random_checkpoint("idefics3"))
    targets = r".*text_model.*\.(q_proj|v_proj)"
    model = get_peft_model(base, LoraConfig(r=4, target_modules=targets, init_lora_weights=False))
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_a_merged_folder_is_a_checkpoint_of_its_own(bench: Bench, adapter: Path, tmp_path: Path) -> None:
    done = bench("merge", adapter, "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    folder = Path(said["checkpoint"])
    assert folder == tmp_path / "adapter-merged"
    assert not (folder / "adapter_config.json").exists()
    names = {file.name for file in folder.iterdir()}
    assert names >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "lineage.json",
        "chat_template.jinja",
    }
    lineage = json.loads((folder / "lineage.json").read_text())
    assert lineage["merged"]["adapter_digest"] == find_checkpoint(str(adapter)).digest
    assert lineage["weights_digest"] == said["weights_digest"] == find_checkpoint(str(folder)).digest
    again = bench("merge", adapter)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert "Traceback" not in again.stderr


def test_what_is_no_adapter_is_refused(bench: Bench, tiny_checkpoint: Path, tmp_path: Path) -> None:
    whole = bench("merge", tiny_checkpoint)
    assert whole.returncode == 2
    assert "not an adapter" in whole.stderr
    missing = bench("merge", tmp_path / "gone")
    assert missing.returncode == 2
    assert "no such folder" in missing.stderr


def test_an_adapter_whose_base_is_gone_is_refused(bench: Bench, adapter: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(
        json.dumps({**config, "base_model_name_or_path": str(adapter / "gone")})
    )
    done = bench("merge", adapter)
    assert done.returncode == 2
    assert "its base model is unavailable" in done.stderr
