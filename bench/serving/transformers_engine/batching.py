"""Concurrent requests → batches, served one after another in a thread of their own."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")

Serve = Callable[[Sequence[Request], Callable[[], bool]], "Sequence[Answer | Exception]"]


@dataclass(frozen=True)
class _Waiting(Generic[Request, Answer]):
    request: Request
    kind: Hashable
    limit: int
    since: float
    answer: asyncio.Future[Answer]


class Batcher(Generic[Request, Answer]):
    """Collects requests of one kind into batches, oldest first.

    serve: called in the batcher's only thread with the requests of a batch and a function that says whether
    nobody waits for them any longer; it returns an answer or an exception for each, in their order. What it
    raises goes to all of them.
    max_wait: how long, in seconds, an incomplete batch waits for more requests.

    Belongs to the event loop that submits; another loop may use it when the former has ended.
    """

    def __init__(self, serve: Serve[Request, Answer], *, max_wait: float) -> None:
        self._serve = serve
        self._max_wait = max_wait
        self._thread: ThreadPoolExecutor | None = None
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: list[_Waiting[Request, Answer]] = []
        self._arrival = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, request: Request, *, kind: Hashable, limit: int) -> Answer:
        """The answer to a request, served together with at most `limit` - 1 others of an equal `kind`."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._enter(loop)
        waiting = _Waiting[Request, Answer](request, kind, limit, loop.time(), loop.create_future())
        self._queue.append(waiting)
        self._arrival.set()
        if self._worker is None or self._worker.done():
            # A context of its own: the worker serves others too, and outlives the caller that starts it.
            self._worker = loop.create_task(self._drain(), context=contextvars.Context())
        return await waiting.answer

    async def call(self, function: Callable[[], None]) -> None:
        """Run a function in the batcher's thread, before any batch submitted later."""
        await asyncio.get_running_loop().run_in_executor(self._executor(), function)

    def close(self) -> None:
        """Give up what waits and the batch in work, wait for the thread; a later request starts another.

        To be called in the submitting event loop, or after it has ended.
        """
        if self._loop is not None and not self._loop.is_closed():
            for waiting in self._queue:
                if not waiting.answer.done():
                    waiting.answer.set_exception(RuntimeError("closed while the request waited"))
        self._queue = []
        if self._thread is not None:
            self._closing = True
            self._thread.shutdown(wait=True)
            self._thread = None
            self._closing = False

    def _enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget the former loop: what still waited in it can no longer be answered."""
        self._loop = loop
        self._queue = []
        self._arrival = asyncio.Event()
        self._worker = None

    def _executor(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        return self._thread

    async def _drain(self) -> None:
        while batch := await self._next_batch():
            await self._answer(batch)

    async def _next_batch(self) -> list[_Waiting[Request, Answer]]:
        """The next batch, or none when nothing waits."""
        loop = asyncio.get_running_loop()
        while True:
            self._queue = [waiting for waiting in self._queue if not waiting.answer.done()]
            if not self._queue:
                return []
            oldest = self._queue[0]
            batch = [waiting for waiting in self._queue if waiting.kind == oldest.kind][: oldest.limit]
            patience = oldest.since + self._max_wait - loop.time()
            if len(batch) == oldest.limit or patience <= 0:
                taken = {id(waiting) for waiting in batch}
                self._queue = [waiting for waiting in self._queue if id(waiting) not in taken]
                return batch
            self._arrival.clear()
            # wait(), not wait_for(): running out of patience is no error here.
            arrival = asyncio.ensure_future(self._arrival.wait())
            try:
                await asyncio.wait([arrival], timeout=patience)
            finally:
                arrival.cancel()

    async def _answer(self, batch: list[_Waiting[Request, Answer]]) -> None:
        def abandoned() -> bool:
            return self._closing or all(waiting.answer.done() for waiting in batch)

        requests = [waiting.request for waiting in batch]
        answers: Sequence[Answer | Exception]
        try:
            answers = await asyncio.get_running_loop().run_in_executor(
                self._executor(), self._serve, requests, abandoned
            )
        except Exception as error:
            answers = [error] * len(batch)
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.answer.done():
                continue
            if isinstance(answer, Exception):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)
