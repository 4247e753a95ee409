"""What runs inside vLLM's own processes: they end when the process that started them is gone.

vLLM's engine goes on after a ``kill -9`` of its parent, and keeps its memory and its cores for good. The
entry point ``vllm.general_plugins`` brings this function into every process that vLLM starts.
"""

from __future__ import annotations

import multiprocessing
import os

from bench.serving.parent import end_with
from bench.serving.vllm_engine.seeded_sampling import keep_seeds_on_cpu

MARK = "TUNEBENCH_ENGINE"
"""Set in the environment of engines that ``bench`` starts; other vLLM processes are left as they are."""


def end_with_parent() -> None:
    """Watch the parent, in a process that an engine of ours consists of; see the module."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None or MARK not in os.environ:
        return
    end_with(parent.pid)
    # Here rather than in an entry point of its own: only engines of ours are changed.
    keep_seeds_on_cpu()
