"""Several processes that train one model: who this one is, whose turn it is, and what really runs.

Torch's launcher starts them and sets RANK and WORLD_SIZE. Two ways of asking are silently ignored on a CPU
(accelerate's launcher without MPI, and accelerate's FSDP), so what was asked for stands in the environment as
well, and training ends when something else came of it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal, TypeAlias

Parallelism: TypeAlias = Literal["ddp", "fsdp"]

PROCESSES = "TUNEBENCH_PROCESSES"
"""How many processes `bench train --nproc` asked for, in their environment."""
PARALLELISM = "TUNEBENCH_PARALLELISM"
"""How they share the work: ddp (each has the whole model) or fsdp (each has a part)."""

# What accelerate calls each kind; with one process there is none.
_KINDS = {"ddp": ("MULTI_CPU", "MULTI_GPU", "MULTI_XPU", "MULTI_NPU"), "fsdp": ("FSDP",)}


class NotAsAskedError(RuntimeError):
    """Other processes, or another kind of parallelism, than were asked for."""


def join() -> int:
    """Join the other processes, if there are any; how many there are. NotAsAskedError when not as asked."""
    import torch
    from accelerate import PartialState

    cpu = not (torch.cuda.is_available() or torch.backends.mps.is_available())
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    options: dict[str, Any] = {"backend": "gloo"} if cpu and several else {}
    if several:
        # While the first prepares pictures, the others wait.
        options["timeout"] = timedelta(hours=12)
    state = PartialState(cpu=cpu, **options)
    asked = int(os.environ.get(PROCESSES, "1"))
    if state.num_processes != asked:
        raise NotAsAskedError(f"{asked} processes were asked for, and {state.num_processes} found each other")
    return int(state.num_processes)


def is_first() -> bool:
    """Whether this process is the one that writes and speaks; the only one always is."""
    return int(os.environ.get("RANK", "0")) == 0


@contextlib.contextmanager
def first_alone() -> Iterator[None]:
    """The first process goes alone, then all others at once: what it left on disk, they find.

    When it fails, the launcher ends the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    join()
    if not is_first():
        together()
        yield
        return
    yield
    together()


def together() -> None:
    """Wait until every process is here."""
    from accelerate import PartialState

    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        PartialState().wait_for_everyone()


def shard_on_cpu(accelerator: Any) -> bool:
    """Let accelerate shard the model over processes on CPUs, where that was asked for; whether it was.

    Torch shards over gloo as over anything else; accelerate 1.15 leaves CPUs out of the list of devices that
    it does so for (`AcceleratorState.__init__`), and says nothing.
    """
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin

    state = accelerator.state
    if os.environ.get(PARALLELISM) != "fsdp" or state.distributed_type != DistributedType.MULTI_CPU:
        return False
    state.fsdp_plugin = FullyShardedDataParallelPlugin()
    if state.mixed_precision != "no":
        state.fsdp_plugin.set_mixed_precision(state.mixed_precision)
    state.distributed_type = DistributedType.FSDP
    PartialState._shared_state["distributed_type"] = DistributedType.FSDP
    return True


def check_sharded(model: Any) -> None:
    """NotAsAskedError when each process should hold a part of the model, and this one holds all of it."""
    if os.environ.get(PARALLELISM) != "fsdp":
        return
    from torch.distributed.tensor import DTensor

    # A frozen base in four bits stays whole: its packed weights cannot be cut.
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    whole = [name for name, parameter in trained.items() if not isinstance(parameter, DTensor)]
    if whole:
        raise NotAsAskedError(f"fsdp was asked for, and {whole[0]} is in every process as a whole")


def running(accelerator: Any) -> str:
    """What runs, in words: `2 processes, MULTI_CPU over gloo`. NotAsAskedError when not as asked."""
    kind = str(accelerator.distributed_type.value)
    processes = int(accelerator.num_processes)
    asked = os.environ.get(PARALLELISM)
    if asked is not None and kind not in _KINDS[asked]:
        raise NotAsAskedError(
            f"{asked} over {os.environ.get(PROCESSES)} processes was asked for, and {kind} over {processes} "
            "runs"
        )
    if processes == 1:
        return "1 process"
    return f"{processes} processes, {kind} over {accelerator.state.backend or 'no backend'}"
