"""What is drawn, and what is not."""

import importlib
import io
import math
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tasks.chart_vqa.kinds import bars, clouds, grouped, lines, pies
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import Canvas, font, font_path, text_size
from tasks.drawing.palettes import COLOR_MAPS, luminance, readable_on, spread
from tasks.drawing.scales import ticks

MODULES: dict[str, Any] = {"bar": bars, "pie": pies, "line": lines, "grouped": grouped}


def proposals(chart: str, count: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    source = TextSource("builtin", "train", 3)
    module = clouds if chart == "cloud" else MODULES[chart]
    found = []
    for number in range(100_000):
        rng = Random(number)
        proposal = module.propose(rng, source)
        if proposal is not None:
            found.append((proposal[0], module.style(rng, proposal[0])))
            if len(found) == count:
                break
    return found


class Texts:
    """Every text that a canvas is asked to draw, with its place and size."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn: list[tuple[float, float, str, int, str]] = []
        original = Canvas.text

        def record(canvas: Canvas, x: float, y: float, text: str, pixels: int, **options: Any) -> None:
            self.drawn.append((x, y, text, pixels, options.get("anchor", "mm")))
            original(canvas, x, y, text, pixels, **options)

        monkeypatch.setattr(Canvas, "text", record)

    def boxes(self) -> list[tuple[float, float, float, float]]:
        """Left, top, right and bottom of each text."""
        found = []
        for x, y, text, pixels, anchor in self.drawn:
            length, height = text_size(text, pixels)
            left = x - {"l": 0.0, "m": length / 2, "r": length}[anchor[0]]
            top = y - {"m": height / 2, "s": height}[anchor[1]]
            found.append((left, top, left + length, top + height))
        return found


@pytest.mark.parametrize("size", [(512, 384), (320, 240), (1024, 768), (511, 383), (700, 300)])
@pytest.mark.parametrize("chart", MODULES)
def test_texts_neither_overlap_nor_leave_the_picture(
    chart: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = Texts(monkeypatch)
    for data, style in proposals(chart, 12):
        if chart == "pie" and not pies.legible(data, style):
            continue
        texts.drawn.clear()
        image = Image.open(io.BytesIO(MODULES[chart].draw(data, style, *size)))
        assert (image.size, image.mode, image.format, image.info) == (size, "RGB", "PNG", {})
        boxes = texts.boxes()
        for index, one in enumerate(boxes):
            assert one[0] >= 0 and one[1] >= 0 and one[2] <= size[0] and one[3] <= size[1], texts.drawn[index]
            for other in boxes[:index]:
                apart = max(one[0], other[0]) >= min(one[2], other[2]) or max(one[1], other[1]) >= min(
                    one[3], other[3]
                )
                assert apart, (texts.drawn[index], data)


@pytest.mark.parametrize("chart", ["bar", "pie"])
def test_only_letters_and_numbers_stand_on_letter_charts(chart: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap 7: the words of a title were drawn on the picture and could be counted."""
    texts = Texts(monkeypatch)
    for data, style in proposals(chart, 10):
        texts.drawn.clear()
        MODULES[chart].draw(data, style, 512, 384)
        found = [text for _, _, text, *_ in texts.drawn]
        if chart == "pie":
            assert found == pies.labels(data["letters"])
        else:
            assert [text for text in found if text.isalpha()] == list(data["letters"])
            assert all(text.isdigit() for text in found if not text.isalpha())
            for count in data["letters"].values():
                assert str(count) in found


def test_every_value_of_lines_and_groups_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Texts(monkeypatch)
    for chart in ("line", "grouped"):
        for data, style in proposals(chart, 10):
            texts.drawn.clear()
            MODULES[chart].draw(data, style, 512, 384)
            found = [text for _, _, text, *_ in texts.drawn]
            rows = data["values"] if chart == "grouped" else [data["values"]]
            for value in (value for row in rows for value in row):
                found.remove(str(value))
            for name in (*data.get("series", ()), *data.get("groups", ()), *data.get("times", ())):
                found.remove(name)
            assert all(text.isdigit() for text in found), "only the value axis is left"


def test_shares_on_a_pie_are_the_shares_asked_for() -> None:
    letters = {"e": 9, "t": 7, "a": 5}
    assert pies.labels(letters) == ["e (9, 42.9%)", "t (7, 33.3%)", "a (5, 23.8%)"]


def test_words_that_do_not_fit_are_not_counted_as_drawn() -> None:
    """Trap 6: wordcloud silently leaves out what does not fit."""
    data = {"words": [[f"{stem}vegetables", 30 - i] for i, stem in enumerate("abcdefghijklmnopqrst")]}
    style = clouds.style(Random(0), data)
    _, drawn = clouds.draw(data, style, 320, 240)
    assert 0 < len(drawn) < len(data["words"])
    assert [word for word, *_ in drawn] == [word for word, _ in data["words"][: len(drawn)]]


def test_words_in_a_cloud_keep_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn one by one and thickened by a pixel, no two words share a pixel, and none touches the edge."""
    library: Any = importlib.import_module("wordcloud.wordcloud")
    layouts = []
    original = library.WordCloud.to_image

    def keep(cloud: Any) -> Any:
        layouts.append(cloud.layout_)
        return original(cloud)

    monkeypatch.setattr(library.WordCloud, "to_image", keep)
    for data, style in proposals("cloud", 15):
        png, drawn = clouds.draw(data, style, 512, 384)
        image = Image.open(io.BytesIO(png))
        assert (image.size, image.mode, image.info) == ((512, 384), "RGB", {})
        sizes = [size for *_, size in drawn]
        assert sizes == sorted(sizes, reverse=True) and min(sizes) >= clouds.SMALLEST_TYPE
        edge = [image.getpixel((x, y)) for x in range(512) for y in (0, 1, 382, 383)]
        assert len(set(edge)) == 1
        together = np.zeros((384, 512), int)
        for (word, _), size, (down, right), orientation, _ in layouts.pop():
            one = Image.new("L", (512, 384))
            turned = ImageFont.TransposedFont(font(2 * size), orientation=orientation)
            ImageDraw.Draw(one).text((2 * int(right), 2 * int(down)), word, fill=255, font=turned)
            together += np.asarray(one.filter(ImageFilter.MaxFilter(3))) > 60
        assert together.max() == 1


def test_clouds_leave_the_library_as_it_was() -> None:
    library: Any = importlib.import_module("wordcloud.wordcloud")
    before = library.ImageFont
    data, style = proposals("cloud", 1)[0]
    clouds.draw(data, style, 512, 384)
    assert library.ImageFont is before


def test_the_font_is_the_one_inside_matplotlib() -> None:
    assert Path(font_path()).name == "DejaVuSans.ttf"
    assert "matplotlib" in font_path()
    assert font(12).layout_engine == 0, "the engine that needs no system library"


@pytest.mark.parametrize("highest", [1, 4, 7, 10, 13, 25, 99, 100, 101, 1234])
def test_ticks_are_round_and_cover_the_values(highest: int) -> None:
    steps = ticks(highest)
    assert steps[0] == 0 and steps[-1] >= highest and len(steps) <= 8
    assert len({b - a for a, b in pairwise(steps)}) == 1
    assert str(steps[1]).rstrip("0") in ("1", "2", "5")


@pytest.mark.parametrize("name", COLOR_MAPS)
def test_neighbouring_colours_differ(name: str) -> None:
    for count in range(2, 17):
        colors = spread(name, count)
        assert all(math.dist(a, b) > 0.02 for a, b in pairwise(colors))
        for color in colors:
            assert abs(luminance(readable_on(color)) - luminance(color)) > 0.4
