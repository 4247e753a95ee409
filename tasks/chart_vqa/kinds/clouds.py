"""Word clouds of the words that several texts share."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

from tasks.chart_vqa.letter_counts import kept_words
from tasks.chart_vqa.texts import TextSource
from tasks.drawing.canvas import Color, font, font_path, png_of, scale_of
from tasks.drawing.palettes import COLOR_MAPS, darkened, luminance, spread
from tasks.splits import canonical, digest, split_of

TEXTS = 50
FEWEST_IN_CLOUD = 5
MOST_IN_CLOUD = 24

SMALLEST_TYPE = 12
"""Type size in pixels at the reference size below which no word is drawn."""

VISIBLY_LARGER = 1.15
"""A word is ranked before another only when it is drawn at least this many times larger."""

_PIVOTS = 200
_FALL = 0.6
_MAX_WORDS = (12, 16, 20, MOST_IN_CLOUD)
# The layout is searched on a grid of two pixels, which takes half the time and looks the same.
_GRID = 2


def propose(rng: Random, source: TextSource) -> tuple[dict[str, Any], str] | None:
    """Data `{"words": [[word, count], …]}`, most frequent first, and the hash of the texts.

    None when the words do not suit.

    Most texts are chosen around a few words, ever fewer for each of these, so that clouds differ in what is
    large in them and their largest words differ in size.
    """
    count = len(source.pool)
    wanted = TEXTS if count > 1.5 * TEXTS else rng.randint(math.ceil(count / 2), count)
    common = source.vocabulary[:_PIVOTS]
    chosen: set[int] = set()
    share = 1.0
    for word in rng.sample(common, min(len(common), rng.randint(2, 4))):
        near = [place for place in source.places_of[word] if place not in chosen]
        chosen |= set(rng.sample(near, min(round(share * len(near)), wanted - len(chosen))))
        share *= _FALL
    others = [place for place in range(count) if place not in chosen]
    chosen |= set(rng.sample(others, wanted - len(chosen)))
    words = kept_words(source.pool_words[place] for place in chosen)
    words = words[: rng.choice(_MAX_WORDS)]
    # Ranks can be asked as deep as the largest words differ; few texts give that by themselves.
    deep = rng.choice((1, 1, 2, 2, 3))
    if len(words) < FEWEST_IN_CLOUD or any(
        words[rank][1] < VISIBLY_LARGER * words[rank + 1][1] for rank in range(deep)
    ):
        return None
    data = {"words": [[word, count] for word, count in words]}
    if split_of("cloud:" + canonical(data)) != source.split:
        return None
    return data, digest("\n".join(source.pool[place] for place in sorted(chosen)))


def style(rng: Random, data: Mapping[str, Any]) -> dict[str, Any]:
    """What varies from chart to chart without changing an answer."""
    return {
        "layout": rng.getrandbits(32),
        "largest": rng.randint(62, 84),
        "proportional": rng.choice((0.8, 0.9, 1.0)),
        "upright": rng.choice((0.0, 0.0, 0.1, 0.3)),
        "colors": rng.choice(COLOR_MAPS),
        "dark": rng.random() < 0.3,
    }


def draw(
    data: Mapping[str, Any], style: Mapping[str, Any], width: int, height: int
) -> tuple[bytes, list[list[Any]]]:
    """The picture as a PNG file, and the words in it: `[word, count, type size in pixels]`, as drawn.

    A word that does not fit is not drawn, so only the second value tells what the picture shows.
    """
    module: Any = importlib.import_module("wordcloud.wordcloud")
    scale = scale_of(width, height)
    border = round(8 * scale)
    background: Color = (0.08, 0.08, 0.12) if style["dark"] else (1.0, 1.0, 1.0)
    counts = {word: count for word, count in data["words"]}
    palette = iter(_legible(spread(style["colors"], len(counts)), dark=style["dark"]) * 2)

    def color(*args: object, **kwargs: object) -> str:
        red, green, blue = (round(part * 255) for part in next(palette))
        return f"rgb({red}, {green}, {blue})"

    with _pinned_fonts(module):
        cloud = module.WordCloud(
            width=(width - 2 * border) // _GRID,
            height=(height - 2 * border) // _GRID,
            scale=_GRID,
            font_path=font_path(),
            max_words=len(counts),
            max_font_size=round(style["largest"] * scale / _GRID),
            min_font_size=math.ceil(SMALLEST_TYPE * scale / _GRID),
            relative_scaling=style["proportional"],
            prefer_horizontal=1 - style["upright"],
            margin=max(2, round(12 * scale / _GRID)),
            background_color=tuple(round(part * 255) for part in background),
            color_func=color,
            random_state=style["layout"],
        ).generate_from_frequencies(counts)
        image = cloud.to_image()
    drawn = [[word, counts[word], size * _GRID] for (word, _), size, *_ in cloud.layout_]
    return png_of(_framed(image, width, height, border, background)), drawn


def _framed(image: Any, width: int, height: int, border: int, background: Color) -> Any:
    """The image on a ground of width x height pixels, so that no word touches the edge."""
    from PIL import Image

    whole = Image.new("RGB", (width, height), tuple(round(part * 255) for part in background))
    whole.paste(image, (border, border))
    return whole


def _legible(colors: tuple[Color, ...], *, dark: bool) -> tuple[Color, ...]:
    """The colours, dark enough for a white ground or light enough for a dark one."""
    if not dark:
        return tuple(darkened(color, 0.48) for color in colors)
    return tuple(_lightened(color, 0.62) for color in colors)


def _lightened(color: Color, least: float) -> Color:
    bright = luminance(color)
    if bright >= least:
        return color
    mix = (least - bright) / (1 - bright)
    return color[0] + (1 - color[0]) * mix, color[1] + (1 - color[1]) * mix, color[2] + (1 - color[2]) * mix


@contextmanager
def _pinned_fonts(module: Any) -> Iterator[None]:
    """Let wordcloud load fonts through our cache, with the layout engine that every machine has.

    wordcloud opens the font file anew for every size it tries, with a layout engine that depends on which
    libraries the system has; it offers no setting for either.
    """
    original = module.ImageFont
    module.ImageFont = SimpleNamespace(
        truetype=lambda path, size: font(int(size)), TransposedFont=original.TransposedFont
    )
    try:
        yield
    finally:
        module.ImageFont = original
