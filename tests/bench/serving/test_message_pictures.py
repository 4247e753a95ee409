"""data: URIs become RGB pictures, or a ValueError with the reason."""

import base64
import io

import pytest
from PIL import Image

from bench.serving.message_pictures import decoded_picture


def data_uri(picture: Image.Image, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    picture = decoded_picture(data_uri(Image.new("RGB", (5, 3), "white").convert(mode)))
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGB", (5, 3), (255, 255, 255))


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("chart.png", "not a base64 data: URI"),
        ("https://example.org/chart.png", "not a base64 data: URI"),
        ("data:image/png,raw", "not a base64 data: URI"),
        ("data:image/png;base64,****", "cannot be decoded"),
        ("data:image/png;base64," + base64.b64encode(b"no picture").decode(), "unknown format"),
        (data_uri(Image.new("RGB", (64, 64)))[:-60] + "AAAA", "cannot be decoded"),
    ],
)
def test_what_is_no_picture_says_so(uri: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decoded_picture(uri)
