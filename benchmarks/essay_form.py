"""What scoring essays costs: 10,000 of them for form and numbers on two cores, and hostile texts one by one.

    python benchmarks/essay_form.py

The essays are golden ones of 1,000 built-in charts and the labelled texts of tests/scorers, by turns.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from scorers.essays.essay_form import form_of
from scorers.essays.essay_numbers import ChartTable, check_numbers
from tasks.ielts_essay.chart import CHART_KINDS, chart_data
from tasks.ielts_essay.golden import golden_essay
from tasks.ielts_essay.plans import plan

ROOT = Path(__file__).parent.parent
LABELLED = ROOT / "tests" / "scorers" / "essays"
ESSAYS = 10_000
CHARTS = 1_000
BUDGET_MS = 50.0
_MEGA = 1_000_000

Item = tuple[str, str, str]


def essays() -> list[Item]:
    """(text, title, chart_data) of each essay."""
    seen: set[str] = set()
    charts = [plan(CHART_KINDS[n % 4], n // 4, "test", 1, seen)[0] for n in range(CHARTS)]
    labelled = [
        row["text"]
        for name in ("essays", "essays_held_out")
        for row in yaml.safe_load((LABELLED / f"{name}.yaml").read_text(encoding="utf-8"))
    ]
    rng = random.Random(1)
    found = []
    for number in range(ESSAYS):
        chart = charts[number % CHARTS]
        text = golden_essay(chart).structured() if number % 2 else rng.choice(labelled)
        data = chart_data(chart.title, chart.unit, chart.labels, chart.series, chart.values)
        found.append((text, chart.title, data))
    return found


def score(items: Sequence[Item]) -> int:
    """How many of these essays are well formed and faithful."""
    good = 0
    for text, title, data in items:
        form = form_of(text, title=title)
        numbers = check_numbers(text, ChartTable.of(data))
        good += numbers.faithful == 1 and not form.faults - {"step_markers"}
    return good


def hostile_texts() -> dict[str, str]:
    """Texts made to be slow, by name; a megabyte each."""
    return {
        "one letter": "a" * _MEGA,
        "spaces": " " * _MEGA,
        "line breaks": "\n" * _MEGA,
        "spaces and line breaks": " \n" * (_MEGA // 2),
        "hashes": "#" * _MEGA,
        "stars": "*" * _MEGA,
        "star pairs": "** " * (_MEGA // 3),
        "open brackets": "<" * _MEGA,
        "open tags": "1. <a" * (_MEGA // 5),
        "quotes": '"' * _MEGA,
        "full stops": "." * _MEGA,
        "question marks": "? " * (_MEGA // 2),
        "digits": "9" * _MEGA,
        "groups of digits": "1,234" * (_MEGA // 5),
        "thousands": "1,000,000 " * (_MEGA // 10),
        "numbers": "12.5% " * (_MEGA // 6),
        "number words": "twenty-five per cent " * (_MEGA // 21),
        "fractions": "a third of a " * (_MEGA // 13),
        "years": "1999-2005 " * (_MEGA // 10),
        "bars of a table": "|" * _MEGA,
        "table rows": "| a |\n" * (_MEGA // 6),
        "bullets": "- a\n" * (_MEGA // 4),
        "steps": "Step 1:\n" * (_MEGA // 8),
        "paragraph labels": "A. Paragraph 1: " * (_MEGA // 16),
        "spaces after stops": "." + " " * _MEGA,
        "overall": "overall " * (_MEGA // 8),
        "prose": "The share of coal fell from 46% in 1998 to 15% in 2018. " * (_MEGA // 56),
        "one sentence": "and the share of coal " * (_MEGA // 22),
        "null bytes and surrogates": "\x00\ud800" * (_MEGA // 2),
    }


def milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    items = essays()
    started = time.perf_counter()
    good = score(items)
    alone = time.perf_counter() - started
    halves = [items[::2], items[1::2]]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(score, [half[:10] for half in halves]))  # both processes are up
        started = time.perf_counter()
        assert sum(pool.map(score, halves)) == good
        both = time.perf_counter() - started
    print(f"{ESSAYS:,} essays: {alone:.1f} s on one core, {both:.1f} s on two; {good:,} good ones")

    chart = plan("line", 1, "test", 1, set())[0]
    data = chart_data(chart.title, chart.unit, chart.labels, chart.series, chart.values)
    worst = []
    for name, text in hostile_texts().items():
        form = milliseconds(lambda text=text: form_of(text, title="Coal"))  # type: ignore[misc]
        numbers = milliseconds(
            lambda text=text: check_numbers(text, ChartTable.of(data))  # type: ignore[misc]
        )
        worst.append((max(form, numbers), name))
        over = "  OVER BUDGET" if max(form, numbers) > BUDGET_MS else ""
        print(f"form {form:8.1f} ms   numbers {numbers:8.1f} ms   {name}{over}")
    print(f"worst: {max(worst)[0]:.1f} ms ({max(worst)[1]}), budget {BUDGET_MS:.0f} ms")


if __name__ == "__main__":
    main()
