"""What tests of the command line share: the command itself, and a server that answers without a model."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main

Bench = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Runs `bench` with these arguments, in a folder of its own but in this process: a new one imports for
    seconds. What the command does not catch fails the test, as a traceback would fail its user.
    """
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        given = ["bench", *map(str, arguments)]
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", given)
            with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
                main()
        return subprocess.CompletedProcess(given, int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return run


def from_its_bytes(request: dict[str, Any]) -> str:
    """A boxed digit that depends on the messages alone."""
    messages = json.dumps(request["messages"], sort_keys=True)
    return f"It is \\boxed{{{int(hashlib.sha256(messages.encode()).hexdigest()[:4], 16) % 10}}}"


class Endpoint:
    """An OpenAI-style server: `answer` makes a request's text, from its bytes at first, after `delay` s.

    `refusal` says why a request is refused, as a server does that has no such input, or None.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.delay = 0.0
        self.answer: Callable[[dict[str, Any]], str] = from_its_bytes
        self.refusal: Callable[[dict[str, Any]], str | None] = lambda request: None
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send({"object": "list", "data": [{"id": "fake", "object": "model"}]})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                # Attempts that differ in the seed alone are different questions.
                asked = [request["messages"], request.get("seed")]
                endpoint.asked[json.dumps(asked, sort_keys=True)] += 1
                time.sleep(endpoint.delay)
                if (reason := endpoint.refusal(request)) is not None:
                    self._send({"error": {"message": reason, "type": "BadRequestError"}}, status=400)
                    return
                self._send(
                    {
                        "id": "chatcmpl-1",
                        "object": "chat.completion",
                        "created": 1,
                        "model": "fake",
                        "choices": [
                            {
                                "index": 0,
                                "finish_reason": "stop",
                                "message": {"role": "assistant", "content": endpoint.answer(request)},
                            }
                        ],
                        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
                    }
                )

            def _send(self, content: dict[str, Any], status: int = 200) -> None:
                body = json.dumps(content).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True  # whoever asked was killed meanwhile

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()
