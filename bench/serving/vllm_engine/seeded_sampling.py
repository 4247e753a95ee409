"""Lets vLLM draw with a request's own seed on a CPU.

A prompt that is read in several steps samples a token after each, and all but the last are thrown away.
vLLM 0.32 takes such a draw back by the offset of the generator, which only CUDA has: on a CPU it dies with
"CPU Generator does not use offset". Here the generator begins anew instead, which is the same, since nothing
that it drew was kept yet; only a request that is preempted after some tokens draws the same numbers again.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def keep_seeds_on_cpu() -> None:
    """Put the change into vLLM's runner, once; nothing happens where vLLM does not run on a CPU."""
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    runner: Any = importlib.import_module("vllm.v1.worker.gpu_model_runner").GPUModelRunner
    original = getattr(runner, "_bookkeeping_sync", None)
    if original is None:
        return  # another vLLM, which may have no need of it

    @functools.wraps(original)
    def bookkeeping(self: Any, *arguments: Any, **named: Any) -> Any:
        generators = self.input_batch.generators
        thrown_away = self.discard_request_mask.np[: self.input_batch.num_reqs].nonzero()[0]
        held = {int(i): generators.pop(int(i)) for i in thrown_away if int(i) in generators}
        for generator in held.values():
            generator.manual_seed(generator.initial_seed())
        try:
            return original(self, *arguments, **named)
        finally:
            generators.update(held)

    runner._bookkeeping_sync = bookkeeping
