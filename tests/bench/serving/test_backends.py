"""A backend is declared once; inspect finds it, and what is known of its weights is read once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai._util.registry import registry_find, registry_unqualified_name
from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, modelapi

import bench.registry
import bench.serving.backends
import bench.serving.checkpoint
import bench.serving.model
from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from bench.serving.backends import BACKENDS, prefixed
from bench.serving.checkpoint import find_checkpoint
from bench.serving.local_provider import LocalProvider
from bench.serving.model import ModelRequest, resolve_model


@pytest.mark.parametrize("backend", BACKENDS)
def test_inspect_finds_each_backend_under_its_prefix(backend: type[LocalProvider]) -> None:
    named = registry_find(
        lambda info: info.type == "modelapi" and registry_unqualified_name(info) == backend.prefix
    )
    assert len(named) == 1
    assert not getattr(backend, "__abstractmethods__", None)
    assert prefixed(f"{backend.prefix}/some/folder") == (backend, "some/folder")


def test_other_prefixes_are_no_backends() -> None:
    assert prefixed("openai/gpt-4o") is None and prefixed("HuggingFaceTB/SmolVLM-Instruct") is None


class Sevens(LocalProvider):
    """Answers 7."""

    prefix, engine_name, distributions = "sevens", "sevens", ("inspect_ai",)
    dtype = None

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008
        **arguments: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        self.checkpoint = find_checkpoint(model_name)

    @classmethod
    def model_arguments(cls, name: str, checkpoint: str, given: Any, **_: Any) -> dict[str, Any]:
        return dict(given)

    def starting(self, name: str) -> str:
        return f"waking {name}"

    async def start(self) -> None:
        self.dtype = "int7"

    def max_connections(self) -> int:
        return 3

    async def generate(self, *_: Any, **__: Any) -> ModelOutput:
        return ModelOutput.from_content(self.model_name, "It is \\boxed{7}")


@pytest.fixture
def sevens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A checkpoint of a third backend, which is in the table and known to inspect."""

    @modelapi(name="sevens")
    def provider() -> type[ModelAPI]:
        return Sevens

    monkeypatch.setattr(bench.serving.backends, "BACKENDS", (*BACKENDS, Sevens))
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"a": 1}))
    yield folder


def test_a_backend_of_the_table_is_run_and_its_weights_are_read_once(
    sevens: Path, tmp_path: Path, quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    digested: list[Path] = []
    digest = bench.serving.checkpoint.checkpoint_digest

    def counted(folder: Path, adapter: Path | None) -> str:
        digested.append(folder)
        return digest(folder, adapter)

    monkeypatch.setattr(bench.serving.checkpoint, "checkpoint_digest", counted)
    served = resolve_model(ModelRequest(f"sevens/{sevens}"))
    request = RunRequest(("chart_vqa",), (served.name,), log_dir=tmp_path / "logs", dataset_args={"size": 4})
    task = named_task("chart_vqa", {"size": 4})
    runs = [asyncio.run(run_one(request, task, served, quiet)) for _ in range(2)]
    assert quiet.lines == [f"waking {served.name}"]
    for run in runs:
        assert not run.unscored
        assert (run.identity["engine"], run.identity["dtype"]) == ("sevens", "int7")
        assert run.identity["weights_digest"] == digest(sevens)
    assert digested == [sevens]
