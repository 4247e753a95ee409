"""`bench check` against a real server: every exit code, and nothing asked when nothing could be compared."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.records.loading import load_records

pytestmark = pytest.mark.slow

N = 60
Command = Callable[..., tuple[int, str, str]]
TASK = """
name: sums
version: 1-A
summary: Add two numbers.
dataset: {jsonl: sums.jsonl, image: null}
prompt: "{question} Put the answer inside \\\\boxed{{}}."
scorer: {boxed: {kind: number}}
"""


class Adder:
    """A server that adds one, and gets every ``wrong``-th sum wrong (0: none).

    Of OpenAI's API it has chat completions, and nothing else.
    """

    def __init__(self) -> None:
        self.wrong = 0
        self.asked = 0
        self.last: dict[str, Any] = {}
        adder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send({"object": "list", "data": []})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if self.path != "/v1/chat/completions":
                    self.send_error(404)
                    return
                adder.asked += 1
                adder.last = json.loads(body)
                found = re.search(r"(\d+) plus 1", body)
                number = int(found[1]) if found else -1
                answer = 0 if adder.wrong and number % adder.wrong == 0 else number + 1
                message = {"role": "assistant", "content": f"It is \\boxed{{{answer}}}"}
                self._send(
                    {
                        "id": "1", "object": "chat.completion", "created": 1, "model": "adder",
                        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
                    }
                )  # fmt: skip

            def _send(self, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def adder() -> Iterator[Adder]:
    server = Adder()
    yield server
    server.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    (folder / "sums.yaml").write_text(TASK)
    rows = [{"id": f"s{n}", "question": f"{n} plus 1?", "target": str(n + 1)} for n in range(N)]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def bench(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(home)
    monkeypatch.setenv("OPENAI_API_KEY", "none")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def check(bench: Command, adder: Adder) -> Command:
    def run(*arguments: str, baseline: str = "good") -> tuple[int, str, str]:
        model = ("--model", "vllm/adder", "--model-base-url", adder.url)
        return bench("check", "./sums.yaml", *model, "--baseline", baseline, *arguments)

    return run


@pytest.fixture
def blessed(bench: Command, adder: Adder, home: Path) -> Path:
    """A baseline from a real run, in which every sixth answer is wrong."""
    file = home / "baselines" / "good.json"
    if not file.is_file():
        adder.wrong = 6
        model = ("--model", "vllm/adder", "--model-base-url", adder.url)
        assert bench("run", "./sums.yaml", *model, "--log-dir", "first")[0] == 0
        assert bench("bless", "first", "--as", "good")[0] == 0
    return file


def test_the_same_and_the_better_end_with_0(check: Command, blessed: Path, adder: Adder) -> None:
    adder.wrong = 6
    code, out, _ = check("--margin", "0.1")
    assert code == 0
    assert "sums: not worse (within 10 points)" in out
    adder.wrong = 0
    code, out, _ = check("--json")
    assert code == 0
    assert json.loads(out)[0]["verdict"] == "improved"
    assert json.loads(out)[0]["candidate"]["score"] == 1.0


def test_only_the_baselines_samples_are_run(
    check: Command, bench: Command, blessed: Path, adder: Adder, home: Path
) -> None:
    model = ("--model", "vllm/adder", "--model-base-url", adder.url)
    assert bench("run", "./sums.yaml", *model, "--log-dir", "part", "--limit", "20")[0] == 0
    assert bench("bless", "part", "--as", "part", "--force")[0] == 0
    before = adder.asked
    code, out, err = check("--margin", "0.5", baseline="part")
    assert code == 0, err
    assert adder.asked - before == 20
    assert "the 20 samples that the baseline has, of 60" in err
    (home / "baselines" / "broken.json").write_text("{")
    code, out, err = bench("baselines")
    (home / "baselines" / "broken.json").unlink()
    assert code == 0
    assert "part" in out and "broken.json" in err


def test_the_records_are_made_once(
    check: Command, bench: Command, adder: Adder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task's records may take minutes: its arguments and its samples come from one making of them."""
    model = ("--model", "vllm/adder", "--model-base-url", adder.url)
    arguments = ("-T", "size=30", "seed=3", "charts=bar")
    assert bench("run", "chart_vqa", *model, *arguments, "--limit", "10", "--log-dir", "ten")[0] == 0
    assert bench("bless", "ten", "--as", "ten", "--force")[0] == 0
    made: list[object] = []

    def counted(*given: object, **named: object) -> object:
        made.append(given)
        return load_records(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("bench.building.task.load_records", counted)
    code, _, err = bench("check", "chart_vqa", *model, "--baseline", "ten", "--margin", "1")
    assert code == 0, err
    assert "-T size=30 seed=3 charts=bar, as the baseline has it" in err
    assert "the 10 samples that the baseline has, of 30" in err
    assert len(made) == 1


def test_the_worse_ends_with_1(check: Command, blessed: Path, adder: Adder) -> None:
    adder.wrong = 2
    code, out, _ = check("--show-flips", "1")
    assert code == 1
    assert "sums: regressed" in out
    assert "question   2 plus 1?" in out


def test_undecided_ends_with_1_only_when_strict(check: Command, blessed: Path, adder: Adder) -> None:
    adder.wrong = 6
    assert check("--margin", "0.001")[0] == 0
    assert check("--margin", "0.001", "--strict")[0] == 1


def test_other_data_ends_with_3_before_anything_is_asked(
    check: Command, blessed: Path, adder: Adder, home: Path
) -> None:
    data = home / "sums.jsonl"
    before, asked = data.read_text(), adder.asked
    data.write_text(before.replace("3 plus 1?", "3 plus 1 ?"))
    try:
        code, _, err = check()
    finally:
        data.write_text(before)
    assert code == 3
    assert "sums: data_hash differs" in err
    assert "nothing was run" in err
    assert adder.asked == asked


def test_a_part_of_the_samples_ends_with_3_unless_allowed(
    check: Command, blessed: Path, adder: Adder
) -> None:
    adder.wrong = 6
    code, _, err = check("--limit", "20")
    assert code == 3
    assert "only 33% of the samples are in both runs" in err
    assert check("--limit", "20", "--allow-partial")[0] == 0


def test_an_unknown_baseline_or_task_ends_with_2(check: Command, bench: Command, blessed: Path) -> None:
    code, _, err = check(baseline="god")
    assert code == 2
    assert "did you mean 'good'" in err
    code, _, err = bench("check", "chart_vqa", "-T", "size=10", "--model", "nano", "--baseline", "good")
    assert code == 2
    assert "good has no run of task 'chart_vqa'; it has sums" in err


def test_a_server_with_chat_completions_alone_answers_to_openai_names(bench: Command, adder: Adder) -> None:
    adder.wrong = 6
    model = ("--model", "openai/adder", "--model-base-url", adder.url)
    code, out, err = bench("run", "./sums.yaml", *model, "--log-dir", "openai", "--json")
    assert code == 0, err
    (run,) = json.loads(out)
    assert (run["model"], run["score"]["n"], run["unscored"]) == ("openai/adder", N, {})
    assert run["score"]["mean"] == pytest.approx(50 / 60)
    # inspect's own provider leaves it out where it does not know the model.
    assert adder.last["model"] == "adder" and adder.last["temperature"] == 0


def test_a_server_that_is_not_there_ends_with_4(bench: Command, blessed: Path) -> None:
    model = ("--model", "vllm/adder", "--model-base-url", "http://127.0.0.1:9/v1")
    assert bench("check", "./sums.yaml", *model, "--baseline", "good")[0] == 4
