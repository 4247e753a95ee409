"""What vLLM's processes bring in of ours is found by an entry point, which an old installation has wrong."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from bench.errors import RequestError
from bench.serving.vllm_engine import process


def test_this_installation_has_it() -> None:
    process.check_entry_point()


@pytest.mark.parametrize(
    ("installed", "said"),
    [(["bench.engine_process:end_with_parent"], "bench.engine_process"), ([], "nothing")],
)
def test_an_older_installation_is_refused_before_an_engine_starts(
    installed: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(**_: Any) -> list[EntryPoint]:
        return [EntryPoint("tunebench", value, "vllm.general_plugins") for value in installed]

    monkeypatch.setattr(process, "entry_points", found)
    with pytest.raises(RequestError, match=f"installed as {said}.*make install"):
        process.check_entry_point()
