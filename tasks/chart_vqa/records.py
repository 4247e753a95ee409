"""Records of the task `chart_vqa`: questions about charts drawn from text.

from tasks.chart_vqa.records import charts, rationale

for record in charts("train", size=1000, seed=7):
    print(record["image"], record["question"], record["target"], rationale(record))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

from tasks.arguments import chosen, whole
from tasks.cache import cache_folder
from tasks.chart_vqa import kept_picture as cache
from tasks.chart_vqa.drawing import draw_missing
from tasks.chart_vqa.plans import ChartPlan, plan
from tasks.chart_vqa.questions import FAMILIES, ask, askable
from tasks.chart_vqa.rationale import rationale
from tasks.chart_vqa.texts import TextSource
from tasks.splits import SPLITS, Split

__all__ = ["CHARTS", "charts", "rationale"]

CHARTS = tuple(FAMILIES)
"""The kinds of chart."""

SMALLEST = (320, 240)
LARGEST = (4096, 4096)

_REDRAWS = 200


@dataclass(frozen=True)
class _Place:
    """Which chart a record is about, what it asks, and how often that was asked before it.

    `siblings` are all families that are asked of the chart in an endless list, this one included: a chart
    must not depend on where the list ends.
    """

    chart: str
    index: int
    family: str
    turn: int
    siblings: tuple[str, ...]


def charts(
    split: Split | str = "test",
    *,
    size: int | str = 300,
    seed: int | str = 1,
    charts: Iterable[str] | str = CHARTS,
    families: Iterable[str] | str | None = None,
    width: int | str = 512,
    height: int | str = 384,
    questions_per_chart: int | str = 3,
    text: str = "builtin",
    cache_dir: Path | str | None = None,
    workers: int | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, object]]:
    """`size` records of a split; the same arguments give the same records and images, byte for byte.

    A record has `id`, `image` (path of a PNG file of width x height pixels), `question`, `target` (a string,
    or the list of all answers that tie), `kind` (number, text or boolean), `tolerance` (allowed absolute
    error: 0 for whole numbers and words, 0.01 for means and medians, 0.1 for percentages), `chart`, `family`,
    `data` (what the picture shows, and under "asked" what the question is about) and `text_sha` (SHA-256 of
    the texts behind the picture). Several records may share an image. Charts and families take turns, so any
    beginning of the list is balanced.

    `charts` and `families` are names or one string with commas; `families=None` asks all. `text` is
    "builtin", the path of a UTF-8 file, or "hf:owner/name" for a data set on the hub. `workers` is the number
    of drawing processes: by default all cores once there are hundreds of pictures to draw, for which a script
    of its own needs the usual `if __name__ == "__main__":`. `progress` is called with the numbers of pictures
    ready and wanted. Pictures are kept in `cache_dir`, by default `charts/` in the cache of Tunebench.

    Raises ValueError for an argument that is not allowed or a text that is too short, FileNotFoundError for
    a text file that is not there.
    """
    kinds = chosen("charts", charts, CHARTS)
    known = tuple(dict.fromkeys(family for chart in kinds for family in FAMILIES[chart]))
    wanted = known if families is None else chosen("families", families, known)
    part = cast(Split, chosen("split", split, SPLITS)[0])
    count = whole("size", size, 1)
    pixels = (
        whole("width", width, SMALLEST[0], LARGEST[0]),
        whole("height", height, SMALLEST[1], LARGEST[1]),
    )
    places = _places(kinds, wanted, count, whole("questions_per_chart", questions_per_chart, 1))
    processes = None if workers is None else whole("workers", workers, 1)
    source = TextSource(text, part, whole("seed", seed))
    folder = cache_folder("charts") if cache_dir is None else Path(cache_dir)
    shown = _drawn(places, source, pixels, folder, processes, progress)
    return [_record(place, *shown[place.chart, place.index], source) for place in places]


def _places(charts: tuple[str, ...], wanted: tuple[str, ...], count: int, per_chart: int) -> list[_Place]:
    """What each record asks: charts take turns, and within a kind of chart its families do."""
    asked = {chart: [family for family in FAMILIES[chart] if family in wanted] for chart in charts}
    kinds = [chart for chart in charts if asked[chart]]
    places = []
    for position in range(count):
        chart = kinds[position % len(kinds)]
        number = position // len(kinds)
        own = asked[chart]
        share = min(per_chart, len(own))
        index = number // share
        siblings = tuple(own[slot % len(own)] for slot in range(index * share, (index + 1) * share))
        places.append(_Place(chart, index, own[number % len(own)], number // len(own), siblings))
    return places


def _drawn(
    places: list[_Place],
    source: TextSource,
    pixels: tuple[int, int],
    folder: Path,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> dict[tuple[str, int], tuple[ChartPlan, dict[str, Any], Path]]:
    """For each chart its plan, what the picture shows, and the picture.

    A cloud whose picture leaves a question without a clear answer is planned and drawn anew.
    """
    families = {(place.chart, place.index): place.siblings for place in places}
    seen: dict[str, set[str]] = {chart: set() for chart, _ in families}
    shown: dict[tuple[str, int], tuple[ChartPlan, dict[str, Any], Path]] = {}
    attempts = dict.fromkeys(families, 0)
    for _ in range(_REDRAWS):
        plans = [
            plan(chart, index, families[chart, index], source, seen[chart], attempts[chart, index])
            for chart, index in families
            if (chart, index) not in shown
        ]
        recipes = [cache.recipe(one.chart, one.data, one.style, *pixels) for one in plans]
        ready = len(shown)

        def report(done: int, _: int, ready: int = ready) -> None:
            if progress is not None:
                progress(ready + done, len(families))

        paths = draw_missing(recipes, folder, workers=workers, progress=report)
        for one, path in zip(plans, paths, strict=True):
            key = (one.chart, one.index)
            data = one.data if one.chart != "cloud" else {"words": cache.read_drawn(path)}
            if all(askable(family, data) for family in families[key]):
                shown[key] = (one, data, path)
            else:
                attempts[key] = one.attempt + 1
        if len(shown) == len(families):
            return shown
    raise ValueError(
        f"text {source.name!r} gives too few word clouds with words of clearly different sizes for the split "
        f"{source.split!r}: leave 'cloud' out of charts, or give a longer text"
    )


def _record(
    place: _Place,
    plan: ChartPlan,
    data: dict[str, Any],
    path: Path,
    source: TextSource,
) -> dict[str, object]:
    rng = Random(f"{source.seed}/{source.split}/{place.chart}/{place.index}/{place.family}/question")
    question = ask(
        place.chart,
        place.family,
        data,
        rng,
        present=(place.turn + source.seed) % 2 == 0,
        vocabulary=source.vocabulary if place.family == "word_present" else (),
    )
    return {
        "id": f"{place.chart}-{place.index:05d}-{place.family}",
        "image": path,
        "question": question.text,
        "target": question.target,
        "kind": question.kind,
        "tolerance": question.tolerance,
        "chart": place.chart,
        "family": place.family,
        "data": {**data, "asked": question.asked},
        "text_sha": plan.text_sha,
    }
