"""What a recipe may say, and that every mistake in it is reported with its line and a way out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.declarations.recipes import builtin_recipes, find_recipe, recipe_problems, recipe_schema
from bench.errors import RequestError
from trainers.recipe import TrainRecipe

ROOT = Path(__file__).parents[3]

GOOD = """\
name: counting
summary: Count bars.
base: {checkpoint: nano-untrained}
data:
  jsonl: rows.jsonl
target:
  form: answer_only
optimizer: {learning_rate: 1e-3}
batch: {size: 8, per_device: 4}
epochs: 2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def messages(folder: Path, text: str) -> list[str]:
    return [problem.at(Path("recipe.yaml")) for problem in recipe_problems(write(folder, text))]


def test_a_short_recipe_gets_the_defaults(tmp_path: Path) -> None:
    recipe = find_recipe(str(write(tmp_path, GOOD)))

    assert recipe.data.jsonl == tmp_path / "rows.jsonl" and recipe.data.source == "jsonl"
    assert recipe.optimizer.learning_rate == 0.001 and recipe.optimizer.betas == (0.9, 0.999)
    assert recipe.adapter is None and recipe.frozen == () and recipe.precision == "auto"
    assert (recipe.total_steps(20), recipe.total_steps(21), recipe.total_steps(1)) == (5, 6, 1)


def test_every_mistake_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        GOOD.replace("name: counting", "name: Counting Bars")
        .replace("optimizer: {learning_rate: 1e-3}", "optimizer: {learningrate: 1e-3}")
        .replace("form: answer_only", "form: answer_olny")
        .replace("  jsonl: rows.jsonl", "  jsonl: rows.jsonl\n  task: chart_vqa\n  limt: 3")
        .replace("epochs: 2", "epochs: 2\nsteps: 10\nfreeze: vision")
    )

    found = messages(tmp_path, text)

    assert found == [
        "recipe.yaml:1: name: 'Counting Bars' is not allowed: Name in small letters, digits, _ and -; "
        "checkpoints go to checkpoints/<name>/.",
        "recipe.yaml:1: give exactly one of epochs and steps, not both",
        "recipe.yaml:4: data: give exactly one of task, folder, jsonl, parquet, hub, not task and jsonl",
        "recipe.yaml:7: unknown key 'limt' in data; did you mean 'limit'? (allowed: task, folder, jsonl, "
        "parquet, hub, revision, split, args, limit)",
        "recipe.yaml:9: target.form: should be 'answer_only', 'rationale_then_answer', 'staged_tags', "
        "'essay_structured' or 'essay_unstructured', not 'answer_olny'; did you mean 'answer_only'?",
        "recipe.yaml:10: optimizer.learning_rate is missing: The highest learning rate.",
        "recipe.yaml:10: unknown key 'learningrate' in optimizer; did you mean 'learning_rate'? (allowed: "
        "name, learning_rate, betas, eps, weight_decay, max_grad_norm)",
        f"recipe.yaml:14: unknown key 'freeze'; did you mean 'frozen'? (allowed: "
        f"{', '.join(TrainRecipe.model_fields)})",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("per_device: 4", "per_device: 3", "batch: size 8 is no multiple of per_device 3"),
        ("epochs: 2", "", "give exactly one of epochs and steps, not none"),
        ("epochs: 2", "epochs: 0", "epochs: should be greater than 0, not 0"),
        ("{checkpoint: nano-untrained}", "nano", "base: should be a mapping, `key: value` lines, not 'nano'"),
        (
            "form: answer_only",
            "form: answer_only\n  answer: 'seven'",
            "target.answer: has no {answer} in it, so every target would be the same",
        ),
        (
            "form: answer_only",
            "form: answer_only\n  answer: '\\boxed{answer}{x}'",
            "has another field than {answer}; literal braces are doubled",
        ),
        ("epochs: 2", "epochs: 2\nfrozen: [vision, connector, text]", "frozen names every part"),
        (
            "epochs: 2",
            "epochs: 2\nfrozen: vision\nadapter: {kind: lora}",
            "frozen and adapter exclude each other",
        ),
        ("epochs: 2", "epochs: 2\nadapter: {kind: lora, targets: '('}", "'(' is no regular expression"),
        ("jsonl: rows.jsonl", "hub: owner/name", "data: hub needs revision"),
        (
            "jsonl: rows.jsonl",
            "jsonl: rows.jsonl\n  args: {size: 3}",
            "args can only go with task, not with jsonl",
        ),
        (
            "jsonl: rows.jsonl",
            "jsonl: r.jsonl\n  revision: abc",
            "revision can only go with hub, not with jsonl",
        ),
    ],
)
def test_single_mistakes(tmp_path: Path, old: str, new: str, said: str) -> None:
    [message] = messages(tmp_path, GOOD.replace(old, new))
    assert said in message


def test_values_changed_on_the_command_line(tmp_path: Path) -> None:
    path = str(write(tmp_path, GOOD))

    recipe = find_recipe(path, {"optimizer.learning_rate": 2e-4, "steps": 30, "adapter.kind": "dora"})

    assert recipe.optimizer.learning_rate == 2e-4 and recipe.steps == 30 and recipe.epochs is None
    assert recipe.adapter is not None and recipe.adapter.kind == "dora" and recipe.adapter.r == 16
    with pytest.raises(RequestError) as wrong:
        find_recipe(path, {"optimizer.lr": 1e-3, "sed": 3, "batch": 4})
    assert str(wrong.value).splitlines() == [
        "--set unknown key 'lr' in optimizer (allowed: name, learning_rate, betas, eps, weight_decay, "
        "max_grad_norm)",
        "--set batch: should be a mapping, `key: value` lines, not 4",
        f"--set unknown key 'sed'; did you mean 'seed'? (allowed: {', '.join(TrainRecipe.model_fields)})",
    ]


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"recipe 'ielts_structurd' is not one of .*did you mean 'ielts_structured'"
    ):
        find_recipe("ielts_structurd")
    with pytest.raises(RequestError, match=r"no file .*mine\.yaml"):
        find_recipe(str(tmp_path / "mine.yaml"))


def test_the_digest_is_of_what_the_recipe_does(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.copy(path, tmp_path / "elsewhere" / "other.yaml")
    reworded = write(tmp_path / "elsewhere", GOOD.replace("Count bars.", "Counts."))
    digest = find_recipe(str(path)).digest

    assert find_recipe(str(moved)).digest == digest == find_recipe(str(reworded)).digest
    assert find_recipe(str(path), {"seed": 1}).digest != digest
    # What is written out is what was meant by default.
    assert find_recipe(str(path), {"optimizer.weight_decay": 0.0}).digest == digest


def test_the_resolved_recipe_is_a_recipe_again(tmp_path: Path) -> None:
    recipe = find_recipe(str(write(tmp_path, GOOD)))
    again = tmp_path / "again.yaml"
    again.write_text(json.dumps(recipe.as_plain()))  # JSON is YAML

    assert find_recipe(str(again)) == recipe


def test_the_schema_in_docs_is_current() -> None:
    """To renew it: bench schema recipe > docs/recipe.schema.json."""
    kept = json.loads((ROOT / "docs" / "recipe.schema.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(recipe_schema()))


def test_our_recipes_are_named_for_their_files() -> None:
    assert builtin_recipes()
    for name in builtin_recipes():
        assert find_recipe(name).name == name
