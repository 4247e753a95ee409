"""`bench push` against a stand-in for the hub's API on 127.0.0.1."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample

from bench.errors import RequestError
from bench.publishing.card import card
from bench.publishing.push import prepare
from bench.serving.checkpoint import find_checkpoint
from scorers.boxed.boxed_scorer import boxed
from solvers.replay import replay

pytest.importorskip("huggingface_hub")
# The hub's client hands bytes on by an older name of the argument.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload:DeprecationWarning")

TOKEN = "hf_made_up"


class Hub:
    """What bench push needs of the hub: repositories, uploads of large files, commits."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, dict[str, bytes]] = {}
        self.large: dict[str, bytes] = {}
        self.refuse: int | None = None
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(404, {"error": "not here"})

            def do_PUT(self) -> None:
                body = self._body()
                hub.large[hashlib.sha256(body).hexdigest()] = body
                self._send(200, {})

            def do_POST(self) -> None:
                body = self._body()
                if hub.refuse is not None or self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self._send(hub.refuse or 401, {"error": "Invalid credentials"})
                elif self.path == "/api/repos/create":
                    self._created(json.loads(body))
                elif self.path == "/api/validate-yaml":
                    self._send(200, {"errors": [], "warnings": []})
                elif "/preupload/" in self.path:
                    names = [file["path"] for file in json.loads(body)["files"]]
                    modes = {True: "lfs", False: "regular"}
                    chosen = [
                        {
                            "path": n,
                            "uploadMode": modes[n.endswith((".safetensors", ".parquet"))],
                            "shouldIgnore": False,
                        }
                        for n in names
                    ]
                    self._send(200, {"files": chosen})
                elif self.path.endswith("/info/lfs/objects/batch"):
                    self._send(200, {"transfer": "basic", "objects": self._uploads(json.loads(body))})
                elif "/commit/" in self.path:
                    self._committed(body.decode())
                else:
                    self._send(404, {"error": self.path})

            def _created(self, asked: dict[str, Any]) -> None:
                hub.created.append(asked)
                name = (
                    f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
                )
                self._send(200, {"url": f"{hub.url}/{name}", "name": name, "id": name})

            def _uploads(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
                return [
                    {
                        "oid": found["oid"],
                        "size": found["size"],
                        "actions": {"upload": {"href": f"{hub.url}/upload/{found['oid']}"}},
                    }
                    for found in asked["objects"]
                ]

            def _committed(self, lines: str) -> None:
                repository = self.path.removeprefix("/api/").partition("/commit/")[0]
                there = hub.files.setdefault(repository, {})
                for line in filter(None, lines.splitlines()):
                    entry = json.loads(line)
                    value = entry["value"]
                    if entry["key"] == "file":
                        there[value["path"]] = base64.b64decode(value["content"])
                    elif entry["key"] == "lfsFile":
                        there[value["path"]] = hub.large[value["oid"]]
                url = f"{hub.url}/{repository}/commit/{'0' * 40}"
                self._send(200, {"success": True, "commitOid": "0" * 40, "commitUrl": url, "hookOutput": ""})

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    parts = []
                    while size := int(self.rfile.readline(), 16):
                        parts.append(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                    return b"".join(parts)
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def _send(self, status: int, content: dict[str, Any]) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    yield server
    server.close()


Push = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def push(hub: Hub, bench: Any, monkeypatch: pytest.MonkeyPatch) -> Push:
    """Runs `bench push` with the stand-in as its hub."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # The hub's client reads these from the environment once, when it is imported.
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    return lambda *arguments: bench("push", *arguments)


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint as `bench train` leaves it, with what must not be pushed beside it."""
    folder = tmp_path / "run-1"
    shutil.copytree(tiny_checkpoint, folder)
    (folder / "checkpoint-20").mkdir()
    (folder / "checkpoint-20" / "optimizer.pt").write_bytes(b"state")
    (folder / "training_args.bin").write_bytes(b"state")
    (folder / "README.md").write_text("left over")
    (folder / "lineage.json").write_text(
        json.dumps(
            {
                "recipe": {
                    "name": "nano",
                    "summary": "Reads charts | a little.",
                    "base": {"checkpoint": "HuggingFaceTB/SmolVLM-Instruct"},
                    "data": {"folder": "/home/somebody/distilled"},
                },
                "recipe_digest": "r" * 64,
                "base_digest": "b" * 64,
                "data": {"source": "folder"},
                "data_hash": "d" * 64,
                "steps": 40,
                "seed": 3,
            }
        )
    )
    return folder


def front_matter(text: str) -> dict[str, Any]:
    head: dict[str, Any] = yaml.safe_load(text.split("---")[1])
    return head


def test_the_checkpoint_and_its_card_arrive(push: Push, hub: Hub, checkpoint: Path) -> None:
    done = push(checkpoint, "--to", "somebody/reader", "--private")
    assert done.returncode == 0, done.stderr
    assert hub.created[0]["visibility"] == "private"
    there = hub.files["models/somebody/reader"]
    assert set(there) == {
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "lineage.json",
        "model.safetensors",
        "preprocessor_config.json",
        "processor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    for name, content in there.items():
        if name != "README.md":
            assert content == (checkpoint / name).read_bytes()
    text = there["README.md"].decode()
    head = front_matter(text)
    assert head["base_model"] == "HuggingFaceTB/SmolVLM-Instruct"
    assert head["pipeline_tag"] == "image-text-to-text"
    assert "model-index" not in head
    assert "No finished run of these weights" in text
    assert "| steps | 40 |" in text
    assert "somebody/distilled" not in text
    assert "commit" in done.stdout


def scored(name: str, digest: str, right: int) -> Task:
    """A run of 20 samples of which the first are right, as `bench run` logs it."""
    completions = {f"s{n}": (f"So \\boxed{{{7 if n < right else 8}}}", "stop") for n in range(20)}
    return Task(
        name="counts",
        version="1-A",
        dataset=MemoryDataset(
            [Sample(id=n, input="?", target="7", metadata={"cluster": n}) for n in completions]
        ),
        scorer=boxed(),
        solver=replay(completions, name),  # type: ignore[arg-type]
        metadata={
            "identity": {"task_version": "1-A", "data_hash": "d", "prompt_hash": "p"},
            "report": {"by": []},
            "model": {"model": f"checkpoints/{name}", "weights_digest": digest, "parameters": 1_200_000},
        },
    )


def test_the_card_holds_the_rows_of_these_weights(
    push: Push, hub: Hub, checkpoint: Path, tmp_path: Path
) -> None:
    from bench.serving.checkpoint import find_checkpoint

    digest = find_checkpoint(str(checkpoint)).digest
    tasks = [scored("run-1", digest, 10), scored("base", "b" * 64, 4), scored("other", "c" * 64, 12)]
    inspect_eval(tasks, model=None, log_dir=str(tmp_path / "logs"), display="none", ctl_server=False)
    done = push(checkpoint, "--to", "somebody/reader", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    head = front_matter(said["card"])
    (result,) = head["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 50.0
    assert "n 20" in result["metrics"][0]["name"]
    assert "base@bbbbbb" in said["card"]
    assert "other@" not in said["card"]
    assert hub.files == {}
    assert hub.created == []


def test_data_goes_to_a_data_set_of_its_own(push: Push, hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "distilled").mkdir()
    (tmp_path / "distilled" / "train-00000-of-00001.parquet").write_bytes(b"PAR1")
    done = push(checkpoint, "--to", "somebody/reader", "--data", tmp_path / "distilled")
    assert done.returncode == 0, done.stderr
    assert hub.files["datasets/somebody/reader-data"] == {"train-00000-of-00001.parquet": b"PAR1"}
    assert front_matter(hub.files["models/somebody/reader"]["README.md"].decode())["datasets"] == [
        "somebody/reader-data"
    ]


def test_a_refusal_is_one_line(push: Push, hub: Hub, checkpoint: Path) -> None:
    hub.refuse = 403
    done = push(checkpoint, "--to", "somebody/reader")
    assert done.returncode == 2
    assert "the hub refused" in done.stderr
    assert "hf auth login" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_that_is_not_there_is_an_incomplete_run(
    push: Push, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    done = push(checkpoint, "--to", "somebody/reader")
    assert done.returncode == 4
    assert "could not be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("repository", "data", "said"),
    [
        ("reader", None, "OWNER/NAME"),
        ("some body/reader", None, "--to some body/reader"),
        ("somebody/reader", ".", "not a training folder"),
    ],
)
def test_mistakes_are_named_before_anything_is_sent(
    checkpoint: Path, tmp_path: Path, repository: str, data: str | None, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=said):
        prepare(
            str(checkpoint), repository, log_dir=tmp_path / "logs", data=tmp_path / "empty" if data else None
        )


def test_an_adapter_on_a_local_base_is_pushed_with_a_note(
    push: Push, hub: Hub, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(tiny_checkpoint), "r": 4})
    )
    done = push(tmp_path / "adapter", "--to", "somebody/reader")
    assert done.returncode == 0, done.stderr
    assert "nobody else can load it" in " ".join(done.stderr.split())
    assert "base_model" not in front_matter(hub.files["models/somebody/reader"]["README.md"].decode())


def test_a_lineage_of_other_weights_is_not_pushed(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(tiny_checkpoint, folder)
    lineage = {"recipe": {"name": "counting"}, "weights_digest": find_checkpoint(str(folder)).digest}
    (folder / "lineage.json").write_text(json.dumps(lineage))
    kept = prepare(str(folder), "somebody/reader", log_dir=tmp_path / "logs")
    (folder / "chat_template.jinja").write_text("another")
    changed = prepare(str(folder), "somebody/reader", log_dir=tmp_path / "logs")
    assert (kept.notes, "lineage.json" in kept.files, "counting" in kept.card) == ((), True, True)
    assert "lineage.json is about other weights" in changed.notes[0]
    assert "lineage.json" not in changed.files and "counting" not in changed.card


def test_a_checkpoint_from_elsewhere_says_that_it_has_no_lineage() -> None:
    text = card("a/b", digest="d" * 64, parameters=None, adapter=False, base=None, lineage=None, board=None)
    assert "was not made by `bench train`" in text
