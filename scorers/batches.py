"""Scores of many samples at once, over inspect's scorers of one sample each.

inspect calls a scorer for each sample, many at a time. A `ScoreBatcher` collects the calls that wait and
computes them together in a thread, so that the event loop goes on; what arrives meanwhile is the next batch.
`bench run` makes all completions before it asks for such scores, so that they take no time from generation.
Finished scores go to the run's `KnownScores` at once, so that a kill loses none.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Result: TypeAlias = dict[str, Any]
"""A score as plain JSON: `value`, a number or names with numbers, and `metadata`."""

Compute: TypeAlias = Callable[[Sequence[str], Sequence[Sequence[str]]], list[Result]]
"""Completions and the references of each → their results, in order."""

# Few enough that a bar moves every few seconds with the slowest scorer; a kill costs no more than these.
_MOST = 128


class KnownScores(Protocol):
    """Results by what was scored and how (a signature); one that was put is found again after a kill."""

    def get(self, key: str) -> Result | None:
        """The result recorded under a key, or None."""

    def put(self, results: Mapping[str, Result]) -> None:
        """Record a batch; it is with the operating system when this returns."""


# Set by `bench run` and `bench score` around an evaluation; inspect's sample tasks inherit them.
current_scores: ContextVar[KnownScores | None] = ContextVar("current_scores", default=None)
# Called with the scorer's name once for each score of a batch scorer.
score_progress: ContextVar[Callable[[str], None] | None] = ContextVar("score_progress", default=None)


def once_a_sample(advance: Callable[[], None], scorers: Sequence[str]) -> Callable[[str], None]:
    """Progress that counts samples: one is done when the last of its scorers, which run in turn, is.

    Counted by scores, a bar would leap ahead with the fast scorers and be wrong about the time left.
    """
    return lambda name: advance() if name == scorers[-1] else None


@dataclass
class _Call:
    completion: str
    references: Sequence[str]
    key: str
    journal: KnownScores | None
    result: asyncio.Future[Result] = field(repr=False)


class ScoreBatcher:
    """Awaitable scores of single samples, computed in batches of at most ``most`` in one thread at a time.

    signature: what computes, with all its settings; results in a journal are found by it and the texts.
    name: the scorer's, for the bar.
    """

    def __init__(self, compute: Compute, signature: str, most: int = _MOST, *, name: str = "") -> None:
        self._compute = compute
        self._signature = signature
        self._most = most
        self._name = name
        self._waiting: list[_Call] = []
        self._worker: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def score(self, completion: str, references: Sequence[str]) -> Result:
        """The result of one sample; raises what computing its batch raised."""
        try:
            return await self._result(completion, references)
        finally:
            if (advance := score_progress.get()) is not None:
                advance(self._name)

    async def _result(self, completion: str, references: Sequence[str]) -> Result:
        journal = current_scores.get()
        key = _key(self._signature, completion, references)
        if journal is not None and (known := journal.get(key)) is not None:
            return known
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Another run: what waited in a loop that is gone is gone with it.
            self._loop, self._waiting, self._worker = loop, [], None
        call = _Call(completion, references, key, journal, loop.create_future())
        self._waiting.append(call)
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await call.result

    async def _work(self) -> None:
        # Whoever is ready as well may join the first batch.
        await asyncio.sleep(0)
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                results = await asyncio.to_thread(self._computed, batch)
            except Exception as error:
                for call in batch:
                    if not call.result.done():
                        call.result.set_exception(error)
                continue
            for call, result in zip(batch, results, strict=True):
                if not call.result.done():
                    call.result.set_result(result)

    def _computed(self, batch: Sequence[_Call]) -> list[Result]:
        results = self._compute([call.completion for call in batch], [call.references for call in batch])
        if (journal := batch[0].journal) is not None:
            journal.put({call.key: result for call, result in zip(batch, results, strict=True)})
        return results


def _key(signature: str, completion: str, references: Sequence[str]) -> str:
    said = json.dumps([signature, completion, *references])
    return hashlib.sha256(said.encode()).hexdigest()
