"""Records of the task `ielts_essay`: charts with their titles, drawn here or from a clone of Chart-to-text.

from tasks.ielts_essay.records import ielts_essays

for record in ielts_essays("train", size=1000, seed=7):
    print(record["image"], record["title"], record["target"])
for record in ielts_essays("test", path="~/Chart-to-text", size="all"):
    print(record["image"], record["title"], record["caption"])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from tasks.arguments import chosen, drawn, whole
from tasks.cache import cache_folder
from tasks.ielts_essay.chart import CHART_KINDS, ChartKind, chart_data
from tasks.ielts_essay.chart_to_text import CHART_SOURCES, PublishedChart, read_items
from tasks.ielts_essay.golden import golden_essay
from tasks.ielts_essay.pictures import SIZE, draw_missing, style_of
from tasks.ielts_essay.plans import plan
from tasks.splits import SPLITS, Split, digest

_SMALLEST, _LARGEST = (400, 300), (4096, 4096)
_CHART_NAMES = {"bar": "bar chart", "line": "line graph", "pie": "pie chart", "table": "table"}

Record = dict[str, object]


def ielts_essays(
    split: Split | str = "test",
    *,
    size: int | str = 200,
    seed: int | str = 1,
    charts: Iterable[str] | str = CHART_KINDS,
    width: int | str = SIZE[0],
    height: int | str = SIZE[1],
    path: Path | str | None = None,
    sources: Iterable[str] | str = CHART_SOURCES,
    splits: str = "official",
    split_seed: int | str = 0,
    golden: Path | str | None = None,
    cache_dir: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """`size` charts of a split; the same arguments give the same records and images, byte for byte.

    A record has `id`, `image`, `title`, `chart` (bar, line, pie, table), `chart_name` (as a sentence calls
    it), `target` (the golden essay, "" where there is none), `chart_data` (the values as JSON, "" where
    they are not known), `caption` (what the data set says of the chart, else ""), `source` and `title_sha`.

    Without `path` the charts are drawn: types take turns, the data are known, and the golden essay is written
    from them by rule. `path` is a clone of Chart-to-text (see `chart_to_text`): `size` charts of it drawn
    with `seed`, or "all"; `sources`, `splits` and `split_seed` choose. `golden` is a file of lines
    {"id": …, "completion": …} with golden essays, such as a teacher's on this split. `charts` and `sources`
    are names, or one string with commas. Pictures are kept in `cache_dir`, by default `ielts_essay/` in the
    cache of Tunebench. `progress` is called with the numbers of pictures ready and wanted.

    Raises ValueError for an argument that is not allowed and for files of another form, FileNotFoundError for
    missing ones.
    """
    part = cast(Split, chosen("split", split, SPLITS)[0])
    kinds = chosen("charts", charts, CHART_KINDS)
    essays = {} if golden is None else _golden(Path(golden).expanduser())
    if path is not None:
        items = read_items(
            Path(path).expanduser(),
            part,
            sources=chosen("sources", sources, CHART_SOURCES),
            charts=kinds,
            splits=splits,
            split_seed=whole("split_seed", split_seed),
        )
        if not items:
            raise ValueError(f"the split {part!r} has no chart of the types {', '.join(kinds)} in {path}")
        records = [_of_item(item) for item in drawn(items, size, seed)]
    else:
        pixels = (
            whole("width", width, _SMALLEST[0], _LARGEST[0]),
            whole("height", height, _SMALLEST[1], _LARGEST[1]),
        )
        folder = cache_folder("ielts_essay") if cache_dir is None else Path(cache_dir)
        count = whole("size", size, 1)
        records = _built_in(part, count, whole("seed", seed), kinds, pixels, folder, progress)
    return [{**record, "target": essays.get(str(record["id"]), record["target"])} for record in records]


def _built_in(
    split: Split,
    size: int,
    seed: int,
    kinds: Sequence[str],
    pixels: tuple[int, int],
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> list[Record]:
    seen: set[str] = set()
    planned = [
        plan(cast(ChartKind, kinds[place % len(kinds)]), place // len(kinds), split, seed, seen)
        for place in range(size)
    ]
    charts = [(chart, style_of(rng)) for chart, rng in planned]
    images = draw_missing(charts, folder, *pixels, progress)
    return [
        {
            "id": f"{chart.kind}-{place // len(kinds):05d}",
            "image": image,
            "title": chart.title,
            "chart": chart.kind,
            "chart_name": _chart_name(chart.kind, len(chart.series)),
            "target": golden_essay(chart).plain(),
            "chart_data": chart_data(chart.title, chart.unit, chart.labels, chart.series, chart.values),
            "caption": "",
            "source": "built-in",
            "title_sha": digest(chart.title),
        }
        for place, ((chart, _), image) in enumerate(zip(charts, images, strict=True))
    ]


def _chart_name(kind: str, series: int) -> str:
    return "pair of pie charts" if kind == "pie" and series == 2 else _CHART_NAMES[kind]


def _of_item(item: PublishedChart) -> Record:
    return {
        "id": f"{item.source}-{item.name}",
        "image": item.image,
        "title": item.title or None,
        "chart": item.chart,
        "chart_name": _CHART_NAMES[item.chart],
        "target": "",
        "chart_data": item.data,
        "caption": item.caption,
        "source": item.source,
        "title_sha": digest(item.title),
    }


def _golden(file: Path) -> Mapping[str, str]:
    """Golden essays by the id of their record."""
    if not file.is_file():
        raise FileNotFoundError(f'golden: no file {file}; it has lines {{"id": …, "completion": …}}')
    essays: dict[str, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            essays[str(row["id"])] = str(row["completion"])
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"golden: {file.name}, line {number} is no object with id and completion ({error!r})"
            ) from None
    return essays
