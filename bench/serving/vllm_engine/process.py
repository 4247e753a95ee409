"""What runs inside vLLM's own processes: they end when the process that started them is gone.

vLLM's engine goes on after a ``kill -9`` of its parent, and keeps its memory and its cores for good. The
entry point ``vllm.general_plugins`` brings this function into every process that vLLM starts.
"""

from __future__ import annotations

import multiprocessing
import os
from importlib.metadata import entry_points

from bench.errors import RequestError
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


def check_entry_point() -> None:
    """RequestError where vLLM would not find `end_with_parent`.

    It says so in its log alone, and its engines would outlive their runs. So it is after the code was updated
    under an installation that still names the function's earlier place.
    """
    named = [one.value for one in entry_points(group="vllm.general_plugins", name="tunebench")]
    # The first is what vLLM takes, as a folder's own metadata may stand before the installed one.
    if named[:1] != [f"{__name__}:{end_with_parent.__name__}"]:
        raise RequestError(
            f"vLLM's plugin of Tunebench is installed as {', '.join(named) or 'nothing'}, which this"
            " code does not have. The installation is older than the code: run `make install`"
        )
