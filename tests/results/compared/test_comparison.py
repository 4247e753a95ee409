"""Verdicts: which test gives which, what is not comparable, and what is said about the format."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from results.compared.comparable import NotComparable
from results.compared.comparison import Rules, TaskComparison, compare, difference_verdict, noise_floors
from results.compared.comparison_table import comparison_json, print_comparison
from results.compared.comparison_text import notes, p_text, signed, verdict_text
from results.compared.flips import flips
from results.logs.logged_run import Run
from results.logs.outcomes import Outcome, Outcomes
from results.numbers.paired import PairedDifference
from results.numbers.sign_flips import SignTest

HOSTILE = "\x1b[31mred\x1b]0;title\x07 [bold]x[/bold] \u202e\n"


def outcome(number: int, value: float | None, **changes: Any) -> Outcome:
    plain = Outcome(
        id=f"s{number}", epoch=1, value=value, reason=None if value is not None else "crash",
        answer="7" if value else "8", target="7", no_answer=False, truncated=False, anywhere=True,
        cluster=f"c{number // 2}", groups={"chart": "bar" if number % 4 < 2 else "pie"}, output_tokens=10,
    )  # fmt: skip
    return replace(plain, **changes)


def run(values: Sequence[float | None] | Sequence[Outcome], **changes: Any) -> Run:
    outcomes = [one if isinstance(one, Outcome) else outcome(n, one) for n, one in enumerate(values)]
    identity = {
        "task_version": "1-A",
        "data_hash": "d" * 64,
        "prompt_hash": "p" * 64,
        "weights_digest": "0" * 64,
    }
    plain = Run(
        location="logs/nowhere.eval", task="charts", model="m/base", status="success", expected=len(outcomes),
        identity=identity | changes.pop("identity", {}), report_by=("chart",), outcomes=Outcomes.of(outcomes),
        seconds=5.0, error=None, created="2026-11-21T12:00:00+00:00",
    )  # fmt: skip
    return replace(plain, **changes)


def candidate(values: Sequence[float | None] | Sequence[Outcome], **changes: Any) -> Run:
    identity = {"weights_digest": "1" * 64} | changes.pop("identity", {})
    return run(values, model="m/tuned", identity=identity, **{"location": "logs/tuned.eval", **changes})


def flipped(n: int, worse: int, better: int) -> tuple[list[float | None], list[float | None]]:
    """n scores, half of them right; spread so that a picture has at most one flip."""
    base: list[float | None] = [float(number % 4 < 2) for number in range(n)]
    after = list(base)
    right = [number for number in range(0, n, 2) if base[number] == 1.0]
    wrong = [number for number in range(0, n, 2) if base[number] == 0.0]
    for number in right[:worse]:
        after[number] = 0.0
    for number in wrong[:better]:
        after[number] = 1.0
    return base, after


def only(base: Run, other: Run, **rules: Any) -> TaskComparison:
    (task,) = compare([base], [other], Rules(**rules))
    return task


@pytest.mark.parametrize(
    ("n", "worse", "better", "margin", "expected"),
    [
        (400, 40, 5, 0.01, "regressed"),
        (400, 5, 40, 0.01, "improved"),
        (400, 12, 10, 0.01, "undecided"),
        (400, 12, 10, 0.05, "not worse"),
        (400, 0, 0, 0.02, "not worse"),
        (4000, 20, 2, 0.01, "not worse"),  # certain, and within what is accepted
        (4000, 20, 2, 0.0, "regressed"),
        (40, 3, 0, 0.01, "undecided"),
    ],
)
def test_verdicts(n: int, worse: int, better: int, margin: float, expected: str) -> None:
    base, after = flipped(n, worse, better)
    task = only(run(base), candidate(after), margin=margin)
    assert task.verdict == expected
    assert (task.found.worse, task.found.better) == (worse, better)


def found(difference: float, low: float) -> PairedDifference:
    test = SignTest(0.5, 0.5, "McNemar")
    return PairedDifference(difference, low, 2 * difference - low, 0.01, 0.5, 100, 100, 1, 1, test)


@pytest.mark.parametrize(
    ("difference", "low", "p", "expected"),
    [
        (0.03, 0.01, 0.01, "improved"),
        (0.03, 0.01, 0.06, "not worse"),
        (-0.03, -0.05, 0.01, "regressed"),
        (-0.03, -0.05, 0.06, "undecided"),  # Holm took the certainty; it is not called better for it
        (-0.003, -0.006, 0.01, "not worse"),
        (-0.003, -0.01, 0.5, "undecided"),  # exactly the margin is not within it
    ],
)
def test_p_decides_the_difference_and_the_interval_the_margin(
    difference: float, low: float, p: float, expected: str
) -> None:
    assert difference_verdict(found(difference, low), p, 0.01) == expected


def test_p_is_adjusted_over_the_tasks() -> None:
    base, after = flipped(400, 24, 9)
    alone = only(run(base), candidate(after))
    assert alone.verdict == "regressed"
    assert alone.p_adjusted == alone.found.p
    same = flipped(400, 9, 9)
    others = [(run(same[0], task=f"t{n}"), candidate(same[1], task=f"t{n}")) for n in range(9)]
    tasks = compare(
        [run(base), *(one for one, _ in others)], [candidate(after), *(two for _, two in others)], Rules()
    )
    assert tasks[0].p_adjusted == pytest.approx(10 * alone.found.p)
    assert tasks[0].verdict == "undecided"


@pytest.mark.parametrize("name", ["task_version", "data_hash", "prompt_hash"])
@pytest.mark.parametrize("value", ["2-A", None])
def test_another_identity_is_not_compared(name: str, value: str | None) -> None:
    with pytest.raises(
        NotComparable, match=f"charts: {name} differs: base .*candidate (2-A|not recorded).* run both"
    ):
        only(run([1.0, 0.0]), candidate([1.0, 0.0], identity={name: value}))


def test_the_cosmetic_part_of_a_version_may_differ() -> None:
    only(run([1.0, 0.0]), candidate([1.0, 0.0], identity={"task_version": "1-B"}))


def test_every_difference_is_named_at_once_with_the_arguments_of_the_data() -> None:
    other = candidate(
        [1.0], identity={"data_hash": "e" * 64, "prompt_hash": "q" * 64, "dataset_args": {"size": 500}}
    )
    with pytest.raises(NotComparable) as caught:
        only(run([1.0]), other)
    assert 'candidate eeeeeeeeeeee ({"size": 500})' in str(caught.value)
    assert "prompt_hash differs" in str(caught.value)


def test_without_a_common_task_nothing_is_compared() -> None:
    with pytest.raises(NotComparable, match="the base has charts, the candidate essays"):
        compare([run([1.0])], [candidate([1.0], task="essays")], Rules())


def test_too_little_in_common_is_refused_unless_allowed() -> None:
    base, other = run([1.0] * 10), candidate([outcome(n, 1.0) for n in range(2, 12)])
    with pytest.raises(
        NotComparable, match="only 67% of the samples are in both runs \\(8 shared, 2 in the base"
    ):
        only(base, other)
    task = only(base, other, allow_partial=True)
    assert task.found.n == 8
    assert any("paired on the 8 samples of both" in line for line in task.warnings)


def test_no_pair_with_a_score_is_not_comparable() -> None:
    with pytest.raises(NotComparable, match="no sample has a score in both"):
        only(run([1.0, None]), candidate([None, 1.0]))


def test_unscored_pairs_are_counted_and_many_of_them_forbid_a_good_word() -> None:
    base: list[float | None] = [1.0] * 1000
    few, many = list(base), list(base)
    few[:20], many[:100] = [None] * 20, [None] * 100
    task = only(run(base), candidate(few))
    assert task.verdict == "not worse"
    assert task.found.n == 980
    assert any("20 samples of both have no score" in line for line in task.warnings)
    task = only(run(base), candidate(many))
    assert task.verdict == "undecided"
    assert "10% of the samples have no score" in verdict_text(task)


def forgetful(n: int, lost: int) -> list[Outcome]:
    """Right everywhere, but the first ``lost`` without the box."""
    return [outcome(k, 0.0, no_answer=True, answer=None) if k < lost else outcome(k, 1.0) for k in range(n)]


def test_a_model_that_forgot_the_format_is_named() -> None:
    task = only(run(forgetful(300, 3)), candidate(forgetful(300, 90)))
    assert task.verdict == "regressed"
    assert (
        "forgot the format: no answer 1% → 30% (p <.001); the answer stands anywhere in 100% → 100%"
        in notes(task)
    )
    back = only(run(forgetful(300, 90)), candidate(forgetful(300, 3)))
    assert any(line.startswith("keeps the format better") for line in notes(back))


def test_a_model_that_runs_on_is_named() -> None:
    long = [outcome(k, 1.0, truncated=k < 60) for k in range(300)]
    assert any(line.startswith("runs into the token limit more often: cut at the token limit 0% → 20%")
               for line in notes(only(run([1.0] * 300), candidate(long))))  # fmt: skip


def test_settings_that_differ_are_a_warning() -> None:
    task = only(
        run([1.0, 0.0], identity={"generation": {"temperature": 0}, "dtype": "float32"}),
        candidate([1.0, 0.0], identity={"generation": {"temperature": 0.7}, "dtype": "float32"}, epochs=2),
    )
    assert task.warnings[0] == 'generation differs: base {"temperature": 0}, candidate {"temperature": 0.7}'
    assert any(line.startswith("epochs differ") for line in task.warnings)
    assert not any("dtype" in line for line in task.warnings)


def test_the_noise_of_one_model_is_the_least_margin() -> None:
    base, after = flipped(400, 6, 6)
    floors = noise_floors([run(base)], [run(after)])
    assert floors == {"charts": 0.03}
    assert only(run(base), candidate(after)).verdict == "undecided"
    task = only(run(base), candidate(after), floors=floors)
    assert (task.margin, task.verdict) == (0.03, "not worse")
    assert any(
        "12 of 400 scores flipped, a noise floor of 3 points" in line
        for line in notes(only(run(base), run(after)))
    )
    with pytest.raises(NotComparable, match="different weights"):
        noise_floors([run(base)], [candidate(after)])


def test_groups_are_compared_with_their_own_adjustment() -> None:
    base: list[float | None] = [1.0] * 400
    after = [0.0 if number % 4 < 2 and number % 8 == 0 else 1.0 for number in range(400)]
    groups = only(run(base), candidate(after), by=("chart", "unknown")).groups
    bar, pie = groups["chart"]
    assert (bar.group, bar.found.n, bar.found.worse, pie.found.worse) == ("bar", 200, 50, 0)
    assert bar.p_adjusted == pytest.approx(2 * bar.found.p)
    assert pie.p_adjusted == 1.0
    assert groups["unknown"] == ()


def test_flips_are_the_largest_changes_with_losses_first() -> None:
    task = only(run([1.0, 0.2, 0.0, 1.0, 0.5, 1.0]), candidate([1.0, 0.9, 0.1, 0.4, 0.0, 0.0]))
    assert [(flip.id, flip.worse) for flip in flips(task, 2)] == [
        ("s5", True), ("s3", True), ("s1", False), ("s2", False)
    ]  # fmt: skip


def printed(tasks: Sequence[TaskComparison], most: int = 0, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_comparison(tasks, [flips(task, most) for task in tasks], console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_tables_fit_80_columns_and_hostile_text_is_shown_as_text() -> None:
    rows = [outcome(n, 0.0, answer=HOSTILE, groups={"chart": HOSTILE * 3}) for n in range(200)]
    name = "a_task_with_a_name_that_goes_on_" * 3
    task = only(run([1.0] * 200, task=name), candidate(rows, task=name), by=("chart",))
    text = printed([task], 1)
    tables = [line for line in text.splitlines() if "-100.0 [" in line]
    assert len(tables) == 2
    assert max(map(len, tables)) <= 80
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[bold]x[/bold]" in text


def test_json_has_everything_and_is_json() -> None:
    base, after = flipped(400, 40, 5)
    task = only(run(base), candidate(after), by=("chart",))
    (plain,) = json.loads(json.dumps(comparison_json([task], [flips(task, 1)]), allow_nan=False))
    assert plain["verdict"] == "regressed"
    assert (plain["n"], plain["right_to_wrong"], plain["wrong_to_right"]) == (400, 40, 5)
    assert plain["low"] < plain["difference"] < plain["high"] < 0
    assert plain["p_holm"] == plain["p"] < plain["p_exact"] < 0.001
    assert [len(plain["groups"]["chart"]), len(plain["flips"])] == [2, 2]
    one = only(run([1.0]), candidate([0.0]))
    json.dumps(comparison_json([one], [[]]), allow_nan=False)


def test_no_flips_are_no_proof_of_no_loss() -> None:
    """The verdict stays what n allows, and says why; only more samples make it a good word."""
    base, _ = flipped(60, 0, 0)
    task = only(run(base), candidate(base))
    assert task.verdict == "undecided"
    # Thirty pictures and two more that change whole: Student's t of 29 degrees, times sqrt(32 / 31 * 8) / 64.
    assert (task.found.low, task.found.high) == pytest.approx((-0.0918, 0.0918), abs=1e-4)
    said = f"no flips among 60; the interval still allows ±{100 * task.found.high:.1f} points, needs about "
    assert verdict_text(task).startswith(f"undecided: {said}")
    assert not any("one log" in line for line in task.warnings)
    assert any(
        line.startswith("base and candidate are one log") for line in only(run(base), run(base)).warnings
    )
    base, _ = flipped(800, 0, 0)
    assert only(run(base), candidate(base)).verdict == "not worse"


def test_p_and_points_as_they_are_written() -> None:
    assert [p_text(p) for p in (0.00099, 0.0339, 0.5, 0.9999)] == ["<.001", ".034", ".500", "1"]
    assert [signed(share) for share in (-0.16, 0.013, -0.0001, 0.0)] == ["-16.0", "+1.3", "0.0", "0.0"]
