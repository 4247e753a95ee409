"""`bench train --nproc N`: the same command again in N processes, through torch's elastic launcher."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.declarations.recipes import check_data_is_there
from bench.errors import IncompleteRunError, RequestError
from bench.training.training_run import TrainRequest, base_checkpoint, new_folder, resolved
from trainers.machine.processes import PARALLELISM, PROCESSES, Parallelism
from trainers.recipe import TrainRecipe

if TYPE_CHECKING:
    from trainers.training import TrainResult

# accelerate's switches, as its own launcher sets them: shards of whole layers, one file when saving.
_FSDP: Mapping[str, str] = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "false",
    # Attention layers return views. Nothing in transformers' models changes them in place.
    "PYTHONWARNINGS": "ignore:FSDP2-wrapped module:UserWarning",
}


@dataclass(frozen=True)
class Processes:
    """How many processes, where, and how they share the work.

    per_machine: processes on each machine. rendezvous: HOST:PORT on one of several machines.
    """

    per_machine: int = 1
    machines: int = 1
    rendezvous: str | None = None
    parallelism: Parallelism = "ddp"

    @property
    def total(self) -> int:
        """Processes over all machines."""
        return self.per_machine * self.machines


def check_processes(processes: Processes, request: TrainRequest, recipe: TrainRecipe) -> None:
    """RequestError for a request that no launcher could serve as asked."""
    try:
        recipe.batch.share(processes.total)
    except ValueError as error:
        raise RequestError(str(error)) from error
    if processes.machines > 1 and not processes.rendezvous:
        raise RequestError("--nnodes: several machines need --rdzv HOST:PORT, an address of one of them")
    if processes.machines > 1 and request.out is None:
        raise RequestError("--nnodes: give --out, a folder that all machines share")
    if processes.machines > 1 and request.evaluate:
        raise RequestError(
            "--nnodes: leave out --eval, and score the checkpoint with `bench run` when it is done"
        )
    if processes.parallelism == "fsdp" and processes.total == 1:
        raise RequestError("--parallelism fsdp: one process cannot share the model; give --nproc or --nnodes")
    import torch

    gpus = torch.cuda.device_count()
    if gpus and processes.per_machine > gpus:
        raise RequestError(
            f"--nproc {processes.per_machine}: this machine has {gpus} GPUs; give at most {gpus}"
        )


def train_in_processes(request: TrainRequest, processes: Processes, show: str) -> TrainResult:
    """Train as `run_training` does, in several processes: same batches, same losses.

    show: how the first process shows its progress. RequestError for what cannot be asked, IncompleteRunError
    when a process gave out; what was wrong is on the terminal by then, or in the message.
    """
    from trainers.lineage import read_lineage
    from trainers.loop import curve_file
    from trainers.training import TrainResult

    # Mistakes are said once, before there are many to say them.
    recipe = resolved(request)
    check_processes(processes, request, recipe)
    check_data_is_there(recipe)
    base_checkpoint(recipe)
    out = request.out or new_folder(recipe, resume=request.resume)
    code = launch(processes, _arguments(request, out, show), run=recipe.digest[:16])
    if code:
        raise SystemExit(code)
    lineage = read_lineage(out)
    if lineage is None:
        raise IncompleteRunError(f"{out}: the processes ended without a checkpoint")
    return TrainResult(out, int(lineage["steps"]), curve_file.read_points(out), lineage)


def _arguments(request: TrainRequest, out: Path, show: str) -> list[str]:
    """The command line of each process."""
    changes = [f"--set={key}={json.dumps(value)}" for key, value in request.changes.items()]
    return [
        *("train", request.recipe, *changes, f"--out={out}", f"--show={show}"),
        *(["--resume"] if request.resume else []),
        *([f"--max-steps={request.max_steps}"] if request.max_steps else []),
        *([f"--eval={','.join(request.evaluate)}"] if request.evaluate else []),
        *(f"-T{key}={json.dumps(value)}" for key, value in request.dataset_args.items()),
        *([f"--report-to={','.join(request.report_to)}"] if request.report_to else []),
        *(["--allow-overlap"] if request.allow_overlap else []),
        *(["--trust-remote-code"] if request.trust_remote_code else []),
    ]


def launch(processes: Processes, arguments: Sequence[str], *, run: str | None = None) -> int:
    """Run `bench` with these arguments in every process; the exit code of the first that failed, or 0.

    Only the first process of a machine speaks; when another fails, its last lines are in the error. run: a
    name for the training, the same on all machines. Raises IncompleteRunError when processes do not find
    each other.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    with tempfile.TemporaryDirectory(prefix="tunebench-") as logs:
        config = LaunchConfig(
            min_nodes=processes.machines,
            max_nodes=processes.machines,
            nproc_per_node=processes.per_machine,
            run_id=run if run and processes.machines > 1 else str(uuid.uuid4()),
            rdzv_backend="c10d",
            rdzv_endpoint=processes.rendezvous or "localhost:0",
            max_restarts=0,
            monitor_interval=0.2,
            logs_specs=DefaultLogsSpecs(
                log_dir=logs, redirects={rank: Std.ALL for rank in range(1, processes.per_machine)}
            ),
        )
        try:
            with _environment(processes):
                elastic_launch(config, sys.executable)("-m", "bench", *arguments)
        except ChildFailedError as error:
            _, failure = error.get_first_failure()
            if failure.local_rank:
                _say_end_of(logs, failure.local_rank)
            # A process that was ended from outside has a negative code.
            return failure.exitcode if failure.exitcode > 0 else IncompleteRunError.exit_code
        except (TimeoutError, ConnectionError, RuntimeError) as error:
            raise IncompleteRunError(f"the processes did not find each other: {error}") from error
    return 0


@contextlib.contextmanager
def _environment(processes: Processes) -> Iterator[None]:
    """What the processes find in their environment, set while they are started."""
    before = dict(os.environ)
    os.environ[PROCESSES] = str(processes.total)
    os.environ[PARALLELISM] = processes.parallelism
    if processes.parallelism == "fsdp":
        os.environ.update(_FSDP)
    # Each process would otherwise take a thread per core.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes.per_machine)))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _say_end_of(logs: str, rank: int) -> None:
    for file in Path(logs).rglob(f"{rank}/stderr.log"):
        lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()]
        print(f"process {rank} ended first; its last lines:", *lines[-12:], sep="\n    ", file=sys.stderr)
