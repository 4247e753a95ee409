"""bench train: rows of files and tasks become examples, mistakes are one line and an exit code."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import pyarrow
from PIL import Image, ImageDraw
from pyarrow import parquet
from rich.console import Console

from bench import cli
from bench.commands.train import TrainingShow
from bench.declarations.recipes import find_recipe
from bench.errors import RequestError
from bench.serving.checkpoint import find_checkpoint
from bench.serving.logged_lineage import logged_lineage
from bench.training.training_data import training_data
from bench.training.training_run import TrainRequest
from results.logs.ancestry import lineage_of, lineage_warning
from results.logs.judge_warnings import teachers
from tasks.cache import cache_folder
from trainers.data.shared_examples import overlaps
from trainers.models.untrained_nano import write_untrained

pytestmark = pytest.mark.slow

RECIPE = """\
name: counting
summary: Count bars.
base: {{checkpoint: {base}}}
data: {data}
target: {{form: {form}}}
optimizer: {{learning_rate: 1e-3}}
batch: {{size: 4}}
steps: 3
precision: float32
log_every: 1
validation: {{size: 3}}
"""

Command = Callable[..., tuple[int, str, str]]


def drawn(number: int) -> bytes:
    image = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(image).rectangle((2, 2, 5 + number, 30), fill=(number * 7 % 256, 9, 9))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def rows(folder: Path, count: int = 30) -> Path:
    """A JSONL file of rows with their pictures beside it."""
    for number in range(count):
        (folder / f"{number}.png").write_bytes(drawn(number))
    lines = [
        {"id": f"n{n}", "image": f"{n}.png", "prompt": "How long?", "completion": f"So \\boxed{{{n}}}"}
        for n in range(count)
    ]
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def recipe(folder: Path, data: str = "{jsonl: rows.jsonl}", form: str = "rationale_then_answer") -> Path:
    file = folder / "recipe.yaml"
    base = write_untrained(cache_folder("checkpoints") / "tiny")  # once for the session
    file.write_text(RECIPE.format(data=data, form=form, base=base))
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs `bench` here: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_from_rows_to_a_checkpoint_that_is_found_again(command: Command, tmp_path: Path) -> None:
    rows(tmp_path)

    code, out, err = command("train", recipe(tmp_path), "--set", "seed=3", "--json", "--show", "plain")

    assert code == 0, err
    made = json.loads(out)
    folder = tmp_path / made["checkpoint"]
    assert folder.parent == tmp_path / "checkpoints" / "counting"
    assert made["steps"] == 3 and made["loss"] > 0 and made["validation_exact"] == 0
    assert "step 3/3: loss" in err and "tokens/s" in err and "images/s" in err and "left 00:00:00" in err
    lineage = json.loads((folder / "lineage.json").read_text())
    assert lineage["recipe"]["seed"] == 3 and lineage["recipe_digest"] == made["recipe_digest"]
    assert "overlap with the test split of any task is not checked: the examples name none" in err
    data = {"source": "jsonl", "examples": 27, "validation": 3, "held_out": {}}
    assert lineage["data"]["held_out_unchecked"].keys() == {"any task"}
    assert data.items() <= lineage["data"].items()
    found = find_checkpoint(str(folder))
    base = find_checkpoint(lineage["recipe"]["base"]["checkpoint"])
    assert found.recipe_commit == lineage["commit"] and found.parameters == base.parameters
    assert lineage["weights_digest"] == found.digest
    assert (
        found.digest
        != lineage["base_digest"]
        == find_checkpoint(lineage["recipe"]["base"]["checkpoint"]).digest
    )
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, io.SEEK_END)
        last = weights.read()
        weights.seek(-1, io.SEEK_END)
        weights.write(bytes([last[0] ^ 1]))
    # Other weights under the same name: what the folder tells of its training is not about them.
    found = find_checkpoint(str(folder))
    changed = {"weights_digest": found.digest, "lineage": logged_lineage(found)}
    assert found.recipe_commit is None and changed["weights_digest"] != lineage["weights_digest"]
    assert lineage_of(changed) is None and "changed after training" in str(lineage_warning(changed))


def test_a_dry_run_shows_what_would_be_trained(command: Command, tmp_path: Path) -> None:
    from trainers.loop.loop import on_cpu

    rows(tmp_path)
    file = recipe(tmp_path)

    code, out, _ = command("train", file, "--dry-run", "--json", "--max-steps", 9, "--set", "frozen=vision")

    assert code == 0
    told = json.loads(out)
    assert told["steps"] == 9 and told["recipe"]["frozen"] == ["vision"]
    assert told["parameters"]["vision"] == {"all": 481_280, "trained": 0}
    assert told["parameters_trained"] == sum(part["trained"] for part in told["parameters"].values())
    assert told["parameters"]["text"]["all"] == told["parameters"]["text"]["trained"] > 500_000
    assert told["data"]["examples"] == 27 and told["data"]["too_long"] == "0 (0.0%)"
    assert told["data"]["tokens"] > told["data"]["tokens_trained"] > 27 * 4
    memory = told["memory_gib_estimate"]
    # Four bytes a weight; of those trained as many again for the gradient, and twice as many for AdamW.
    assert memory["weights"] == round(4 * sum(part["all"] for part in told["parameters"].values()) / 2**30, 3)
    assert memory["gradients"] == round(4 * told["parameters_trained"] / 2**30, 3)
    assert memory["optimizer"] == round(8 * told["parameters_trained"] / 2**30, 3)
    # On a CPU the process is in the same memory, and larger than a model of this size.
    assert (memory["process"] > 0.3) == on_cpu()
    assert memory["total"] == pytest.approx(sum(memory.values()) - memory["total"], abs=0.01)
    number = told["example"]["id"].removeprefix("n")
    assert told["example"]["text"] == (
        "<|im_start|>User:<fake_token_around_image><global-img><image>×16<fake_token_around_image> How long?"
        f"<end_of_utterance>\n<|im_start|>Assistant:⟦ So \\boxed{{{number}}}<end_of_utterance>⟧"
    )
    code, out, _ = command("train", file, "--dry-run", "--set", "max_tokens=16")
    assert code == 2
    twice = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    both = [
        {**row, "id": f"{row['id']}-{k}", "prompt": f"How {k}?"} for row in twice for k in ("long", "wide")
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in both))
    packed = ("--set", "batch.packed=true", "--set", "epochs=2", "--set", "validation.size=0")
    code, out, _ = command("train", file, "--dry-run", "--json", *packed)
    told = json.loads(out)
    assert (told["data"]["examples"], told["steps"], told["passes"]) == (60, 15, 2.0)
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    ("arguments", "changed", "code", "said"),
    [
        (["--set", "base.checkpoint=nowhere"], None, 2, "base.checkpoint: nowhere: no such folder"),
        (["--set", "base.checkpoint=./missing"], None, 2, "no such folder"),
        (["--set", "optimizer.lerning_rate=1"], None, 2, "did you mean 'learning_rate'"),
        (["--set", "max_tokens=16"], None, 2, "no example can be trained on: 27 too long"),
        (["--set", "batch.per_device=3"], None, 2, "size 4 is no multiple of per_device 3"),
        (["--set", "frozen=audio"], None, 2, "should be 'vision', 'connector' or 'text'"),
        (["--resume"], None, 2, "no unfinished training in checkpoints/counting"),
        (["--report-to", "wandbb"], None, 2, "did you mean 'wandb'"),
        (["--report-to", "mlflow"], None, 2, "--report-to mlflow: not installed; pip install mlflow"),
        ([], {"image": None}, 2, "no example to train on (n0: no image"),
        ([], {"prompt": None, "question": "?"}, 2, "no prompt (columns:"),
        ([], {"completion": ""}, 2, "no text to learn"),
    ],
)
def test_mistakes_are_one_line(
    command: Command,
    tmp_path: Path,
    arguments: list[str],
    changed: dict[str, Any] | None,
    code: int,
    said: str,
) -> None:
    file = rows(tmp_path)
    if changed is not None:
        lines = [{**json.loads(line), **changed} for line in file.read_text().splitlines()]
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))

    ended, out, err = command("train", recipe(tmp_path), *arguments, "--show", "none")

    assert (ended, out) == (code, "")
    assert said in err and "Traceback" not in err
    assert not list(tmp_path.glob("checkpoints/counting/*"))


MAIN = """
import contextlib, io, json, sys
from bench import cli
found = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["bench", "train", *arguments]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    heavy = {"torch", "transformers", "datasets", "inspect_ai", "pandas"} & set(sys.modules)
    found.append([code, said.getvalue(), sorted(heavy)])
print(json.dumps(found))
"""
WRONG_RECIPES = (
    (["recipe.yaml", "--set", "optimizer.lr=3"], "unknown key 'lr' in optimizer"),
    (["recipe.yaml", "--nproc=2", "--set", "epochs=2", "--set", "steps=3"], "exactly one of epochs"),
    (["recipe.yaml", "--dry-run", "--set", "base.checkpoint=./gone"], "gone: no such folder"),
    (["recipe.yaml", "--out", "."], "exists already"),
    (["svrd"], "distilled/svrd; `bench distill` writes one"),
    (["no_recipe"], "is not one of chart_answer_only"),
)


@pytest.mark.process
def test_a_wrong_recipe_is_refused_without_heavy_libraries(tmp_path: Path) -> None:
    """They take ten seconds to import, and whoever mistyped a key would wait for them."""
    recipe(tmp_path)
    rows(tmp_path, 1)

    arguments = json.dumps([given for given, _ in WRONG_RECIPES])
    done = subprocess.run(
        [sys.executable, "-c", MAIN, arguments],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True,
    )  # fmt: skip

    for (given, said), (code, err, heavy) in zip(WRONG_RECIPES, json.loads(done.stdout), strict=True):
        assert (code, heavy) == (2, []), (given, err)
        assert said in err, given


def test_out_of_disk_ends_with_4(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trainers.loop.loop

    def full(*_: Any) -> None:
        raise RuntimeError(
            "[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed writing file"
        )

    monkeypatch.setattr(trainers.loop.loop.Loop, "_save_optimizer_and_scheduler", full)
    rows(tmp_path)

    code, _, err = command("train", recipe(tmp_path), "--show", "none")

    assert code == 4 and "the disk is full; no checkpoint was written yet" in err


def test_a_tasks_train_split_becomes_examples(tmp_path: Path) -> None:
    args = "{task: chart_vqa, args: {size: 12, seed: 5, charts: bar, width: 320, height: 240}}"
    found = training_data(find_recipe(str(recipe(tmp_path, args))), also_held_out=["chart_vqa"])

    assert len(found.train) == 12 and len(found.validation) == 3 and len(found.held_out) == 300
    assert found.described["held_out"] == {"chart_vqa": 300} and not found.left_out
    first = found.train[0]
    assert first.prompt.startswith("Look at the chart and answer the question.")
    assert "The answer is \\boxed{" in first.completion and first.groups["chart"] == "bar"
    assert len(first.sources) == 1 and first.images[0].is_file()
    short = training_data(find_recipe(str(recipe(tmp_path, args, "answer_only"))))
    assert short.train[0].completion == "\\boxed{" + first.completion.rpartition("\\boxed{")[2].removesuffix(
        "."
    )


def test_a_training_folder_as_the_design_has_it(tmp_path: Path) -> None:
    """Parquet with images embedded; the test split of the tasks it names may not be in it."""
    from tasks.chart_vqa.records import charts

    folder = tmp_path / "distilled"
    folder.mkdir()
    test_picture = Path(str(charts("test", size=1, seed=1)[0]["image"]))
    columns = {
        "images": [[{"bytes": drawn(n), "path": None}] for n in range(3)]
        + [[{"bytes": test_picture.read_bytes(), "path": None}]],
        "prompt": ["How long?"] * 4,
        "completion": ["So \\boxed{1}", "No answer.", "So \\boxed{2}", "So \\boxed{3}"],
        "task": ["chart_vqa"] * 4,
        "sample_id": ["a", "b", "a", "leaked"],
        "groups": [{"chart": "bar"}] * 4,
    }
    parquet.write_table(pyarrow.table(columns), folder / "train-00000-of-00001.parquet")
    parquet.write_table(pyarrow.table(columns), folder / "test-00000-of-00001.parquet")

    teacher = {"model": "openai/gpt-4o", "weights_digest": None, "engine": "inspect/openai"}
    (folder / "provenance.json").write_text(json.dumps({"teacher": teacher, "rows": 4}))

    found = training_data(find_recipe(str(recipe(tmp_path, "{folder: distilled}", "answer_only"))))

    # Its judge must not be the same model; the lineage says which it was.
    assert found.described["teacher"] == {"model": "openai/gpt-4o", "weights_digest": None}
    assert teachers({"lineage": {"data": found.described}}) == [found.described["teacher"]]
    assert [one.id for one in found.train] == ["a", "a (train-00000-of-00001.parquet row 3)", "leaked"]
    assert found.left_out == {
        "b": "no answer: neither a target nor a \\boxed{} or CONCLUSION in the completion"
    }
    assert found.train[0].completion == "\\boxed{1}" and found.train[0].groups == {"chart": "bar"}
    assert next(one.train_id for one in overlaps(found.train, found.held_out)) == "leaked"


def test_the_test_split_is_looked_for_where_the_records_are(
    tmp_path: Path, scienceqa_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scienceqa_folder.parent)
    args = f"{{path: {scienceqa_folder}, check_counts: false, subset: 4}}"
    file = str(recipe(tmp_path, f"{{task: scienceqa, args: {args}}}", "answer_only"))

    found = training_data(find_recipe(file, {"validation.size": 0}))

    tests = found.described["held_out"]["scienceqa"]
    assert len(found.train) == 4 < tests == len(found.held_out) and not found.described["held_out_unchecked"]

    # A training folder names the task and, without its folders, where the records were.
    columns = {name: ["x"] for name in ("prompt", "completion", "sample_id")} | {"task": ["scienceqa"]}
    columns["images"] = [[{"bytes": drawn(1), "path": None}]]
    folder = tmp_path / "distilled"
    folder.mkdir()
    parquet.write_table(pyarrow.table(columns), folder / "train.parquet")
    said = {"task": "scienceqa", "dataset_args": {"path": scienceqa_folder.name, "check_counts": False}}
    (folder / "provenance.json").write_text(json.dumps(said))
    file = str(recipe(tmp_path, "{folder: distilled}"))
    assert training_data(find_recipe(file)).described["held_out"] == {"scienceqa": tests}

    (folder / "provenance.json").unlink()
    given = {"path": str(scienceqa_folder), "check_counts": False}
    described = training_data(find_recipe(file), held_out_args=given).described
    assert described["held_out"] == {"scienceqa": tests}
    described = training_data(find_recipe(file), held_out_args={"path": "gone"}).described
    assert described["held_out"] == {} and "-T path=…" in described["held_out_unchecked"]["scienceqa"]
    with pytest.raises(RequestError, match="did you mean 'path'"):
        training_data(find_recipe(file), also_held_out=["scienceqa"], held_out_args={"pth": "."})

    parquet.write_table(pyarrow.table({**columns, "task": ["theirs"]}), folder / "train.parquet")
    described = training_data(find_recipe(file)).described
    assert described["held_out_unchecked"].keys() == {"theirs"}


def test_an_example_of_the_test_split_is_refused_by_name(command: Command, tmp_path: Path) -> None:
    file = rows(tmp_path, 20)
    from tasks.chart_vqa.records import charts

    leaked = charts("test", size=1, seed=1)[0]
    row = {"id": "leak", "image": str(leaked["image"]), "prompt": "?", "completion": "\\boxed{1}"}
    file.write_text(file.read_text() + json.dumps({**row, "task": "chart_vqa"}) + "\n")
    arguments = ("train", recipe(tmp_path), "--show", "none", "--json", "--set", "validation.size=0")

    code, _, err = command(*arguments)

    assert code == 2 and f"{leaked['id']} (same image as leak)" in err and "--allow-overlap" in err
    code, _, err = command(*arguments, "--allow-overlap", "--out", "allowed")
    assert code == 0, err
    lineage = json.loads((tmp_path / "allowed" / "lineage.json").read_text())
    assert lineage["overlap_allowed"]["test"] >= 1


@pytest.mark.parametrize(
    "row",
    [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "How long?"}]},
                {"role": "assistant", "content": "\\boxed{3}"},
            ]
        },
        {
            "prompt": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "How long?"},
            ],
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": "\\boxed{3}"}]}],
        },
        {"system": "Be brief.", "prompt": "How long?", "completion": "\\boxed{3}"},
    ],
)
def test_rows_in_trls_forms(tmp_path: Path, row: dict[str, Any]) -> None:
    (tmp_path / "a.png").write_bytes(drawn(3))
    (tmp_path / "rows.jsonl").write_text(json.dumps({**row, "images": ["a.png"]}) + "\n")

    [example] = training_data(find_recipe(str(recipe(tmp_path)))).train

    assert (example.system, example.prompt, example.completion) == ("Be brief.", "How long?", "\\boxed{3}")
    assert example.images == (tmp_path / "a.png",)


def test_code_from_a_checkpoint_needs_both_to_agree(tmp_path: Path) -> None:
    from bench.training.training_run import resolved

    file = str(recipe(tmp_path))
    changes = {"base.trust_remote_code": True}
    with pytest.raises(RequestError, match="allow it with --trust-remote-code"):
        resolved(TrainRequest(file, changes))
    assert resolved(TrainRequest(file, changes, trust_remote_code=True)).base.trust_remote_code


def test_without_a_bar_quarters_of_a_wait_are_said() -> None:
    said = io.StringIO()
    show = TrainingShow(Console(file=said), "plain")
    for done in range(2001):
        show.records(done, 2000)
    assert said.getvalue().splitlines() == [
        f"records: {done} of 2,000" for done in ("0", "500", "1,000", "1,500", "2,000")
    ]
