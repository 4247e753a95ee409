"""Completions and scores on disk the moment they exist, before the log that will hold them is flushed.

inspect writes finished samples to its log a few at a time. A killed run would lose the last few and make
them again; a resumed run takes them from here. One JSON line each; half a line, which a kill in the middle
of writing leaves, costs only itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from inspect_ai.model import ModelOutput

from scorers.batches import Result

_K = TypeVar("_K")
_V = TypeVar("_V")


class _Journal(Generic[_K, _V]):
    """Append-only file of JSON lines, each of a key and its value; the last line of a key counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[_K, _V] = {}
        self._read()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        if path.stat().st_size:
            # A kill may have left half a line; the next one must not continue it.
            self._file.write("\n")

    def __len__(self) -> int:
        return len(self._known)

    def close(self, *, delete: bool) -> None:
        """Close the file; delete it once the log holds everything in it."""
        self._file.close()
        if delete:
            self.path.unlink(missing_ok=True)

    def _parsed(self, row: Any) -> tuple[_K, _V]:
        """A line's key and value; ValueError, KeyError or TypeError where it is none of ours."""
        raise NotImplementedError

    def _append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write lines; with the operating system when this returns, so that kill -9 cannot lose them."""
        # In ASCII: no character of a completion can end a line or fail to be encoded.
        self._file.write("".join(json.dumps(row) + "\n" for row in rows))
        self._file.flush()

    def _read(self) -> None:
        for line in self.path.read_bytes().split(b"\n") if self.path.exists() else ():
            try:
                key, value = self._parsed(json.loads(line))
                self._known[key] = value
            except (ValueError, KeyError, TypeError):
                # The kill came in the middle of this line: what it had is made again.
                continue


class CompletionJournal(_Journal[tuple[str, int], ModelOutput]):
    """Completions by (sample id, epoch); a `solvers.journal.Journal`."""

    def get(self, sample_id: str, epoch: int) -> ModelOutput | None:
        """The completion recorded for a sample, or None."""
        return self._known.get((sample_id, epoch))

    def put(self, sample_id: str, epoch: int, output: ModelOutput) -> None:
        """Record a completion."""
        said = output.model_dump(mode="json", exclude_none=True)
        self._append([{"id": sample_id, "epoch": epoch, "output": said}])
        self._known[(sample_id, epoch)] = output

    def _parsed(self, row: Any) -> tuple[tuple[str, int], ModelOutput]:
        return (row["id"], row["epoch"]), ModelOutput.model_validate(row["output"])


class ScoreJournal(_Journal[str, Result]):
    """Results by what was scored and how; `scorers.batches.KnownScores`."""

    def get(self, key: str) -> Result | None:
        """The result recorded under a key, or None."""
        return self._known.get(key)

    def put(self, results: Mapping[str, Result]) -> None:
        """Record a batch."""
        self._append({"key": key, "result": result} for key, result in results.items())
        self._known.update(results)

    def _parsed(self, row: Any) -> tuple[str, Result]:
        return row["key"], row["result"]
