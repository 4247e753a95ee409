"""Several values after one -T, -M, -S or --set."""

from __future__ import annotations

import pytest

from bench.commands.terminal import spread_pairs


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("run t -T a=1 b=2 -M c=3 --json", "run t -T a=1 -T b=2 -M c=3 --json"),
        ("run t -T a=1 b=2 c=3", "run t -T a=1 -T b=2 -T c=3"),
        ("run -T a=1 t --model m", "run -T a=1 t --model m"),
        ("run -T a=1 t b=2", "run -T a=1 t b=2"),
        ("run t -T path=/x/y=z -S normalise=prior score=letter", None),
        (
            "train r --set data.args.size=12 save.every=2 --json",
            "train r --set data.args.size=12 --set save.every=2 --json",
        ),
        ("train r --set base.checkpoint=./base", None),
        ("run t -T", None),
        ("run t -T -M x=1", None),
        ("score t file.jsonl", None),
    ],
)
def test_pairs_after_an_option_are_all_its_own(given: str, meant: str | None) -> None:
    expected = given.replace(" score=letter", " -S score=letter") if meant is None else meant
    assert spread_pairs(given.split()) == expected.split()
