"""Pictures of chat messages: a data: URI becomes pixels."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def decoded_picture(data_uri: str) -> Image:
    """The RGB picture in a base64 `data:` URI; ValueError with the reason when there is none in it."""
    from PIL import Image, UnidentifiedImageError

    head, comma, body = data_uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        shown = data_uri[:40] + ("…" if len(data_uri) > 40 else "")
        raise ValueError(f"the image {shown!r} is not a base64 data: URI")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
        # convert() copies even what is RGB already.
        if picture.mode == "RGB":
            picture.load()
            return picture
        return picture.convert("RGB")
    except UnidentifiedImageError:
        raise ValueError("the image cannot be decoded: unknown format") from None
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them trip over
        raise ValueError(f"the image cannot be decoded: {error}") from error
