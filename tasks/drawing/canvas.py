"""A picture in pixels: matplotlib's Agg draws the shapes, Pillow the text and the file.

Figures, axes and artists are left out: every position is known beforehand, and going straight to the
renderer is several times faster and has no settings, fonts or locale to differ between machines.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFont import FreeTypeFont

Color = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""

BLACK: Color = (0.0, 0.0, 0.0)
INK: Color = (0.15, 0.15, 0.15)
WHITE: Color = (1.0, 1.0, 1.0)

REFERENCE = (512, 384)
"""Width and height at which sizes are stated; other pictures scale them."""

Dash = Literal["solid", "dashed", "dotted"]
Mark = Literal["disc", "square", "diamond"]

# Level 1: higher levels save little on these pictures and cost more than drawing them.
_COMPRESS_LEVEL = 1


@lru_cache(maxsize=1)
def font_path() -> str:
    """The DejaVu Sans that ships inside matplotlib: the one font that is the same on every machine."""
    import matplotlib

    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


@lru_cache(maxsize=256)
def font(pixels: int) -> FreeTypeFont:
    """That font at a size in pixels."""
    from PIL import ImageFont

    # Pillow's other layout engine is used only where a system library happens to be installed.
    return ImageFont.truetype(font_path(), pixels, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def text_size(text: str, pixels: int) -> tuple[float, float]:
    """Width and height of a line of text in pixels; the height is that of a capital letter or a digit."""
    return font(pixels).getlength(text), pixels * 0.73


def scale_of(width: int, height: int) -> float:
    """How much larger than the reference size a picture is."""
    return min(width / REFERENCE[0], height / REFERENCE[1])


def png_of(image: Image.Image) -> bytes:
    """The image as a PNG file without any metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=_COMPRESS_LEVEL)
    return buffer.getvalue()


class Canvas:
    """A picture of width x height pixels; x grows to the right, y downwards. Text lies above all shapes."""

    def __init__(self, width: int, height: int, background: Color = WHITE) -> None:
        from matplotlib.backends.backend_agg import RendererAgg
        from matplotlib.transforms import Affine2D

        self.width = width
        self.height = height
        self.scale = scale_of(width, height)
        # matplotlib's annotations leave the renderer out.
        renderer: Any = RendererAgg
        self._agg = renderer(width, height, 72)
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._texts: list[tuple[tuple[float, float], str, int, Color, str, Color | None]] = []
        self.polygon([(0, 0), (width, 0), (width, height), (0, height)], background)

    def px(self, at_reference_size: float) -> float:
        """A length given for the reference size, in pixels of this picture."""
        return at_reference_size * self.scale

    def type_size(self, at_reference_size: float) -> int:
        """A type size given for the reference size, in whole pixels of this picture, never below 8."""
        return max(8, round(at_reference_size * self.scale))

    def polygon(
        self,
        corners: Sequence[tuple[float, float]],
        fill: Color | None,
        *,
        alpha: float = 1.0,
        edge: Color | None = None,
        edge_width: float = 1.0,
        snap: bool = True,
    ) -> None:
        """A filled area with an optional edge; `snap` aligns straight edges with the pixel grid."""
        from matplotlib.path import Path as Outline

        gc = self._agg.new_gc()
        gc.set_snap(snap)
        gc.set_alpha(alpha)
        gc.set_linewidth(edge_width if edge is not None else 0.0)
        if edge is not None:
            gc.set_foreground((*edge, alpha), isRGBA=True)
        outline = Outline([*corners, corners[0]], closed=True)
        self._agg.draw_path(gc, outline, self._flip, None if fill is None else (*fill, alpha))

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Color | None,
        *,
        alpha: float = 1.0,
        edge: Color | None = None,
        edge_width: float = 1.0,
    ) -> None:
        """An upright rectangle."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self.polygon(corners, fill, alpha=alpha, edge=edge, edge_width=edge_width)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        color: Color,
        *,
        width: float = 1.0,
        dash: Dash = "solid",
        snap: bool = False,
    ) -> None:
        """A line through the points."""
        from matplotlib.path import Path as Outline

        gc = self._agg.new_gc()
        gc.set_snap(snap)
        gc.set_foreground((*color, 1.0), isRGBA=True)
        gc.set_linewidth(width)
        gc.set_joinstyle("round")
        if dash != "solid":
            gc.set_dashes(0, [4 * width, 2.5 * width] if dash == "dashed" else [1.2 * width, 1.8 * width])
        self._agg.draw_path(gc, Outline(list(points)), self._flip)

    def mark(self, x: float, y: float, radius: float, shape: Mark, fill: Color, edge: Color) -> None:
        """A marker of a data point."""
        from matplotlib.path import Path as Outline

        if shape == "disc":
            gc = self._agg.new_gc()
            gc.set_foreground((*edge, 1.0), isRGBA=True)
            self._agg.draw_path(gc, Outline.circle((x, y), radius), self._flip, (*fill, 1.0))
        elif shape == "square":
            self.box(x - radius, y - radius, x + radius, y + radius, fill, edge=edge)
        else:
            radius *= 1.3
            corners = [(x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)]
            self.polygon(corners, fill, edge=edge, snap=False)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        pixels: int,
        *,
        color: Color = INK,
        anchor: str = "mm",
        halo: Color | None = None,
    ) -> None:
        """A line of text; `anchor` is Pillow's two letters (l/m/r and a/m/s), `halo` an outline around it."""
        self._texts.append(((x, y), text, pixels, color, anchor, halo))

    def png(self) -> bytes:
        """The finished picture."""
        from PIL import Image, ImageDraw

        size, pixels = (self.width, self.height), self._agg.buffer_rgba()
        image = Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1).convert("RGB")
        draw = ImageDraw.Draw(image)
        for place, text, type_size, color, anchor, halo in self._texts:
            draw.text(
                place,
                text,
                fill=_bytes(color),
                font=font(type_size),
                anchor=anchor,
                stroke_width=0 if halo is None else 2,
                stroke_fill=None if halo is None else _bytes(halo),
            )
        return png_of(image)


def _bytes(color: Color) -> tuple[int, int, int]:
    red, green, blue = color
    return round(red * 255), round(green * 255), round(blue * 255)
