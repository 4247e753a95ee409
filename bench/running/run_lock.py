"""Which requests are being run: a log that still grows elsewhere is not one to go on from.

A lock ends with its process, so a killed run leaves none behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from bench.errors import RequestError


@contextlib.contextmanager
def run_lock(folder: Path, key: str, label: str, *, alone: bool) -> Iterator[None]:
    """Mark a request as running. Any number of runs share it, unless one of them has to be ``alone``.

    key: what two runs of one request have in common. label: what a message calls it. RequestError where it
    cannot be had. On a file system without locks there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        file = _locked(folder / f"{key[:32]}.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    except BlockingIOError:
        other = "leave out --resume for a run of its own" if alone else "give another --log-dir"
        raise RequestError(
            f"{label}: the same request is running already and logs to the same folder; wait for its end, or "
            f"{other}"
        ) from None
    try:
        yield
    finally:
        with file, contextlib.suppress(OSError):  # others share it still
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(file.name).unlink(missing_ok=True)


def _locked(path: Path, how: int) -> TextIO:
    """The open file at a path, locked; BlockingIOError where others have it."""
    while True:
        file = path.open("a")
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise
        except OSError:
            return file
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        # Whoever had it removed it between our opening and locking it.
        file.close()
