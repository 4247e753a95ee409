"""Without a network the hub's clients are not left to try for half a minute; with one they are left alone."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.hub import hub, out_of_reach

NOWHERE = "http://127.0.0.1:9"
constants = pytest.importorskip("huggingface_hub.constants")


class _Refusing(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_error(503)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """A server that answers with an error, which shows that there is a network."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who has switched nothing off."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_any_answer_is_a_network(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert out_of_reach(address) is None
    monkeypatch.setattr(constants, "ENDPOINT", address)
    with pytest.raises(LookupError, match="as it is"), hub():
        assert not constants.HF_HUB_OFFLINE
        raise LookupError("as it is")


def test_without_one_only_what_is_on_disk_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", NOWHERE)
    with hub():
        assert constants.HF_HUB_OFFLINE
    assert not constants.HF_HUB_OFFLINE
    with (
        pytest.raises(ConnectionError, match=r"0\.1:9 cannot be reached .*refused.* no copy is on disk"),
        hub(),
    ):
        raise LookupError("not in the cache")
    assert not constants.HF_HUB_OFFLINE


def test_what_only_the_client_can_know_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    out_of_reach.cache_clear()
    assert out_of_reach(NOWHERE) is None
    out_of_reach.cache_clear()


def test_a_task_of_the_hub_is_refused_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    from tasks.scienceqa.sources import hub_rows

    config = importlib.import_module("datasets.config")
    monkeypatch.setattr(constants, "ENDPOINT", NOWHERE)
    monkeypatch.setattr(config, "HF_ENDPOINT", NOWHERE)
    monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
    start = time.monotonic()
    with pytest.raises(OSError, match=f"{NOWHERE} cannot be reached.*-T path=FOLDER"):
        hub_rows("0" * 40, "test")
    # Its client waits 23 s between its attempts alone.
    assert time.monotonic() - start < 10
    assert datasets.config.HF_HUB_OFFLINE is False
