"""Examples that two splits share, and holding some back so that they share none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from trainers.data.examples import TrainExample, examples_hash
from trainers.data.shared_examples import Overlap, overlaps
from trainers.data.split import hold_back


def dot(file: Path, colour: int, **options: object) -> Path:
    Image.new("RGB", (4, 4), (colour, 0, 0)).save(file, **options)  # type: ignore[arg-type]
    return file


def test_the_same_pixels_are_found_in_another_file_format(tmp_path: Path) -> None:
    train = [TrainExample("a", (dot(tmp_path / "a.png", 9),), "How many?", "1")]
    same = TrainExample("b", (dot(tmp_path / "b.bmp", 9),), "Which?", "2")
    other = TrainExample("c", (dot(tmp_path / "c.png", 10),), "How many?", "1")

    assert overlaps(train, [same, other]) == [Overlap("a", "b", "image")]


def test_a_source_and_a_prompt_without_a_picture(tmp_path: Path) -> None:
    picture = (dot(tmp_path / "a.png", 1),)
    train = [
        TrainExample("a", picture, "How many?", "1", sources=("text-1",)),
        TrainExample("b", (), "Write  an\nessay.", "…"),
    ]
    other = [
        TrainExample("c", (dot(tmp_path / "c.png", 2),), "Which?", "1", sources=("text-0", "text-1")),
        TrainExample("d", (), "Write an essay.", "other"),
        TrainExample("e", (dot(tmp_path / "e.png", 3),), "How many?", "1"),
    ]

    assert overlaps(train, other) == [Overlap("a", "c", "source"), Overlap("b", "d", "prompt")]


def test_held_back_examples_share_nothing_with_the_rest(tmp_path: Path) -> None:
    pictures = [dot(tmp_path / f"{n}.png", n) for n in range(30)]
    examples = [
        TrainExample(f"{n}-{k}", (path,), "?", "1") for n, path in enumerate(pictures) for k in range(3)
    ]

    train, held = hold_back(examples, 200, seed=0)

    assert len(held) == 9 and len(train) == 81
    assert overlaps(train, held) == []
    backwards = hold_back(examples[::-1], 200, seed=0)
    assert {one.id for one in backwards[1]} == {one.id for one in held}
    assert {one.id for one in hold_back(examples, 200, seed=1)[1]} != {one.id for one in held}
    assert hold_back(examples, 0, seed=0) == (examples, [])


def test_the_data_hash_is_of_content(tmp_path: Path) -> None:
    one = TrainExample("a", (dot(tmp_path / "a.png", 1),), "?", "1")
    two = TrainExample("b", (dot(tmp_path / "b.png", 2),), "?", "1")
    moved = replace(one, images=(dot(tmp_path / "elsewhere.png", 1),))

    assert examples_hash([one, two]) == examples_hash([two, moved])
    for changed in (replace(one, completion="2"), replace(one, prompt="!"), replace(one, images=two.images)):
        assert examples_hash([one, two]) != examples_hash([changed, two])
