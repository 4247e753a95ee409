"""The command: light to start, pure JSON where asked for, and one message for every wrong request."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.building.task import build_task
from bench.declarations.catalog import find_task


@pytest.mark.process
def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from bench.cli import main\n"
        "sys.argv = ['bench', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'vllm', 'transformers', 'inspect_ai', 'pandas', 'matplotlib', 'numpy', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for command in ("run", "list", "show", "render", "score", "mistakes", "view", "validate", "schema"):
        assert f" {command} " in done.stdout


@pytest.mark.process
def test_listing_needs_no_engine() -> None:
    program = (
        "import sys\nfrom bench.cli import app\napp(['list'], standalone_mode=False)\n"
        "print(sorted({'torch', 'vllm', 'transformers'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "chart_vqa" in done.stdout
    assert done.stderr.strip() == "[]"


def plain(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_list_show_and_schema_speak_json(bench: Any) -> None:
    (listed,) = [task for task in plain(bench("list", "--json")) if task["name"] == "chart_vqa"]
    assert listed == plain(bench("show", "chart_vqa", "--json"))
    assert listed["version"] == "1-A"
    assert plain(bench("schema"))["title"] == "TaskSpec"


def test_what_show_prints_is_a_task(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(bench("show", "chart_vqa").stdout)
    assert bench("validate", "again.yaml").returncode == 0
    assert plain(bench("show", "again.yaml", "--json")) == plain(bench("show", "chart_vqa", "--json"))


def test_render_writes_pictures_and_prompts(bench: Any, tmp_path: Path) -> None:
    rows = plain(bench("render", "chart_vqa", "-n", 3, "--out", "out", "-T", "size=6", "--json"))
    assert len(rows) == 3
    for row in rows:
        assert (tmp_path / row["images"][0]).read_bytes()[:4] == b"\x89PNG"
        assert "\\boxed{}" in (tmp_path / row["prompt_file"]).read_text()
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count("<figure>") == 3


def test_render_shows_solved_examples_with_their_pictures(
    bench: Any, scienceqa_folder: Path, tmp_path: Path
) -> None:
    source = ("-T", f"path={scienceqa_folder}", "check_counts=false", "shots=2")
    rows = plain(bench("render", "scienceqa", "-n", 2, "--out", "out", *source, "--json"))
    task = build_task(
        find_task("scienceqa"), {"path": str(scienceqa_folder), "check_counts": False, "shots": 2}
    )
    for row, sample in zip(rows, task.dataset, strict=False):
        sent = [message for message in sample.input if message.role == "user"]  # type: ignore[union-attr]
        assert [turn["prompt"] for turn in row["turns"]] == [message.text for message in sent]
        assert [turn["answer"] is None for turn in row["turns"]] == [False, False, True]
        for turn, message in zip(row["turns"], sent, strict=True):
            (image,) = turn["images"]
            picture = Path(message.content[0].image)
            assert (tmp_path / image).read_bytes() == picture.read_bytes()
        assert "--- assistant ---" in (tmp_path / row["prompt_file"]).read_text()
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.count("<section>") == 4 and page.count("shot-1.png") == page.count("shot-2.png") == 2


def test_validate_names_every_mistake_with_its_line(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: x\nversion: 1\nsumary: Hm\nscorer: boxd\n")
    done = bench("validate", "bad.yaml")
    assert done.returncode == 2
    assert "bad.yaml:3" in done.stdout
    assert "did you mean 'summary'" in done.stdout
    assert "did you mean 'boxed'" in done.stdout
    as_json = bench("validate", "bad.yaml", "--json")
    assert as_json.returncode == 2
    assert {row["line"] for row in json.loads(as_json.stdout)} >= {2, 3, 4}


def test_validate_looks_behind_an_unknown_scorer_and_past_a_missing_file(bench: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "name: sums\nversion: 1-A\nsummary: Add.\ndataset: {jsonl: rows.jsonl}\nprompt: '{question}'\n"
        "solver:\n  option_likelihood: {normalize: none}\n"
        "scorer:\n  - boxd\n  - boxed:\n      tolerence: 1\n      knd: text\n  - 7\n"
        "  - option_letter: {parser: none}\n"
    )
    (tmp_path / "worse.yaml").write_text("name: [\n")
    done = bench("validate", "gone.yaml", "bad.yaml", "also_gone.yaml", "worse.yaml")
    assert done.returncode == 2
    said = done.stdout.splitlines()
    for part in (
        "bad.yaml:7: solver 'option_likelihood' takes", "did you mean 'normalise'",
        "bad.yaml:8: scorer: give a name", "'boxd' is not one of", "bad.yaml:11: scorer 'boxed' takes",
        "did you mean 'tolerance'", "bad.yaml:12: scorer 'boxed' takes", "did you mean 'kind'",
        "bad.yaml:14: scorer 'option_letter'", "worse.yaml:", "no file gone.yaml", "no file also_gone.yaml",
    ):  # fmt: skip
        assert any(part in line for line in said), (part, said)


def test_a_dry_run_shows_a_prompt_and_starts_nothing(
    bench: Any, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    pytest.importorskip("vllm")
    shown = plain(
        bench(
            "run",
            "chart_vqa",
            "--model",
            tiny_checkpoint,
            "-T",
            "size=4",
            "--temperature",
            0.5,
            "-M",
            "max_num_seqs=4",
            "--dry-run",
            "--json",
        )
    )
    (task,), (model,), (prompt,) = shown["tasks"], shown["models"], shown["prompts"]
    assert task["samples"] == 4
    assert len(task["data_hash"]) == 64
    assert task["generation"]["temperature"] == 0.5
    assert len(model["weights_digest"]) == 64
    assert model["engine_arguments"]["max_num_seqs"] == 4
    assert prompt["rendered"].startswith("<|im_start|>User:<image>")
    assert prompt["rendered"].endswith("<|im_start|>Assistant:")
    assert not (tmp_path / "logs").exists()


WRONG: dict[str, tuple[list[str], int, list[str]]] = {
    "unknown task": (["run", "chart_vq", "--model", "nano"], 2, ["'chart_vq'", "did you mean 'chart_vqa'"]),
    "missing task file": (["run", "./mine.yaml", "--model", "nano"], 2, ["mine.yaml"]),
    "unknown option": (
        ["run", "chart_vqa", "--model", "nano", "--limt", "3"],
        2,
        ["no option --limt; did you mean '--limit'?", "see bench run --help"],
    ),
    "no model": (["run", "chart_vqa"], 2, ["--model is missing: Checkpoint folder", "see bench run --help"]),
    "no value": (["run", "chart_vqa", "--model"], 2, ["--model: the value is missing", "--help"]),
    "limit 0": (["run", "chart_vqa", "--model", "nano", "--limit", "0"], 2, ["--limit 0: should be greater"]),
    "limit many": (
        ["run", "chart_vqa", "--model", "nano", "--limit", "many"],
        2,
        ["--limit many: should be"],
    ),
    "unknown choice": (["schema", "tsk"], 2, ["'tsk' is not one of 'task', 'recipe'; did you mean 'task'?"]),
    "too many": (["compare", "a", "b", "c"], 2, ["unexpected extra argument", "see bench compare --help"]),
    "-T without =": (["run", "chart_vqa", "--model", "nano", "-T", "size"], 2, ["-T size", "KEY=VALUE"]),
    "unknown -T": (
        ["run", "chart_vqa", "--model", "nano", "-T", "sise=3"],
        2,
        ["'sise'", "did you mean 'size'", "allowed"],
    ),
    "bad -T": (["run", "chart_vqa", "--model", "nano", "-T", "size=many"], 2, ["size", "many"]),
    "bad -T choice": (
        ["run", "chart_vqa", "--model", "nano", "-T", "charts=bars"],
        2,
        ["bars", "did you mean 'bar'"],
    ),
    "missing folder": (
        ["run", "chart_vqa", "--model", "./checkpoints/gone", "-T", "size=2"],
        2,
        ["./checkpoints/gone", "no such folder", "config.json|hub id"],
    ),
    "unknown sample": (
        ["run", "chart_vqa", "--model", "nano", "-T", "size=4", "--sample-id", "bar-9"],
        2,
        ["bar-9", "no such sample", "bar-00000"],
    ),
    "unreachable server": (
        [
            "run",
            "chart_vqa",
            "--model",
            "vllm/x",
            "--model-base-url",
            "http://127.0.0.1:9/v1",
            "-T",
            "size=2",
        ],
        4,
        ["http://127.0.0.1:9/v1", "nothing answers", "Start the server"],
    ),
    "missing completions": (["score", "chart_vqa", "gone.jsonl"], 2, ["gone.jsonl", "completion"]),
    "bad completions": (["score", "chart_vqa", "bad.jsonl"], 2, ["bad.jsonl:1", "bad.jsonl:2"]),
    "strangers": (
        ["score", "chart_vqa", "strange.jsonl", "-T", "size=2"],
        2,
        ["who", "bar-00000", "--samples"],
    ),
    "missing log": (["mistakes", "gone.eval"], 2, ["gone.eval", "bench run"]),
    "no log": (["mistakes", "bad.jsonl"], 2, ["bad.jsonl"]),
    "missing log folder": (["view", "--log-dir", "gone"], 2, ["gone"]),
    "unknown task to show": (["show", "nothing"], 2, ["nothing", "chart_vqa"]),
    "missing file to validate": (["validate", "gone.yaml"], 2, ["gone.yaml"]),
    "unknown command": (["rnu"], 2, ["no such command 'rnu'", "'run'", "see bench --help"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_ends_in_one_message(bench: Any, tmp_path: Path, name: str) -> None:
    arguments, code, said = WRONG[name]
    (tmp_path / "bad.jsonl").write_text('{"id": 1}\nno\n')
    (tmp_path / "strange.jsonl").write_text('{"id": "who", "completion": ""}\n')
    done = bench(*arguments)
    assert done.returncode == code, done.stderr
    message = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert "Traceback" not in message
    for part in said:
        assert any(choice in message for choice in part.split("|")), message
    assert not list(tmp_path.glob("logs/*.eval"))


@pytest.mark.process
def test_a_reader_that_has_seen_enough_does_not_change_the_exit_code() -> None:
    program = (
        "import sys\nfrom bench.commands.terminal import console\nout = console()\n"
        "for _ in range(5000):\n    out.print('x' * 50)\nsys.exit(3)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 3


def test_a_folder_that_cannot_be_written_is_no_traceback(bench: Any, endpoint: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = bench(
        "run", "chart_vqa", "--model", "vllm/fake", "--model-base-url", endpoint.url, "-T", "size=2",
        "--log-dir", "file/logs",
    )  # fmt: skip
    assert done.returncode in (2, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "file/logs" in done.stderr


def test_a_run_prints_a_table_and_where_its_log_is(bench: Any, endpoint: Any, tmp_path: Path) -> None:
    arguments = ["run", "chart_vqa", "--model", "vllm/fake", "--model-base-url", endpoint.url, "-T", "size=6"]
    done = bench(*arguments, "--log-images")
    assert done.returncode == 0, done.stderr
    assert "score ±95%" in done.stdout
    (log,) = (tmp_path / "logs").glob("*.eval")
    assert log.name in done.stdout
    (result,) = plain(bench(*arguments, "--json"))
    assert result["expected"] == 6
    page = tmp_path / "page.html"
    shown = bench("mistakes", log, "--out", page)
    assert shown.returncode == 0, shown.stderr
    assert page.read_text().startswith("<!doctype html>")
    one_model = bench("mistakes", "logs@fake")
    assert one_model.returncode == 0, one_model.stderr
    (other,) = (tmp_path / "logs").glob("*.mistakes.html")  # of the newest
    assert other.read_text().startswith("<!doctype html>")
    nobody = bench("mistakes", "logs@fale")
    assert nobody.returncode == 2
    assert "no run of a model 'fale'; did you mean" in nobody.stderr
