"""The table that ends a run: 80 columns whatever the names, and JSON with everything in it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Outcome, Outcomes
from results.shown.run_table import print_runs, run_json
from results.shown.words import shown


def outcome(number: int, value: float | None = 1.0, **changes: object) -> Outcome:
    plain = Outcome(
        id=str(number),
        epoch=1,
        value=value,
        reason=None if value is not None else "the image cannot be decoded",
        answer="7",
        target="7",
        no_answer=False,
        truncated=False,
        anywhere=True,
        cluster=str(number // 3),
        groups={"chart": "bar" if number % 2 else "pie", "family": "mean"},
        output_tokens=10,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def run(outcomes: list[Outcome], **changes: object) -> Run:
    plain = Run(
        location="logs/one.eval",
        task="chart_vqa",
        model="checkpoints/nano",
        status="success",
        expected=len(outcomes),
        identity={"weights_digest": "0123456789abcdef" * 4},
        report_by=("chart", "family"),
        outcomes=Outcomes.of(outcomes),
        seconds=2.0,
        error=None,
        created="2026-11-21T12:00:00+00:00",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def printed(runs: list[Run], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_runs(runs, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("task", ["chart_vqa", "a_task_with_a_very_long_name_that_goes_on_and_on_to_the_end"])
@pytest.mark.parametrize(
    "model", ["nano", "/home/someone/checkpoints/my_recipe/SmolVLM2-2.2B-Instruct-lora-r16-lr2e-4-epoch-3"]
)
def test_it_fits_80_columns_and_keeps_the_numbers(task: str, model: str) -> None:
    outcomes = [outcome(number, float(number % 7 == 0)) for number in range(1234)]
    text = printed([run(outcomes, task=task, model=model, expected=1240)])
    assert max(len(line) for line in text.splitlines()) <= 80
    numbers = text.splitlines()
    assert any("1234" in line and "14.3 [12.7, 15.9]" in line and "617.0" in line for line in numbers)
    # Rich marks a cut text with an ellipsis; a name that was cut could not be told from another.
    assert "…" not in text
    assert "6 unscored in " in text


def test_our_own_names_stay_on_one_line() -> None:
    text = printed([run([outcome(number, float(number % 7 == 0)) for number in range(1234)])])
    assert any(line.startswith("chart_vqa  nano@012345  1234  14.3 [12.7") for line in text.splitlines())


def test_the_widest_score_fits_too() -> None:
    text = printed([run([outcome(n) for n in range(300)])])
    assert "100.0 [" in text
    assert "100.0]" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_numbers_of_texts_fit_80_columns_of_a_wider_terminal_and_their_signatures_are_named() -> None:
    names = ("well_formed", "far_too_short", "rouge1", "rouge1_precision", "rouge1_recall")
    values = np.linspace(0, 0.99, 400)
    outcomes = replace(
        Outcomes.of([outcome(n, float(value)) for n, value in enumerate(values)]),
        numbers=dict.fromkeys(names, values),
    )
    metrics = {"well_formed": "words:150-190", "far_too_short": "words:150-190", "rouge": "stem:no"}
    one = run([outcome(1)], model="completions:essays_of_the_second_student.jsonl")
    identity = {**one.identity, "metrics": metrics}
    text = printed([replace(one, identity=identity, outcomes=outcomes, expected=400)], width=100)
    tables = text.partition("chart_vqa × completions")[2]
    assert "chart_vqa × completions:essays_of_the_second_student.jsonl@012345" in text
    assert max(len(line.rstrip()) for line in tables.splitlines()) <= 80
    assert "\nwell_formed: words:150-190\n" in text and "\nrouge: stem:no\n" in text
    assert text.count("words:150-190") == 1


def test_names_are_text_and_never_markup() -> None:
    text = printed([run([outcome(1, groups={"chart": "[bold]", "family": "[/]"})], model="[red]x")])
    assert "[bold]" in text
    assert "[red]x@012345" in text


def test_each_reason_is_counted() -> None:
    text = printed([run([outcome(1), outcome(2, None), outcome(3, None)], expected=5)])
    assert "2 unscored in chart_vqa × nano@012345: the image cannot be decoded" in text
    assert "2 unscored in chart_vqa × nano@012345: not run" in text


def test_a_run_without_any_score_prints_dashes() -> None:
    text = printed([run([outcome(1, None)], seconds=None)])
    assert "–" in text
    assert "nan%" not in text
    assert "nan [" not in text


def test_overwritten_weights_have_another_name() -> None:
    one = run([outcome(1)])
    assert short_name(one) == "nano@012345"
    assert short_name(replace(one, identity={"weights_digest": None})) == "nano"


def test_json_says_everything_and_is_json() -> None:
    outcomes = [outcome(1), outcome(2, 0.0, no_answer=True, anywhere=False), outcome(3, None, anywhere=None)]
    plain = json.loads(json.dumps(run_json(run(outcomes, expected=4)), allow_nan=False))
    assert plain["score"]["mean"] == 0.5
    assert plain["score"]["n"] == 2
    assert plain["rates"]["no_answer"]["mean"] == 0.5
    assert plain["rates"]["anywhere"]["mean"] == 0.5
    assert plain["unscored"] == {"the image cannot be decoded": 1, "not run": 1}
    assert plain["groups"]["chart"]["bar"]["score"]["n"] == 1
    assert plain["expected"] == 4
    assert plain["output_tokens"] == 30


def test_control_codes_are_not_sent_to_the_terminal() -> None:
    assert shown("\x1b[31mred\x1b[0m [bold]x").plain == "\ufffd[31mred\ufffd[0m [bold]x"
