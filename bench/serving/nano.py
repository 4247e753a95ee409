"""`--model nano` and `--model nano-untrained`: the built-in model, made here when it is first asked for.

Untrained it is written by code. Trained it is what the recipe `nano` makes of that, through the same road as
every other recipe: `bench train nano` in a process of its own, whose memory is free before an engine starts.
It is kept in the cache under a name that changes with the recipe.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import IncompleteRunError, RequestError
from bench.serving.digests import folder_digest
from bench.serving.parent import PARENT
from tasks.cache import cache_folder

if TYPE_CHECKING:
    from trainers.recipe import TrainRecipe

TRAINED, UNTRAINED = "nano", "nano-untrained"
NAMES = (TRAINED, UNTRAINED)

_BENCH = (sys.executable, "-m", "bench")
# Ctrl-C in a terminal reaches the training as well; one that it has not heard of by then is told by us.
_SECONDS_TO_HEAR = 2.0
_SECONDS_TO_END = 10.0
_TEXTS = 2000
"""Records whose prompts and answers the tokenizer learns its words from."""


def nano(name: str) -> Path:
    """The folder of the built-in model under one of its two names; RequestError where it cannot be made."""
    _check_installed(name)
    import filelock

    from bench.declarations.recipes import find_recipe

    recipe = find_recipe(TRAINED)
    if name == UNTRAINED:
        return untrained(recipe)
    folder = trained_folder(recipe)
    if not _whole(folder):
        # Who comes second waits for the first instead of training the same once more.
        with filelock.FileLock(folder.with_name(f"{folder.name}.lock")):
            if not _whole(folder):
                _train(folder)
    return folder


def without_training(names: Sequence[str]) -> tuple[str, ...]:
    """The same models, nano's untrained start in its place until it is trained: a dry run trains nothing."""
    if TRAINED not in names:
        return tuple(names)
    _check_installed(TRAINED)
    from bench.declarations.recipes import find_recipe

    if _whole(trained_folder(find_recipe(TRAINED))):
        return tuple(names)
    return tuple(UNTRAINED if name == TRAINED else name for name in names)


def _check_installed(name: str) -> None:
    """Said before anything is drawn or trained."""
    try:
        import filelock  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise RequestError(
            f"--model {name} needs {error.name}; install tunebench[cpu,train] (or run `make demo`)"
        ) from error


def untrained(recipe: TrainRecipe) -> Path:
    """What the recipe begins with: weights from a seed, and a tokenizer of the train split's own phrases."""
    import trainers.models.untrained_nano
    from trainers.models.untrained_nano import NANO, write_untrained

    digest = hashlib.sha256(f"{NANO} {recipe.data.task} {sorted(recipe.data.args.items())}".encode())
    # What another version of the code would write is another model.
    digest.update(Path(trainers.models.untrained_nano.__file__).read_bytes())
    folder = cache_folder("checkpoints") / f"{UNTRAINED}-{digest.hexdigest()[:12]}"
    return folder if _whole(folder) else write_untrained(folder, shape=NANO, texts=_texts(recipe))


def trained_folder(recipe: TrainRecipe) -> Path:
    """Where the trained model is kept: a name for the recipe and for the bytes that it begins with."""
    digest = hashlib.sha256(f"{recipe.digest} {folder_digest(untrained(recipe))}".encode())
    return cache_folder("checkpoints") / f"{TRAINED}-{digest.hexdigest()[:12]}"


def _train(folder: Path) -> None:
    """Train into a folder that is not there yet, or go on with what was begun; its progress is on stderr.

    RequestError where `bench train` finds that it cannot be done here, IncompleteRunError where it was not
    finished; the reason is on stderr by then.
    """
    from trainers.loop.run_folder import UNFINISHED

    print("nano is trained on its first use: a few minutes on two cores, then it is kept", file=sys.stderr)
    begun = folder.with_name(folder.name + UNFINISHED).exists()
    code = _ended([*_BENCH, "train", TRAINED, "--out", str(folder), *(["--resume"] if begun else [])])
    if code == RequestError.exit_code:
        raise RequestError(f"--model {TRAINED}: it cannot be trained here, for the reason above")
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}, for the reason above"
        raise IncompleteRunError(f"--model {TRAINED}: its training {how}; the same command goes on with it")


def _ended(command: Sequence[str]) -> int:
    """The exit code of a command that ends when this process does; its results on stdout are left out."""
    environment = {**os.environ, PARENT: str(os.getpid())}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            _end(process)
            raise IncompleteRunError(
                f"interrupted while {TRAINED} was trained; the same command goes on with it"
            ) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let an interrupted process end in order, so that the terminal is as it was; then kill it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_HEAR)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(_SECONDS_TO_END)
    process.kill()


def _texts(recipe: TrainRecipe) -> Iterator[str]:
    from bench.declarations.catalog import find_task
    from bench.records.loading import load_records

    spec = find_task(str(recipe.data.task))
    for record in load_records(spec, {**recipe.data.args, "size": _TEXTS, "split": recipe.data.split}):
        target = record[spec.dataset.target]
        answer = target[0] if isinstance(target, list) else target
        # The space is the chat template's.
        yield f" {spec.render(record)}"
        yield f" {recipe.target.answer.format(answer=answer)}"


def _whole(folder: Path) -> bool:
    return (folder / "config.json").is_file()
