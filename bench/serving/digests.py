"""SHA-256 over the bytes that decide how a checkpoint behaves: what a log calls `weights_digest`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tasks.cache import cache_folder

# What decides a checkpoint's behaviour: weights, adapter, tokenizer, processor, templates, its own code.
_BEHAVIOUR_ENDINGS = (
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".gguf",
    ".json",
    ".jinja",
    ".model",
    ".txt",
    ".py",
)
# What a trainer leaves beside it, and what only describes it.
_BESIDE = (
    "lineage.json",
    "run.json",
    "trainer_state.json",
    "training_args.bin",
    "optimizer.pt",
    "optimizer.bin",
    "scheduler.pt",
    "scaler.pt",
    "requirements.txt",
)
# Hashing this many takes 0.1 s on one core.
_REMEMBERED_FROM_BYTES = 64 * 2**20


def checkpoint_digest(folder: Path, adapter: Path | None = None) -> str:
    """The digest of a model's folder, or of an adapter on it: what a log calls `weights_digest`."""
    folders = [folder] if adapter is None else [folder, adapter]
    return hashlib.sha256("".join(map(folder_digest, folders)).encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 over the sorted digests of the files that decide a checkpoint's behaviour.

    File names and the folder's own name do not enter: a copy elsewhere has the same digest.
    """
    digests = sorted(file_digest(file) for file in _behaviour_files(folder))
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _behaviour_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        # Intermediate checkpoints and dot folders lie inside but are not this checkpoint.
        if any(part.startswith((".", "checkpoint-")) for part in parts[:-1]):
            continue
        if file.name in _BESIDE or file.name.startswith("rng_state"):
            continue
        if file.is_file() and file.suffix in _BEHAVIOUR_ENDINGS:
            yield file


def file_digest(file: Path) -> str:
    """SHA-256 of a file; of a large one remembered by path, inode, size and modification time."""
    status = file.stat()
    if status.st_size < _REMEMBERED_FROM_BYTES:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    key = f"{file.resolve()}|{status.st_ino}|{status.st_size}|{status.st_mtime_ns}"
    remembered = cache_folder("digests") / hashlib.sha256(key.encode()).hexdigest()
    if remembered.is_file():
        return remembered.read_text()
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    unfinished = remembered.with_suffix(f".{os.getpid()}")
    unfinished.write_text(digest)
    unfinished.replace(remembered)
    return digest
