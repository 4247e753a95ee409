"""Checkpoint and data → the hub, in one commit each; what would go is known before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.declarations.task_files import task_versions
from bench.errors import IncompleteRunError, RequestError
from bench.publishing.card import card
from bench.serving.checkpoint import Checkpoint, find_checkpoint
from results.board.standings import Leaderboard, leaderboard
from results.chosen.folder import read_runs, weights
from tasks.cache import cache_folder
from trainers.lineage import LINEAGE_FILE, is_of, read_lineage

_CARD = "README.md"
# A trainer's own state: of no use to whoever loads the weights, and large.
_STATE = (
    "trainer_state.json",
    "training_args.bin",
    "optimizer",
    "scheduler",
    "scaler",
    "rng_state",
    "run.json",
)


@dataclass(frozen=True)
class Push:
    """What goes to the hub. files: path in the repository → file here. data: folder and its repository."""

    checkpoint: Checkpoint
    repository: str
    files: dict[str, Path]
    card: str
    data: tuple[Path, str] | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files of the checkpoint."""
        return sum(file.stat().st_size for file in self.files.values())


def prepare(model: str, repository: str, *, log_dir: Path, data: Path | None = None) -> Push:
    """Everything that would be sent, without a word to the hub.

    data: a training folder. RequestError when the checkpoint, the folder or the repository's name is none.
    """
    _check_name(repository)
    checkpoint = find_checkpoint(model)
    folder = checkpoint.adapter or checkpoint.folder
    if not Path(model).expanduser().is_dir():
        raise RequestError(f"{model}: not a checkpoint folder here; give the folder that `bench train` made")
    data_repository = None
    if data is not None:
        if not any(data.rglob("*.parquet")):
            raise RequestError(f"--data {data}: not a training folder (no parquet files in it)")
        data_repository = f"{repository}-data"
    lineage = read_lineage(folder)
    files = dict(_files(folder))
    changed: tuple[str, ...] = ()
    if lineage is not None and not is_of(lineage, checkpoint.digest):
        changed = (
            f"{LINEAGE_FILE} is about other weights than these and stays here: they were changed since",
        )
        lineage = None
        del files[LINEAGE_FILE]
    base, notes = _base(checkpoint, lineage)
    return Push(
        checkpoint,
        repository,
        files,
        card(
            repository,
            digest=checkpoint.digest,
            parameters=checkpoint.parameters,
            adapter=checkpoint.adapter is not None,
            base=base,
            lineage=lineage,
            board=_board(checkpoint, lineage, log_dir),
            data=data_repository,
        ),
        (data, data_repository) if data is not None and data_repository else None,
        (*changed, *notes),
    )


def send(push: Push, *, private: bool = False) -> list[str]:
    """Create the repositories where they are not there yet and commit to them; their addresses.

    IncompleteRunError when the hub cannot be reached or breaks off, RequestError when it refuses.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(library_name="tunebench")
    operations = [CommitOperationAdd(name, file) for name, file in push.files.items()]
    operations.append(CommitOperationAdd(_CARD, push.card.encode()))
    message = f"Weights {push.checkpoint.digest[:12]}"
    with _hub_errors(push.repository):
        addresses = []
        if push.data is not None:
            folder, repository = push.data
            api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
            files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
            adds = [CommitOperationAdd(str(file.relative_to(folder)), file) for file in files]
            commit = api.create_commit(
                repository, adds, repo_type="dataset", commit_message=f"Data of {push.repository}"
            )
            addresses.append(str(commit.commit_url))
        api.create_repo(push.repository, private=private, exist_ok=True)
        commit = api.create_commit(push.repository, operations, commit_message=message)
        addresses.append(str(commit.commit_url))
    return addresses


def _check_name(repository: str) -> None:
    try:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]
    except ImportError as error:
        raise RequestError(f"bench push needs {error.name}; install tunebench[hub]") from error
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise RequestError(f"--to {repository}: {error}") from error
    if repository.count("/") != 1:
        raise RequestError(f"--to {repository}: give the repository as OWNER/NAME")


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        inside = any(part.startswith((".", "checkpoint-")) for part in name.parts)
        if file.is_file() and not inside and not file.name.startswith(_STATE) and str(name) != _CARD:
            yield name.as_posix(), file


def _base(checkpoint: Checkpoint, lineage: dict[str, Any] | None) -> tuple[str | None, tuple[str, ...]]:
    """The hub id of the base, and what others would miss without one."""
    named = None
    if checkpoint.adapter is not None:
        config = json.loads((checkpoint.adapter / "adapter_config.json").read_text())
        named = str(config.get("base_model_name_or_path"))
    elif lineage is not None and isinstance(lineage.get("recipe"), dict):
        named = str(lineage["recipe"].get("base", {}).get("checkpoint"))
    if named is not None and _looks_like_hub_id(named):
        return named, ()
    if checkpoint.adapter is None:
        return None, ()
    note = (
        f"the adapter's base is a folder of this machine ({named}): nobody else can load it. "
        "Push the base as well, or a merged checkpoint (`bench merge`)"
    )
    return None, (note,)


def _looks_like_hub_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def _board(checkpoint: Checkpoint, lineage: dict[str, Any] | None, log_dir: Path) -> Leaderboard | None:
    """The rows of these weights, and of the base that they were trained from."""
    if not log_dir.is_dir():
        return None
    found = read_runs([log_dir], cache=cache_folder("runs"), versions=task_versions())
    wanted = {checkpoint.digest, (lineage or {}).get("base_digest")}
    runs = [run for run in found.runs if weights(run) in wanted]
    here = {run.task for run in runs if weights(run) == checkpoint.digest}
    return leaderboard([run for run in runs if run.task in here]) if here else None


class _hub_errors:  # used as `with _hub_errors(name):`
    """Turns what the hub's client raises into one message: refused, or not reached."""

    def __init__(self, repository: str) -> None:
        self._repository = repository

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is None or not isinstance(error, Exception):
            return
        from huggingface_hub.errors import HfHubHTTPError

        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, HfHubHTTPError) and status in (400, 401, 403, 404, 409):
            raise RequestError(
                f"--to {self._repository}: the hub refused ({said}). Log in with `hf auth login`, or set "
                "HF_TOKEN to a token that may write there"
            ) from error
        if isinstance(error, OSError) or _is_network(error):
            raise IncompleteRunError(
                f"--to {self._repository}: the hub could not be reached or the upload stopped ({said}); "
                "run the same command to continue, finished files are not sent twice"
            ) from error


def _is_network(error: Exception) -> bool:
    modules: Sequence[str] = ("httpx", "httpcore", "requests", "urllib3", "huggingface_hub")
    return any(type(error).__module__.startswith(module) for module in modules)
