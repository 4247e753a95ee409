"""What runs inside vLLM's own processes: they end when the process that started them is gone.

vLLM's engine goes on after a ``kill -9`` of its parent, and keeps its memory and its cores for good. The
entry point ``vllm.general_plugins`` brings this function into every process that vLLM starts.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

from bench.serving.vllm_engine.seeded_sampling import keep_seeds_on_cpu

MARK = "TUNEBENCH_ENGINE"
"""Set in the environment of engines that ``bench`` starts; other vLLM processes are left as they are."""

_SECONDS_BETWEEN_LOOKS = 0.5


def end_with_parent() -> None:
    """Watch the parent from a thread, in a process that an engine of ours consists of; see the module."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None or MARK not in os.environ:
        return
    threading.Thread(target=_watch, args=(parent.pid,), name="end-with-parent", daemon=True).start()
    # Here rather than in an entry point of its own: only engines of ours are changed.
    keep_seeds_on_cpu()


def _watch(parent: int) -> None:
    # A process whose parent has died gets another one, even while the dead one waits to be reaped.
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
