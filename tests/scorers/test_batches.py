"""Scores of single samples are computed together, once, and survive a kill."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.running.journals import ScoreJournal
from scorers.batches import Result, ScoreBatcher, current_scores, once_a_sample, score_progress


class Lengths:
    """Scores a completion by its length, and remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, completions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Result]:
        self.batches.append(len(completions))
        if "bad" in completions:
            raise ValueError("a bad text")
        return [{"value": len(text), "metadata": {}} for text in completions]


async def all_scores(batcher: ScoreBatcher, texts: Sequence[str]) -> list[object]:
    calls = (batcher.score(text, ["gold"]) for text in texts)
    found = await asyncio.gather(*calls, return_exceptions=True)
    return [one["value"] if isinstance(one, dict) else str(one) for one in found]


def test_calls_that_wait_together_are_one_batch() -> None:
    lengths = Lengths()
    texts = ["x" * number for number in range(50)]
    assert asyncio.run(all_scores(ScoreBatcher(lengths, "s"), texts)) == list(range(50))
    assert lengths.batches == [50]


def test_no_batch_is_larger_than_allowed() -> None:
    lengths = Lengths()
    asyncio.run(all_scores(ScoreBatcher(lengths, "s", most=20), ["x"] * 50))
    assert lengths.batches == [20, 20, 10]


def test_a_failure_reaches_those_of_its_batch_alone() -> None:
    lengths = Lengths()
    found = asyncio.run(all_scores(ScoreBatcher(lengths, "s", most=2), ["a", "b", "bad", "c", "dd"]))
    assert found == [1, 1, "a bad text", "a bad text", 2]


def test_a_batcher_outlives_an_event_loop() -> None:
    batcher = ScoreBatcher(Lengths(), "s")
    assert [asyncio.run(all_scores(batcher, ["ab"])) for _ in range(2)] == [[2], [2]]


def test_progress_is_called_for_every_score() -> None:
    called: list[str] = []
    done: list[int] = []

    async def scored() -> None:
        once = once_a_sample(lambda: done.append(1), ["fast", "slow"])

        def noted(name: str) -> None:
            called.append(name)
            once(name)

        score_progress.set(noted)
        for name in ("fast", "slow"):
            await all_scores(ScoreBatcher(Lengths(), "s", name=name), ["a", "bad", "c"])

    asyncio.run(scored())
    assert called == ["fast"] * 3 + ["slow"] * 3
    assert len(done) == 3


@pytest.mark.parametrize("damage", [b"", b'{"key": "half a li'])
def test_what_a_journal_holds_is_not_computed_again(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "folder" / "scores.jsonl"

    async def scored(signature: str, texts: Sequence[str], lengths: Lengths) -> list[object]:
        journal = ScoreJournal(file)
        current_scores.set(journal)
        found = await all_scores(ScoreBatcher(lengths, signature), texts)
        journal.close(delete=False)
        return found

    assert asyncio.run(scored("s", ["a", "bb\u2028\ud800"], Lengths())) == [1, 4]
    with file.open("ab") as out:
        out.write(damage)
    lengths = Lengths()
    assert asyncio.run(scored("s", ["a", "bb\u2028\ud800", "ccc"], lengths)) == [1, 4, 3]
    assert lengths.batches == [1]
    assert asyncio.run(scored("other", ["a"], lengths)) == [1]
    assert lengths.batches == [1, 1]
    kept = ScoreJournal(file)
    assert len(kept) == 4
    kept.close(delete=True)
    assert not file.exists()
