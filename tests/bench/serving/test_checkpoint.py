"""What a checkpoint is, and its digest: over what decides its answers, and over nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
from pathlib import Path

import pytest

import bench.serving.digests
from bench.errors import RequestError
from bench.serving.checkpoint import Checkpoint, declared_context, find_checkpoint
from bench.serving.digests import file_digest, folder_digest


def safetensors(shapes: dict[str, list[int]], fill: bytes = b"\x01") -> bytes:
    header, start = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, start + size]}
        start += size
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + fill * start


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 2048}}))
    (folder / "tokenizer.json").write_text('{"model": {}}')
    (folder / "preprocessor_config.json").write_text('{"size": 112}')
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "model-00001-of-00002.safetensors").write_bytes(safetensors({"a": [3, 4], "b": []}))
    (folder / "model-00002-of-00002.safetensors").write_bytes(safetensors({"c": [5]}))
    return folder


def adapter_on(base: Path, folder: Path, named: str) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named, "r": 4}))
    (folder / "adapter_model.safetensors").write_bytes(safetensors({"lora_A": [4, 2]}))
    return folder


def digest(folder: Path) -> str:
    return find_checkpoint(str(folder)).digest


def test_a_copy_elsewhere_has_the_same_digest(checkpoint: Path, tmp_path: Path) -> None:
    before = digest(checkpoint)
    shutil.copytree(checkpoint, tmp_path / "elsewhere" / "two")
    assert digest(tmp_path / "elsewhere" / "two") == before
    checkpoint.rename(tmp_path / "renamed")
    assert digest(tmp_path / "renamed") == before


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "tokenizer.json",
        "preprocessor_config.json",
        "chat_template.jinja",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ],
)
def test_any_byte_of_what_decides_the_answers_counts(checkpoint: Path, name: str) -> None:
    file = checkpoint / name
    content = file.read_bytes()
    before = digest(checkpoint)
    for position in (0, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        assert digest(checkpoint) != before
    file.write_bytes(content)
    assert digest(checkpoint) == before


@pytest.mark.parametrize("name", ["added_tokens.json", "modeling_own.py", "vocab.txt", "tokenizer.model"])
def test_a_file_more_counts(checkpoint: Path, name: str) -> None:
    before = digest(checkpoint)
    (checkpoint / name).write_text("new")
    assert digest(checkpoint) != before


@pytest.mark.parametrize(
    "name",
    [
        "lineage.json",
        "README.md",
        "optimizer.pt",
        "scheduler.pt",
        "rng_state.pth",
        "trainer_state.json",
        "training_args.bin",
        "checkpoint-100/model.safetensors",
        ".cache/huggingface/download/config.json",
        "logs/events.log",
        "picture.png",
    ],
)
def test_what_lies_beside_does_not_count(checkpoint: Path, name: str) -> None:
    before = digest(checkpoint)
    (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
    (checkpoint / name).write_text("beside")
    assert digest(checkpoint) == before


def test_an_adapter_and_its_base_both_count(checkpoint: Path, tmp_path: Path) -> None:
    adapter = adapter_on(checkpoint, tmp_path / "lora", str(checkpoint))
    found = find_checkpoint(str(adapter))
    assert (found.folder, found.adapter) == (checkpoint, adapter)
    before = found.digest
    assert before not in (digest(checkpoint), folder_digest(adapter))
    (adapter / "adapter_model.safetensors").write_bytes(safetensors({"lora_A": [4, 2]}, b"\x02"))
    changed = digest(adapter)
    assert changed != before
    (checkpoint / "model-00002-of-00002.safetensors").write_bytes(safetensors({"c": [5]}, b"\x02"))
    assert digest(adapter) not in (before, changed)


def test_an_adapters_base_may_be_relative_to_it(checkpoint: Path, tmp_path: Path) -> None:
    adapter = adapter_on(checkpoint, tmp_path / "lora", "../one")
    assert find_checkpoint(str(adapter)).folder.resolve() == checkpoint.resolve()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"base_model_name_or_path": "../gone"}', "its base model is unavailable"),
        ('{"base_model_name_or_path": ""}', "base_model_name_or_path"),
        ("{}", "base_model_name_or_path"),
        ("[]", "base_model_name_or_path"),
        ("{", "base_model_name_or_path"),
    ],
)
def test_an_adapter_without_a_base_is_refused(tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(RequestError, match=said) as refused:
        find_checkpoint(str(tmp_path))
    assert str(tmp_path) in str(refused.value)


def test_names_that_are_no_checkpoint_are_refused(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(RequestError, match=r"neither config\.json"):
        find_checkpoint(str(tmp_path / "one" / ".."))
    with pytest.raises(RequestError, match="no such folder"):
        find_checkpoint(str(tmp_path / "gone"))
    with pytest.raises(RequestError, match="a file"):
        find_checkpoint(str(checkpoint / "config.json"))
    with pytest.raises(RequestError, match="the hub download failed"):
        find_checkpoint("nobody/nothing-of-that-name")


def test_a_large_file_is_read_once_and_again_when_rewritten(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bench.serving.digests, "_REMEMBERED_FROM_BYTES", 1)
    file = checkpoint / "model-00002-of-00002.safetensors"
    first = file_digest(file)
    assert [path.read_text() for path in (tmp_path / "cache" / "digests").iterdir()] == [first]
    # Remembered: the file is not read again.
    with monkeypatch.context() as unread:
        unread.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert file_digest(file) == first

    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(safetensors({"c": [5]}, b"\x03"))
    second = file_digest(file)
    assert second != first
    # Another file moved into its place, as old and as large.
    other = checkpoint / "other"
    other.write_bytes(safetensors({"c": [5]}, b"\x04"))
    os.utime(other, ns=times)
    other.replace(file)
    assert file_digest(file) not in (first, second)


def test_parameters_are_counted_from_the_headers(checkpoint: Path, tmp_path: Path) -> None:
    assert find_checkpoint(str(checkpoint)).parameters == 3 * 4 + 1 + 5
    adapter = adapter_on(checkpoint, tmp_path / "lora", str(checkpoint))
    assert find_checkpoint(str(adapter)).parameters == 18 + 8
    assert Checkpoint("x", tmp_path).parameters is None


def test_a_damaged_weights_file_is_a_mistake_of_the_request(checkpoint: Path) -> None:
    (checkpoint / "model-00002-of-00002.safetensors").write_bytes(b"short")
    with pytest.raises(RequestError, match=r"model-00002-of-00002\.safetensors"):
        _ = find_checkpoint(str(checkpoint)).parameters


@pytest.mark.parametrize(
    ("lineage", "commit"),
    [('{"commit": "abc123"}', "abc123"), ("{}", None), ("[]", None), ("{", None), ('{"commit": 7}', None)],
)
def test_the_recipes_commit_comes_from_the_lineage(
    checkpoint: Path, lineage: str, commit: str | None
) -> None:
    (checkpoint / "lineage.json").write_text(lineage)
    assert find_checkpoint(str(checkpoint)).recipe_commit == commit


def test_without_a_lineage_there_is_no_commit(checkpoint: Path) -> None:
    assert find_checkpoint(str(checkpoint)).recipe_commit is None


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"max_position_embeddings": 512}, 512),
        ({"text_config": {"max_position_embeddings": 2048}, "max_position_embeddings": 7}, 2048),
        ({}, None),
        ({"text_config": {}}, None),
    ],
)
def test_the_context_is_the_text_models(
    tmp_path: Path, config: dict[str, object], length: int | None
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert declared_context(tmp_path) == length
