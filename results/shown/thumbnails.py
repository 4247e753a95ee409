"""Pictures small enough that a page can hold hundreds."""

from __future__ import annotations

import base64
import io
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_LONGEST_SIDE = 288
_MOST_BYTES = 6_000
# Charts stay legible down to the last of these; after it the picture is made smaller.
_QUALITIES = (72, 55, 40, 28)


def thumbnail(data_uri: str) -> str | None:
    """A data URI's picture as a WebP of at most 288 px and 6,000 bytes, as a data URI.

    None when it cannot be decoded: a broken picture is not a reason to have no page.
    """
    from PIL import Image as pillow

    try:
        body = base64.b64decode(data_uri.partition(",")[2], validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            picture = _on_white(pillow.open(io.BytesIO(body)))
    except Exception:  # Pillow's readers raise whatever a broken file makes them trip over
        return None
    side = _LONGEST_SIDE
    while True:
        small = picture.copy()
        small.thumbnail((side, side))
        for quality in _QUALITIES:
            made = io.BytesIO()
            small.save(made, "WEBP", quality=quality, method=2)
            if made.tell() <= _MOST_BYTES:
                return "data:image/webp;base64," + base64.b64encode(made.getvalue()).decode()
        side = side * 3 // 4


def _on_white(picture: Image) -> Image:
    """RGB; what is transparent becomes white, as a viewer shows it."""
    from PIL import Image as pillow

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        background = pillow.new("RGBA", picture.size, "white")
        return pillow.alpha_composite(background, picture).convert("RGB")
    return picture.convert("RGB")
