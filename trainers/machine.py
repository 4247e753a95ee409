"""What a machine without memory or disk raises, in its many forms, as one reason in words."""

from __future__ import annotations

import errno

OUT_OF_MEMORY = "out of memory"

_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc")
_DISK = ("No space left on device", "PytorchStreamWriter failed", "Disk quota exceeded")


def machine_reason(error: BaseException | None) -> str | None:
    """Why the machine gave out, or None for any other error.

    torch has a RuntimeError for a full memory, its writer and safetensors have their own for a full disk.
    """
    text = str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error.filename or 'while writing'})"
    if any(said in text for said in _DISK):
        return "the disk is full"
    unmapped = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if unmapped or isinstance(error, MemoryError) or any(said in text for said in _MEMORY):
        return OUT_OF_MEMORY
    return None
