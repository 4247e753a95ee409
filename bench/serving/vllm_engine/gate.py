"""Requests enter the engine in groups, where small batches waste the cores that the rest needs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Gate:
    """Lets requests into the engine in groups.

    On a CPU a step of the engine costs nearly the same for a small batch as for a large one. Samples come
    one by one, each after some Python work, and an engine that takes each at once runs many steps for few
    of them, on cores that the Python work needs (docs/decisions/0003-throughput.md). A group goes in when it
    is ``size`` large, or when no other request is being prepared, so nothing waits for what never comes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._preparing = 0
        self._waiting: list[asyncio.Future[None]] = []

    @contextlib.contextmanager
    def preparing(self) -> Iterator[None]:
        """Around the work that comes before :meth:`turn`."""
        self._preparing += 1
        try:
            yield
        finally:
            self._preparing -= 1
            self._let_in()

    async def turn(self) -> None:
        """Wait for the group to go in. Call it right after ``preparing``."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        await turn

    def _let_in(self) -> None:
        if len(self._waiting) >= self._size or self._preparing == 0:
            for turn in self._waiting:
                if not turn.done():
                    turn.set_result(None)
            self._waiting.clear()
