"""Charts per second: a plain pyplot loop, as a notebook has it, against ours.

    python benchmarks/charts.py [--charts 40] [--rounds 5] [--many 1500]

Both sides draw the same data at the same size in pixels and write PNG files. Rounds alternate between them,
so that a busy machine slows both; the table shows medians. Ours includes planning the charts, asking the
questions and writing the cache.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from tasks.chart_vqa.drawing import render
from tasks.chart_vqa.questions import FAMILIES
from tasks.chart_vqa.records import CHARTS, charts

SIZE = (512, 384)
DPI = 100
QUESTIONS = 3


def plain(chart: str, data: dict[str, Any], path: Path) -> None:
    """One picture as a notebook draws it."""
    figure, axes = plt.subplots(figsize=(SIZE[0] / DPI, SIZE[1] / DPI), dpi=DPI)
    if chart == "bar":
        axes.bar_label(axes.bar(list(data["letters"]), list(data["letters"].values())))
    elif chart == "pie":
        total = sum(data["letters"].values())
        axes.pie(
            list(data["letters"].values()),
            labels=[f"{k} ({v}, {100 * v / total:.1f}%)" for k, v in data["letters"].items()],
        )
    elif chart == "line":
        axes.plot(data["times"], data["values"], marker="o")
        for x, y in zip(data["times"], data["values"], strict=True):
            axes.annotate(str(y), (x, y))
    elif chart == "grouped":
        for index, name in enumerate(data["series"]):
            values = [row[index] for row in data["values"]]
            places = [group + 0.2 * index for group in range(len(values))]
            axes.bar_label(axes.bar(places, values, 0.2, label=name))
        axes.set_xticks(range(len(data["groups"])), data["groups"])
        axes.legend()
    else:
        words = {word: count for word, count, *_ in data["words"]}
        library: Any = importlib.import_module("wordcloud")
        cloud = library.WordCloud(width=SIZE[0], height=SIZE[1], background_color="white")
        plt.imshow(cloud.generate_from_frequencies(words))
        axes.axis("off")
    plt.savefig(path)
    plt.close(figure)


def images(chart: str, count: int, folder: Path, seed: int, workers: int | None) -> list[dict[str, object]]:
    """Records with `count` pictures of one kind."""
    per_chart = min(QUESTIONS, len(FAMILIES[chart]))
    return charts(
        "train", size=count * per_chart, seed=seed, charts=chart, width=SIZE[0], height=SIZE[1],
        questions_per_chart=per_chart, cache_dir=folder, workers=workers,
    )  # fmt: skip


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--charts", type=int, default=40, help="pictures per round and kind, one process")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds")
    parser.add_argument("--many", type=int, default=1500, help="pictures per kind for all cores")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    print(f"{SIZE[0]}x{SIZE[1]} pixels, {options.rounds} rounds of {options.charts} charts, {cores} cores\n")
    head = ("chart", "plain/s", "ours/s", "ratio", "drawing/s", f"{cores} cores/s", "ratio", "warm/s")
    print("{:<8} {:>8} {:>8} {:>6} {:>10} {:>10} {:>6} {:>8}".format(*head))
    for chart in CHARTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            images(chart, 2, folder / "first", 99, 1)
            sample = images(chart, options.charts, folder / "sample", 100, 1)
            pictures: list[Any] = list({str(record["image"]): record["data"] for record in sample}.values())

            def loop(pictures: list[Any] = pictures, chart: str = chart, folder: Path = folder) -> None:
                for index, data in enumerate(pictures):
                    plain(chart, data, folder / f"{index}.png")

            loop(pictures[:2])
            theirs, ours, warm = [], [], []
            for turn in range(options.rounds):
                theirs.append(seconds(loop))
                cold = folder / f"cold{turn}"

                def make(turn: int = turn, cold: Path = cold, chart: str = chart) -> None:
                    images(chart, options.charts, cold, turn, 1)

                ours.append(seconds(make))
                warm.append(seconds(make))
            # Runs at once, within its turn of the loop.
            many = seconds(lambda: images(chart, options.many, folder / "many", 7, cores))  # noqa: B023
            slow = options.charts / statistics.median(theirs)
            fast = options.charts / statistics.median(ours)
            all_cores = options.many / many
            kept = options.charts / statistics.median(warm)
            print(
                f"{chart:<8} {slow:>8.1f} {fast:>8.1f} {fast / slow:>6.1f} {drawing_rate(chart):>10.1f} "
                f"{all_cores:>10.1f} {all_cores / slow:>6.1f} {kept:>8.0f}"
            )
    with tempfile.TemporaryDirectory() as name:
        cold_seconds = seconds(lambda: charts(cache_dir=Path(name)))
        warm_seconds = seconds(lambda: charts(cache_dir=Path(name)))
    print(f"\n300 records of all kinds: {cold_seconds:.2f} s cold, {warm_seconds:.2f} s warm")


def drawing_rate(chart: str, count: int = 40) -> float:
    """Pictures per second of drawing alone, on one core."""
    from tasks.chart_vqa import kept_picture as cache
    from tasks.chart_vqa import plans
    from tasks.chart_vqa.texts import TextSource

    source = TextSource("builtin", "train", 5)
    seen: set[str] = set()
    planned = [plans.plan(chart, index, [], source, seen) for index in range(count)]
    recipes = [cache.recipe(one.chart, one.data, one.style, *SIZE) for one in planned]
    return count / seconds(lambda: [render(recipe) for recipe in recipes])


if __name__ == "__main__":
    main()
