"""Charts drawn here: contract, splits, the same bytes anywhere, golden essays that score as they should."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scorers.essays.essay_form import form_of
from scorers.essays.essay_numbers import ChartTable, check_numbers
from tasks.ielts_essay import pictures as drawing
from tasks.ielts_essay.chart import CHART_KINDS, Chart
from tasks.ielts_essay.golden import golden_essay
from tasks.ielts_essay.plans import plan
from tasks.ielts_essay.records import ielts_essays
from tasks.ielts_essay.worked import EXAMPLES
from tasks.splits import SPLITS

# Whole sets of charts are drawn.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def by_split(pictures: Path) -> dict[str, Records]:
    return {split: ielts_essays(split, size=48, cache_dir=pictures) for split in SPLITS}


def charts(split: str, count: int, seed: int = 1) -> list[Chart]:
    seen: set[str] = set()
    return [plan(kind, index, split, seed, seen)[0] for kind in CHART_KINDS for index in range(count)]  # type: ignore[arg-type]


def test_the_contract(by_split: dict[str, Records]) -> None:
    for records in by_split.values():
        assert len({record["id"] for record in records}) == 48
        assert Counter(record["chart"] for record in records) == dict.fromkeys(CHART_KINDS, 12)
        for record in records:
            with Image.open(record["image"]) as image:
                assert image.size == (640, 480) and image.format == "PNG" and not image.info
            table = ChartTable.of(record["chart_data"])
            assert table.title == record["title"]
            assert len(table.values) == len(table.series) and len(table.values[0]) == len(table.labels)
            assert len(record["target"]) > 0 and record["source"] == "built-in"
            assert "  " not in record["target"] and "{" not in record["target"]


def test_types_take_turns_with_single_and_several_series() -> None:
    found = {(chart.kind, len(chart.series) > 1) for split in ("train", "test") for chart in charts(split, 8)}
    every = {(kind, several) for kind in CHART_KINDS for several in (False, True)}
    assert found == every - {("table", False)}


def test_splits_share_no_title_and_no_picture(by_split: dict[str, Records]) -> None:
    titles = [{record["title"] for record in records} for records in by_split.values()]
    images = [
        {hashlib.sha256(r["image"].read_bytes()).hexdigest() for r in records}
        for records in by_split.values()
    ]
    for sets in (titles, images):
        assert [len(one) for one in sets] == [48, 48, 48]
        assert len(set.union(*sets)) == 3 * 48


def test_splits_share_no_title_over_many_seeds() -> None:
    titles = {split: {c.title for seed in range(4) for c in charts(split, 40, seed)} for split in SPLITS}
    assert sum(map(len, titles.values())) == len(set.union(*titles.values()))


def test_no_example_of_the_teacher_is_in_a_split() -> None:
    """Trap 5: golden essays described the example instead of the chart."""
    text = " ".join(chart.title for split in SPLITS for chart in charts(split, 100))
    assert [name for example in EXAMPLES for name in example.names if name in text] == []


_DIGEST = """
import hashlib, json, sys
from pathlib import Path
from tasks.ielts_essay.records import ielts_essays
digest = hashlib.sha256()
for record in ielts_essays("test", size=24, seed=3, cache_dir=Path(sys.argv[1])):
    digest.update(record.pop("image").read_bytes())
    digest.update(json.dumps(record).encode())
print(digest.hexdigest())
"""


@pytest.mark.process
def test_processes_agree_byte_for_byte(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _DIGEST, str(tmp_path / folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for folder, environment in (
            ("shared", {"PYTHONHASHSEED": "1", "LC_ALL": "C"}),
            ("shared", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"}),
            ("own", {"PYTHONHASHSEED": "3"}),
        )
    ]
    digests = [process.communicate(timeout=120)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(digests[0]) == 64 and len(set(digests)) == 1


def test_records_of_a_seed_never_change_silently() -> None:
    """A new value here means new data: raise the task's version with it."""
    content = json.dumps([[chart.data(), golden_essay(chart).plain()] for chart in charts("test", 10)])
    assert hashlib.sha256(content.encode()).hexdigest()[:16] == "ba076d8d6a97fa18"


def test_a_smaller_size_is_a_beginning_of_a_larger_one(by_split: dict[str, Records], pictures: Path) -> None:
    assert ielts_essays("test", size=7, cache_dir=pictures) == by_split["test"][:7]


def test_a_warm_cache_draws_nothing(
    by_split: dict[str, Records], pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError("drawn again")

    monkeypatch.setattr(drawing, "picture", refuse)
    assert ielts_essays("test", size=48, cache_dir=pictures) == by_split["test"]


def test_a_broken_picture_is_drawn_again(tmp_path: Path) -> None:
    [record] = ielts_essays("test", size=1, cache_dir=tmp_path)
    image = record["image"]
    assert isinstance(image, Path)
    whole = image.read_bytes()
    image.write_bytes(whole[:-9])
    ielts_essays("test", size=1, cache_dir=tmp_path)
    assert image.read_bytes() == whole


@pytest.mark.parametrize("size", [(400, 300), (640, 480), (1280, 960)])
def test_charts_are_drawn_at_any_size(size: tuple[int, int], tmp_path: Path) -> None:
    for record in ielts_essays("test", size=8, width=size[0], height=size[1], cache_dir=tmp_path):
        assert isinstance(record["image"], Path)
        with Image.open(record["image"]) as image:
            assert image.size == size and len(image.getcolors(maxcolors=1 << 24) or ()) > 20


def test_golden_essays_have_no_fault_of_form_and_all_key_values() -> None:
    for split in SPLITS:
        for chart in charts(split, 60, seed=7):
            essay = golden_essay(chart)
            assert form_of(essay.plain(), title=chart.title).faults == set(), essay.plain()
            assert form_of(essay.structured(), title=chart.title).faults == {"step_markers"}
            found = check_numbers(essay.plain(), _table(chart))
            assert (found.faithful, found.key_values) == (1.0, 1.0), found.unsupported


def test_numbers_of_another_chart_are_found_out() -> None:
    """The numbers rule is no rubber stamp: essays about another chart of the same kind fall far short."""
    shares = []
    for kind in CHART_KINDS:
        own = [chart for chart in charts("test", 60) if chart.kind == kind]
        for one, other in zip(own, own[4:], strict=False):
            shares.append(check_numbers(golden_essay(one).plain(), _table(other)).faithful)
    assert sum(shares) / len(shares) < 0.35


def _table(chart: Chart) -> ChartTable:
    return ChartTable(chart.title, chart.unit, chart.labels, chart.series, chart.values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size must be at least 1, not 0"),
        ({"size": "all"}, "size must be a whole number, not 'all'"),
        ({"width": 10}, "width must be from 400 to 4096, not 10"),
        ({"charts": "radar"}, "charts: 'radar' is not one of bar, line, pie, table"),
        ({"charts": []}, "charts is empty"),
    ],
)
def test_an_argument_that_cannot_be_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ielts_essays("test", **arguments)
