"""What scorers note of every completion beside its score, and the rates of it: truncated, no answer, …"""

from __future__ import annotations

from typing import cast

from inspect_ai.scorer import Metric, SampleScore, metric


def was_truncated(stop_reason: str) -> bool | None:
    """Whether the token limit ended the completion; None where nobody said why it ended."""
    return None if stop_reason == "unknown" else stop_reason in ("max_tokens", "model_length")


def rate_of(flag: str, *, counts: bool) -> Metric:
    """Share of scored samples whose flag, true or false, is what counts."""

    def share_of(scores: list[SampleScore]) -> float:
        flags = [bool((score.score.metadata or {}).get(flag)) is counts for score in scores]
        return sum(flags) / len(flags) if flags else float("nan")

    return cast(Metric, share_of)


@metric(name="truncated_rate")
def truncated_rate() -> Metric:
    """Share of scored samples whose completion was ended by the token limit."""
    return rate_of("truncated", counts=True)
