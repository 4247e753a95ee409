"""Which requests share a batch, and what becomes of failures and cancellations."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from bench.serving.transformers_engine.batching import Batcher


class Doubling:
    """Serves numbers with their double, words with an error of their own; remembers the batches."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.threads: set[int] = set()

    def __call__(self, requests: Sequence[object], abandoned: Callable[[], bool]) -> list[object]:
        self.batches.append(list(requests))
        self.threads.add(threading.get_ident())
        return [ValueError(f"no number: {r}") if isinstance(r, str) else r * 2 for r in requests]  # type: ignore[operator]


def submit_all(batcher: Batcher[object, object], requests: list[tuple[object, str]]) -> list[object]:
    async def main() -> list[object]:
        return await asyncio.gather(
            *(batcher.submit(request, kind=kind, limit=3) for request, kind in requests),
            return_exceptions=True,
        )

    return asyncio.run(main())


def test_batches_are_full_of_one_kind_and_oldest_first() -> None:
    serve = Doubling()
    batcher: Batcher[object, object] = Batcher(serve, max_wait=0.01)
    answers = submit_all(batcher, [(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, "a"), (6, "b")])
    assert answers == [2, 4, 6, 8, 10, 12]
    # The second kind's incomplete batch is older than the first kind's rest.
    assert serve.batches == [[1, 3, 4], [2, 6], [5]]
    assert serve.threads.isdisjoint({threading.get_ident()}) and len(serve.threads) == 1
    batcher.close()


def test_an_incomplete_batch_waits_for_late_requests() -> None:
    serve = Doubling()
    batcher: Batcher[object, object] = Batcher(serve, max_wait=30)

    async def late(request: int) -> object:
        await asyncio.sleep(0.01 * request)
        return await batcher.submit(request, kind="a", limit=3)

    async def main() -> list[object]:
        return await asyncio.gather(*map(late, range(3)))

    began = time.monotonic()
    assert asyncio.run(main()) == [0, 2, 4]
    assert serve.batches == [[0, 1, 2]]
    assert time.monotonic() - began < 10, "a full batch does not wait"
    batcher.close()


def test_an_error_goes_to_its_request_alone() -> None:
    batcher: Batcher[object, object] = Batcher(Doubling(), max_wait=0.01)
    first, word, last = submit_all(batcher, [(1, "a"), ("one", "a"), (3, "a")])
    assert (first, last) == (2, 6)
    assert isinstance(word, ValueError)
    batcher.close()


def test_what_serving_raises_goes_to_all_and_the_next_batch_is_served() -> None:
    failing = True

    def serve(requests: Sequence[object], abandoned: Callable[[], bool]) -> Sequence[object]:
        if failing:
            raise RuntimeError("no weights")
        return requests

    batcher: Batcher[object, object] = Batcher(serve, max_wait=0.01)
    assert [str(answer) for answer in submit_all(batcher, [(1, "a"), (2, "a")])] == ["no weights"] * 2
    failing = False
    # Another event loop than before.
    assert submit_all(batcher, [(1, "a")]) == [1]
    batcher.close()


def test_a_batch_that_nobody_waits_for_is_told_so() -> None:
    began, given_up = threading.Event(), threading.Event()

    def serve(requests: Sequence[object], abandoned: Callable[[], bool]) -> Sequence[object]:
        began.set()
        deadline = time.monotonic() + 10
        while not abandoned() and time.monotonic() < deadline:
            time.sleep(0.005)
        if abandoned():
            given_up.set()
        return requests

    batcher: Batcher[object, object] = Batcher(serve, max_wait=0)

    async def main() -> None:
        request = asyncio.create_task(batcher.submit(1, kind="a", limit=1))
        await asyncio.to_thread(began.wait, 10)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    asyncio.run(main())
    batcher.close()
    assert given_up.is_set()


def test_closing_fails_what_waits_and_a_later_request_is_served() -> None:
    serve = Doubling()
    batcher: Batcher[object, object] = Batcher(serve, max_wait=30)

    async def main() -> object:
        waiting = asyncio.create_task(batcher.submit(1, kind="a", limit=2))
        await asyncio.sleep(0.01)
        batcher.close()
        with pytest.raises(RuntimeError, match="closed"):
            await waiting
        return await batcher.submit(2, kind="a", limit=1)

    assert asyncio.run(main()) == 4
    batcher.close()
