"""Colours of the charts."""

from __future__ import annotations

from functools import lru_cache

from tasks.drawing.canvas import BLACK, WHITE, Color

COLOR_MAPS = (
    "viridis",
    "plasma",
    "magma",
    "cividis",
    "coolwarm",
    "Spectral",
    "RdYlBu",
    "Set2",
    "Set3",
    "Pastel1",
    "tab10",
)
"""Colour maps for bars, slices and words."""

SERIES_COLORS: tuple[tuple[Color, ...], ...] = (
    ((0.12, 0.36, 0.62), (0.93, 0.54, 0.14), (0.25, 0.60, 0.33), (0.78, 0.22, 0.29)),
    ((0.20, 0.20, 0.40), (0.27, 0.70, 0.68), (0.95, 0.77, 0.26), (0.88, 0.40, 0.36)),
    ((0.00, 0.45, 0.70), (0.90, 0.62, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65)),
    ((0.40, 0.24, 0.57), (0.55, 0.76, 0.29), (0.95, 0.55, 0.63), (0.30, 0.62, 0.86)),
    ((0.45, 0.29, 0.16), (0.93, 0.79, 0.45), (0.36, 0.53, 0.38), (0.60, 0.68, 0.80)),
)
"""Sets of colours that stay apart side by side, also in a small legend."""


@lru_cache(maxsize=512)
def spread(name: str, count: int) -> tuple[Color, ...]:
    """`count` colours along a colour map; a map of few colours repeats, never with equal neighbours."""
    import matplotlib

    colors = matplotlib.colormaps[name]
    if colors.N < 32:
        picked = [colors(index % colors.N) for index in range(count)]
    else:
        picked = [colors(0.08 + 0.84 * (index / max(1, count - 1))) for index in range(count)]
    return tuple((float(red), float(green), float(blue)) for red, green, blue, _ in picked)


def luminance(color: Color) -> float:
    """Perceived brightness from 0 (black) to 1 (white)."""
    red, green, blue = color
    return 0.299 * red + 0.587 * green + 0.114 * blue


def readable_on(color: Color) -> Color:
    """Black or white, whichever stands out from `color`."""
    return BLACK if luminance(color) > 0.52 else WHITE


def darkened(color: Color, most: float) -> Color:
    """`color`, darkened where needed so that its brightness is at most `most`."""
    bright = luminance(color)
    factor = min(1.0, most / bright) if bright else 1.0
    return color[0] * factor, color[1] * factor, color[2] * factor
