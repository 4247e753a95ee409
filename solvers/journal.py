"""Completions on disk the moment they exist, before the log that will hold them is flushed.

inspect writes finished samples to its log a few at a time. A killed run would lose the last few and make
them again; with a journal a resumed run takes them from here. One JSON line per completion.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

from inspect_ai.model import ModelOutput

_Key = tuple[str, int]


class Journal:
    """Append-only file of completions by (sample id, epoch)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _read(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Line-buffered: a line is with the operating system once written, so that kill -9 cannot lose it.
        self._file = path.open("a", buffering=1, encoding="utf-8")
        if path.stat().st_size:
            # A kill may have left half a line; the next one must not continue it.
            self._file.write("\n")

    def __len__(self) -> int:
        return len(self._known)

    def get(self, sample_id: str, epoch: int) -> ModelOutput | None:
        """The completion recorded for a sample, or None."""
        return self._known.get((sample_id, epoch))

    def put(self, sample_id: str, epoch: int, output: ModelOutput) -> None:
        """Record a completion."""
        line = {"id": sample_id, "epoch": epoch, "output": output.model_dump(mode="json", exclude_none=True)}
        # In ASCII: no character of a completion can end a line or fail to be encoded.
        self._file.write(json.dumps(line) + "\n")
        self._known[(sample_id, epoch)] = output

    def close(self, *, delete: bool) -> None:
        """Close the file; delete it once the log holds every sample."""
        self._file.close()
        if delete:
            self.path.unlink(missing_ok=True)


def _read(path: Path) -> dict[_Key, ModelOutput]:
    known: dict[_Key, ModelOutput] = {}
    if not path.exists():
        return known
    for line in path.read_bytes().split(b"\n"):
        try:
            row = json.loads(line)
            known[(row["id"], row["epoch"])] = ModelOutput.model_validate(row["output"])
        except (ValueError, KeyError, TypeError):
            # The kill came in the middle of this line: that completion is made again.
            continue
    return known


# Set by the run around an evaluation; inspect's sample tasks inherit them.
current_journal: ContextVar[Journal | None] = ContextVar("current_journal", default=None)
# Called once for each sample that has its completion or its error.
current_progress: ContextVar[Callable[[], None] | None] = ContextVar("current_progress", default=None)
