"""Vectors of reference texts, kept on disk: references come back with every checkpoint that is scored.

One SQLite file for all encoders, safe among processes. A cache may fail (a full disk, a file that is damaged
or locked); then vectors are computed, and nobody is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_GIB = 1 << 30

# Where scorers that are made now keep the vectors of references; None: nowhere.
reference_cache: ContextVar[Path | None] = ContextVar("reference_cache", default=None)


class VectorCache:
    """Vectors by encoder and text. most: bytes kept; the oldest go first."""

    # Bounded because a reference takes about 0.4 MB: half precision would halve that and change the scores.
    def __init__(self, folder: Path, most: int = 4 * _GIB) -> None:
        self._most = most
        self._file: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error, OSError):
            folder.mkdir(parents=True, exist_ok=True)
            # Used from one thread at a time, but not always from the one that made it.
            file = sqlite3.connect(folder / "references.sqlite", timeout=5, check_same_thread=False)
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=OFF")
            file.execute(
                "CREATE TABLE IF NOT EXISTS vectors "
                "(key BLOB PRIMARY KEY, size INTEGER, tokens INTEGER, content BLOB)"
            )
            self._file = file

    def get(self, encoder: str, texts: Iterable[str]) -> dict[str, torch.Tensor]:
        """Those of the texts whose vectors are kept: float32, tokens x dimensions."""
        import torch

        found: dict[str, torch.Tensor] = {}
        if self._file is None:
            return found
        with contextlib.suppress(sqlite3.Error):
            for text in texts:
                row = self._file.execute(
                    "SELECT tokens, content FROM vectors WHERE key = ?", (_key(encoder, text),)
                ).fetchone()
                if row is not None:
                    flat = torch.frombuffer(bytearray(row[1]), dtype=torch.float32)
                    found[text] = flat.view(row[0], -1)
        return found

    def put(self, encoder: str, vectors: Mapping[str, torch.Tensor]) -> None:
        """Keep the vectors of texts."""
        if self._file is None:
            return
        rows = [
            (_key(encoder, text), own.numel() * 4, len(own), own.contiguous().numpy().tobytes())
            for text, own in vectors.items()
        ]
        with contextlib.suppress(sqlite3.Error), self._file:
            self._file.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", rows)
            self._make_room()

    def _make_room(self) -> None:
        assert self._file is not None
        [[size]] = self._file.execute("SELECT COALESCE(SUM(size), 0) FROM vectors")
        while size > self._most:
            oldest = self._file.execute("SELECT rowid, size FROM vectors ORDER BY rowid LIMIT 256").fetchall()
            for rowid, own in oldest:
                if size <= self._most:
                    break
                self._file.execute("DELETE FROM vectors WHERE rowid = ?", (rowid,))
                size -= own

    def close(self) -> None:
        """Close the file; the cache is empty from here on."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _key(encoder: str, text: str) -> bytes:
    return hashlib.sha256(f"{encoder}\0{text}".encode("utf-8", "surrogatepass")).digest()
