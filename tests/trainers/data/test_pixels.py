"""Pictures come back from disk as the processor made them, and are made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainers.data.pixels import FreshPixels, MappedPixels, MappedStore, picture_key, sweep

ANY_ARRAY = arrays.arrays(
    st.sampled_from([np.float32, np.int64, np.uint8]),
    arrays.array_shapes(min_dims=1, max_dims=4, max_side=6),
    elements={"allow_nan": False},
)


def file(folder: Path, content: bytes) -> Path:
    path = folder / f"{content.hex()}.png"
    path.write_bytes(content)
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(ANY_ARRAY, min_size=1, max_size=3))
def test_any_array_comes_back(tmp_path: Path, made: list[Any]) -> None:
    images = (file(tmp_path, b"a"),)
    store = MappedStore(tmp_path, np.random.default_rng().bytes(8).hex())

    pixels = store.filled(
        [images],
        lambda _: ({"input_ids": np.array([3, 3])}, {str(n): a for n, a in enumerate(made)}),
        None,
    )

    assert isinstance(pixels, MappedPixels)
    back = pixels.arrays(picture_key(images))
    for place, array in enumerate(made):
        assert back[str(place)].dtype == array.dtype
        np.testing.assert_array_equal(back[str(place)], array)
    assert pixels.tokens(picture_key(images))["input_ids"].tolist() == [3, 3]
    assert pixels.cells(picture_key(images)) == sum(array.size for array in made)


@pytest.mark.parametrize("levels", [1, 256, 257, 65_536, 65_537])
def test_levels_decide_how_many_bytes_a_number_takes(tmp_path: Path, levels: int) -> None:
    array = np.linspace(-1, 1, levels, dtype=np.float32)[np.arange(70_000) % levels]
    images = (file(tmp_path, b"a"),)

    pixels = MappedStore(tmp_path, "d").filled([images], lambda _: ({}, {"x": array}), None)

    np.testing.assert_array_equal(pixels.arrays(picture_key(images))["x"], array)
    table = 4 * levels if levels <= 65_536 else 0
    numbers = {1: 0, 256: 70_000, 65_537: 280_000}.get(levels, 140_000)
    assert (tmp_path / "d.bin").stat().st_size == table + numbers


def test_each_picture_is_prepared_once_and_broken_ones_are_named(tmp_path: Path) -> None:
    good, broken = (file(tmp_path, b"good"),), (file(tmp_path, b"broken"),)
    asked: list[Path] = []

    def prepare(images: tuple[Path, ...]) -> Any:
        asked.extend(images)
        if images == broken:
            raise ValueError("cannot be read")
        return {}, {"x": np.arange(3)}

    for _ in range(2):
        pixels = MappedStore(tmp_path, "d").filled([good, broken, good, ()], prepare, None)
        assert pixels.mistakes == {picture_key(broken): "cannot be read"}
        assert pixels.arrays(picture_key(good))["x"].tolist() == [0, 1, 2]
    assert sorted(asked) == sorted([*good, *broken])


def test_what_would_not_fit_is_prepared_each_time(tmp_path: Path) -> None:
    images = [(file(tmp_path, bytes([n])),) for n in range(10)]

    def prepare(_: Any) -> Any:
        return {"input_ids": np.array([1])}, {"x": np.arange(100)}

    pixels = MappedStore(tmp_path, "d", limit=500).filled(images, prepare, None)

    assert isinstance(pixels, FreshPixels)
    assert pixels.arrays(pixels.key(images[3]))["x"].tolist() == list(range(100))
    assert pixels.cells(pixels.key(images[3])) == 100
    assert list(tmp_path.glob("*d.*")) == []


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def prepare(_: Any) -> Any:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        MappedStore(tmp_path, "d").filled([(file(tmp_path, b"a"),)], prepare, None)
    assert [path.name for path in tmp_path.iterdir()] == ["61.png"]


def test_the_oldest_stores_are_swept(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(["new", "old"]):
        (tmp_path / f"{name}.json").write_text("{}")
        (tmp_path / f"{name}.bin").write_bytes(b"x" * 10)
        os.utime(tmp_path / f"{name}.json", (1000 - age, 1000 - age))

    sweep(tmp_path, keep_bytes=15)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.bin", "new.json"]
