"""Numbers and names as tables and files write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from results.numbers.intervals import Interval

# Of fewer samples than this a score is hardly more than its interval.
SMALL = 30
SMALL_NOTE = f"* fewer than {SMALL} samples: read the interval"


def printable(text: str, keep: str = "") -> str:
    """Text from a record, a model or an error, what has no shape (control codes) replaced.

    keep: characters that stay as they are, such as a line's end.
    """
    return "".join(c if c.isprintable() or c in keep else "\ufffd" for c in text)


def shown(text: str) -> Text:
    """The same as the terminal shows it: no control codes, no markup."""
    return Text(printable(text))


def score_text(interval: Interval | None, missing: str = "–") -> str:
    """``43.3 [30.1, 57.5]`` in percent; a dash where nothing was scored."""
    if interval is None:
        return missing
    return f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def n_text(n: int) -> str:
    """A number of samples, with a star (`SMALL_NOTE`) where they are few."""
    return f"{n}{'*' if 0 < n < SMALL else ''}"


def rate_text(interval: Interval | None) -> str:
    """``43 [30, 57]`` in whole percent, or a dash."""
    if interval is None:
        return "–"
    return f"{100 * interval.mean:.0f} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def percent(interval: Interval | None) -> str:
    """A rate in whole percent, or a dash."""
    return f"{100 * interval.mean:.0f}%" if interval else "–"


def parameters_text(count: int | None) -> str:
    """``1.2M``, ``3.1B``, or a dash."""
    if not count:
        return "–"
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def seconds_text(seconds: float | None) -> str:
    """``48 s``, ``12 min``, ``3.4 h``, or a dash."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def interval_json(interval: Interval | None) -> dict[str, float | int] | None:
    """An interval as plain data."""
    if interval is None:
        return None
    return {
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "clusters": interval.clusters,
    }
