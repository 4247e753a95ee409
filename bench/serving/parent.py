"""A process that ends with the one that started it, even when that is killed and can tell nobody."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "TUNEBENCH_PARENT"
"""Set in the environment of a `python -m bench` that is to end with its parent: the parent's process id."""

_SECONDS_BETWEEN_LOOKS = 0.5


def end_with(parent: int) -> None:
    """Watch the parent from a thread from now on; this process is killed when it is gone."""
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()


def end_as_asked() -> None:
    """Watch the parent that the environment names, if it names one; processes started from here are free."""
    if parent := os.environ.pop(PARENT, None):
        end_with(int(parent))


def _watch(parent: int) -> None:
    # A process whose parent has died gets another one, even while the dead one waits to be reaped.
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGKILL)
