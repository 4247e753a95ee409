"""A full memory and a full disk, as libraries say it."""

from __future__ import annotations

import errno

import pytest

from trainers.machine.reasons import machine_reason


def raised_while(first: BaseException, second: BaseException) -> BaseException:
    """`second`, raised while `first` was handled."""
    try:
        try:
            raise first
        except BaseException:
            raise second  # noqa: B904 - as torch does it
    except BaseException as error:
        return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "model.bin"), "the disk is full (model.bin)"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full (while writing)"),
        # safetensors
        (
            RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
            "the disk is full",
        ),
        # torch.save, on a file system that is really full
        (
            raised_while(
                RuntimeError("basic_ios::clear: iostream error"),
                RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 3249472 vs 3249360"),
            ),
            "the disk is full",
        ),
        (raised_while(OSError(errno.ENOSPC, "full", "a"), KeyError("b")), "the disk is full (a)"),
        (MemoryError(), "out of memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "out of memory",
        ),
        (RuntimeError("PytorchStreamReader failed reading zip archive: not a ZIP archive"), None),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), None),
        (ValueError("wrong"), None),
        (None, None),
    ],
)
def test_the_machines_reason(error: BaseException | None, said: str | None) -> None:
    assert machine_reason(error) == said
