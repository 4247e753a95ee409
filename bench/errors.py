"""What can go wrong, each with the exit code that `bench` ends with.

    TunebenchError            never raised itself
    ├── RequestError          2   usage, a task.yaml, a recipe, a file that is not there
    ├── NotComparableError    3   the results asked about differ in what they measured
    └── IncompleteRunError    4   engine died, endpoint unreachable, disk full; finished samples are on disk

Inner code raises these (or plain ValueError and OSError, which whoever knows the context turns into one of
them); the command line is the one place that prints them. A message says what is wrong, what was given, what
is allowed and what to do next:

    task 'scienceq' is not one of chart_vqa, scienceqa; did you mean 'scienceqa'? …
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class TunebenchError(Exception):
    """An error with a message for the user; `exit_code` is what the command line ends with."""

    exit_code: ClassVar[int]


class RequestError(TunebenchError):
    """What was asked for cannot be done as asked: usage, a declaration, a recipe, a missing file."""

    exit_code = 2


class NotComparableError(TunebenchError):
    """The results asked about were not measured in the same way."""

    exit_code = 3


class IncompleteRunError(TunebenchError):
    """The run could not be completed; what was finished is on disk and can be resumed."""

    exit_code = 4


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """`"; did you mean 'scienceqa'?"` for the nearest allowed name, `""` when none is near."""
    names = {name.casefold(): name for name in allowed}
    near = difflib.get_close_matches(given.casefold(), names, n=1)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


def first_line(error: BaseException) -> str:
    """What an error of somebody else's says first, for a message of ours; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
