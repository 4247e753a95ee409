"""What is watched and kept quiet while samples run: the end of what answers, and the garbage collector."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Iterator

from inspect_ai.log import EvalLog

from bench.errors import IncompleteRunError
from bench.serving.model import ServedModel, check_endpoint

_SECONDS_FOR_CTRL_C = 2.0
_SECONDS_BETWEEN_PROBES = 10.0
# A busy server may miss one.
_FAILED_PROBES = 3


async def until_death(
    served: ServedModel, evaluation: Awaitable[EvalLog], base_url: str | None = None
) -> EvalLog:
    """The evaluation's log; stopped at once, its finished samples logged, when what answers is gone."""
    running = asyncio.ensure_future(evaluation)
    gone = asyncio.ensure_future(_gone(served, base_url))
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            # Ctrl-C ends the engine as well, perhaps first: the run that was interrupted says so, and here.
            await asyncio.sleep(_SECONDS_FOR_CTRL_C)
            raise gone.result()
        return running.result()
    finally:
        gone.cancel()
        if not running.done():
            running.cancel()
            with contextlib.suppress(BaseException):
                await running


async def _gone(served: ServedModel, base_url: str | None) -> IncompleteRunError:
    """Returns, with the reason, once the engine has died or nothing answers at the base URL any more.

    inspect would go on asking a dead server for hours.
    """
    if served.local is not None:
        return await served.local.gone()
    if base_url is None:
        await asyncio.Event().wait()
        raise AssertionError("nothing sets that event")
    failures = 0
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_PROBES)
        try:
            await asyncio.to_thread(check_endpoint, base_url)
            failures = 0
        except IncompleteRunError as error:
            failures += 1
            if failures == _FAILED_PROBES:
                return error


@contextlib.contextmanager
def quiet_collector() -> Iterator[None]:
    """Collect garbage rarely while samples run.

    Loaded libraries are a million objects that never die; walking them again and again took a third of
    inspect's time per sample: 7.2 ms, 4.9 ms without (docs/decisions/0003-throughput.md).
    """
    before = gc.get_threshold()
    # Not collected first: that alone takes half a second where much is loaded, and little of it is garbage.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
