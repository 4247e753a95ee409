"""A server that goes away in the middle of a run ends the run; one that misses a probe does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from inspect_ai.log import EvalLog
from inspect_ai.model import get_model

import bench.running.lifetime
from bench.errors import IncompleteRunError
from bench.running.lifetime import until_death
from bench.serving.model import ServedModel, check_endpoint


class Models(BaseHTTPRequestHandler):
    """Answers any GET; every second one with an error, which is an answer too."""

    asked = 0

    def do_GET(self) -> None:
        Models.asked += 1
        self.send_response(200 if Models.asked % 2 else 500)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/v1"


def served() -> ServedModel:
    return ServedModel(get_model("mockllm/model"), "mockllm/model")


def test_an_error_is_an_answer(server: ThreadingHTTPServer) -> None:
    check_endpoint(url(server))
    check_endpoint(url(server))


@pytest.mark.slow
def test_a_run_ends_when_its_server_is_gone(server: ThreadingHTTPServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(bench.running.lifetime, "_SECONDS_BETWEEN_PROBES", 0.05)
    stopped: list[bool] = []

    async def never() -> EvalLog:
        try:
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            await asyncio.Event().wait()
        finally:
            stopped.append(True)
        raise AssertionError("nothing sets that event")

    with pytest.raises(IncompleteRunError, match="nothing answers there"):
        asyncio.run(until_death(served(), never(), url(server)))
    assert stopped == [True]
    assert Models.asked > 2


def test_a_run_without_a_server_of_its_own_is_left_to_end(monkeypatch: Any) -> None:
    log: Any = object()

    async def soon() -> EvalLog:
        await asyncio.sleep(0.05)
        return log

    assert asyncio.run(until_death(served(), soon())) is log
