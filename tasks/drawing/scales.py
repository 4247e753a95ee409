"""A value axis that starts at zero and ends at a round number."""

from __future__ import annotations


def ticks(highest: int, wanted: int = 6) -> list[int]:
    """Round values 0, step, 2·step, …, of which the last is at or above `highest` (at least 1)."""
    step = 1
    while highest / step > wanted:
        lead = int(str(step)[0])
        step = step * 2 if lead == 1 else step * 5 // 2 if lead == 2 else step * 2
    return list(range(0, -(-max(1, highest) // step) * step + 1, step))
