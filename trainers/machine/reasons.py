"""What a machine without memory or disk raises, in its many forms, as one reason in words."""

from __future__ import annotations

import errno

OUT_OF_MEMORY = "out of memory"

_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc")
# torch's writer does not ask why a write failed: it finds its file shorter than it should be.
_DISK = (
    "No space left on device",
    "Disk quota exceeded",
    "PytorchStreamWriter failed",
    "iostream error",
    "unexpected pos ",
)


def machine_reason(error: BaseException | None) -> str | None:
    """Why the machine gave out, or None for any other error.

    torch has a RuntimeError for a full memory, its writer and safetensors have their own for a full disk.
    What an error was raised from counts as well.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if reason := _reason(error):
            return reason
        error = error.__cause__ or error.__context__
    return None


def _reason(error: BaseException) -> str | None:
    text = str(error)
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({getattr(error, 'filename', None) or 'while writing'})"
    if any(said in text for said in _DISK):
        return "the disk is full"
    if number == errno.ENOMEM or isinstance(error, MemoryError) or any(said in text for said in _MEMORY):
        return OUT_OF_MEMORY
    return None
