"""What several tests share: a small checkpoint made by code, and one real vLLM engine for the session."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib.metadata
import importlib.util
import os
import re
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import hypothesis
import pytest

from bench.serving.model import ModelRequest, ServedModel, resolve_model

T = TypeVar("T")

# A busy machine is no failure. Fewer examples at the desk, all of them before a change lands.
hypothesis.settings.register_profile("desk", deadline=None, max_examples=25)
hypothesis.settings.register_profile("landing", deadline=None)
hypothesis.settings.load_profile("landing" if os.environ.get("CI") else "desk")

# A shell that starts the tests in the background has them ignore Ctrl-C, and their children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_started: list[str] = []
"""Programs that the running test has started. An audit hook cannot be removed, so it only appends here."""


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _started.append(str(arguments[0]))


sys.addaudithook(_on_event)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Engines begin first: while one worker waits 20 s for an engine, the other does something else."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.process)
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """What collecting has loaded is a million objects that never die: they are walked no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("engine"):
        return 0
    return 1 if item.get_closest_marker("process") else 2


@pytest.fixture(autouse=True)
def says_what_it_starts(request: pytest.FixtureRequest) -> Iterator[None]:
    """`make quick` leaves out what starts processes: a test that starts Python or a browser says so."""
    _started.clear()
    yield
    if any(request.node.get_closest_marker(name) for name in ("process", "engine")):
        return
    found = [name for name in _started if re.search("python|chrom", name)]
    assert not found, f"it starts {found[0]}: mark it with @pytest.mark.process"


class Drive(Protocol):
    """Runs a coroutine on the session's event loop and returns what it returns."""

    def __call__(self, coroutine: Coroutine[Any, Any, T], timeout: float = 300) -> T: ...


class Quiet:
    """A run's `Show` that prints nothing; it keeps the lines and counts the samples that advanced."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.advanced = 0

    def say(self, line: str) -> None:
        self.lines.append(line)

    @contextlib.contextmanager
    def samples(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        def advance() -> None:
            self.advanced += 1

        yield advance


@pytest.fixture
def quiet() -> Quiet:
    return Quiet()


@pytest.fixture(scope="session", autouse=True)
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's caches stay as they are, and processes of the tests leave each other the cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("OMP_WAIT_POLICY", "passive")
        patch.setenv("HF_HUB_OFFLINE", "1")
        if "huggingface_hub.constants" in sys.modules:  # it has read the environment already
            patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        patch.setenv("INSPECT_DISPLAY", "none")
        # Where inspect keeps its traces of every process.
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        # inspect looks through all installed packages at each evaluation, for half a second.
        packages = functools.cache(importlib.metadata.packages_distributions)
        patch.setattr("inspect_ai._util.package.packages_distributions", packages)
        yield


@pytest.fixture(autouse=True)
def no_display_of_an_earlier_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """inspect keeps the display that an evaluation began with, which writes to that test's stdout."""
    if "inspect_ai" in sys.modules:
        from inspect_ai.util._display import init_display_type

        monkeypatch.setattr("inspect_ai._display.core.active._active_display", None)
        init_display_type("none")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Idefics3 of a million untrained weights, with tokenizer and processor."""
    pytest.importorskip("transformers")
    from trainers.models.untrained_nano import write_untrained

    return write_untrained(tmp_path_factory.mktemp("checkpoints") / "tiny")


class RandomCheckpoint(Protocol):
    """The folder of a random model of an architecture (idefics3, smolvlm2, qwen2_5_vl, llava_next)."""

    def __call__(self, architecture: str) -> Path: ...


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> RandomCheckpoint:
    """Makes each architecture's checkpoint once; it is shared, so tests leave it as it is."""
    pytest.importorskip("transformers")
    file = Path(__file__).with_name("random_checkpoints.py")
    spec = importlib.util.spec_from_file_location("random_checkpoints", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    home = tmp_path_factory.mktemp("architectures")

    def made(architecture: str) -> Path:
        folder = home / architecture
        if not folder.is_dir():
            module.WRITERS[architecture](folder)
        return folder

    return made


@pytest.fixture(scope="session")
def scienceqa_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ScienceQA of our own in the official layout; its tasks need `check_counts=false`."""
    made = runpy.run_path(str(Path(__file__).with_name("scienceqa_fixture.py")))
    folder: Path = made["write_scienceqa"](tmp_path_factory.mktemp("scienceqa"))
    return folder


@pytest.fixture(scope="session")
def drive() -> Iterator[Drive]:
    """One event loop for the session, in a thread: vLLM's engine belongs to the loop that started it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="session-loop")
    thread.start()

    def run(coroutine: Coroutine[Any, Any, T], timeout: float = 300) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout)

    yield run
    run(_end_tasks())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _end_tasks() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.fixture(scope="session")
def served(
    tiny_checkpoint: Path, drive: Drive, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedModel]:
    """The session's engine: the tiny checkpoint in float32, so that tokens can be compared exactly."""
    pytest.importorskip("vllm")
    model = resolve_model(
        ModelRequest(
            str(tiny_checkpoint),
            arguments={"max_num_seqs": 16, "dtype": "float32"},
            log_file=tmp_path_factory.mktemp("engine") / "engine.log",
        )
    )
    assert model.local is not None
    drive(model.local.start())
    yield model
    drive(model.model.api.aclose())
