"""Verdicts → win rates: both orders of a pair together, ties as half, what is unscored counted beside them.

A pair is scored when both of its orders have a verdict: the mean of the two. With one order alone the place
would decide part of it, so such a pair is unscored, like one without any verdict. Nothing is dropped unseen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from results.numbers.intervals import Interval, mean_interval
from results.numbers.length_control import LengthControlled, length_controlled
from results.verdicts.judging import Call, Judging

Preference = Literal["a", "b", "tie"]
# How long the text of a is beside that of b: up to this ratio of words, and what tables call it.
LENGTHS: tuple[tuple[float, str], ...] = (
    (0.5, "under half as long"),
    (0.8, "shorter"),
    (1.25, "about as long"),
    (2.0, "longer"),
    (math.inf, "over twice as long"),
)


@dataclass(frozen=True)
class JudgedPair:
    """The two texts on one sample, judged in both orders. ab, ba: the call that showed a, or b, first."""

    sample: str
    cluster: str
    groups: Mapping[str, str]
    words_a: int
    words_b: int
    ab: Call | None
    ba: Call | None

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those that were made."""
        return tuple(call for call in (self.ab, self.ba) if call is not None)

    @property
    def score(self) -> float | None:
        """The score of a, the mean of both orders: 0, ¼, ½, ¾ or 1. None where an order has no verdict."""
        scores = [call.score for call in self.calls]
        if len(scores) < 2 or scores[0] is None or scores[1] is None:
            return None
        return (scores[0] + scores[1]) / 2

    @property
    def reason(self) -> str | None:
        """Why there is no score."""
        if self.score is not None:
            return None
        return next((call.reason for call in self.calls if call.said is None), None) or "not run"

    @property
    def outcome(self) -> Preference | None:
        """Who was preferred, over both orders."""
        score = self.score
        return None if score is None else "tie" if score == 0.5 else "a" if score > 0.5 else "b"

    @property
    def flipped(self) -> bool | None:
        """The order changed the outcome; None where an order has no verdict."""
        if self.score is None:
            return None
        return len({call.score for call in self.calls}) > 1

    @property
    def length(self) -> str:
        """How long a's text is beside b's, as LENGTHS has it."""
        if self.words_a == self.words_b:
            return LENGTHS[2][1]
        ratio = self.words_a / self.words_b if self.words_b else math.inf
        return next(name for most, name in LENGTHS if ratio <= most)


@dataclass(frozen=True)
class Rates:
    """Some pairs' rates; each None where nothing was counted.

    win: over scored pairs, of a. flip: share of scored pairs that the order changed. first: share of FIRST
    among the calls that named one. unparsed: share of calls whose reply has no verdict. pairs: scored or not;
    wins, ties, losses: scored ones by outcome over both orders; unscored: reason → pairs. said: verdict →
    calls.
    """

    pairs: int
    win: Interval | None
    wins: int
    ties: int
    losses: int
    flip: Interval | None
    first: Interval | None
    unparsed: Interval | None
    unscored: Mapping[str, int]
    said: Mapping[str, int]


@dataclass(frozen=True)
class WinRate:
    """How often one judge preferred a to b. groups: report field → group → rates; lengths: by LENGTHS.

    controlled: the win rate at equal length, or the reason why it cannot be told.
    """

    judge: str
    a: str
    b: str
    rates: Rates
    controlled: LengthControlled | str
    groups: Mapping[str, Mapping[str, Rates]]
    lengths: Mapping[str, Rates]


def win_rates(judging: Judging) -> list[WinRate]:
    """One win rate for each two contestants that met."""
    return [win_rate(judging, a, b) for a, b in judging.meetings]


def win_rate(judging: Judging, a: str, b: str) -> WinRate:
    """The rates of a against b."""
    pairs = judged_pairs(judging.calls, a, b)
    scored = [pair for pair in pairs if pair.score is not None]
    fields = {
        field: sorted({pair.groups[field] for pair in pairs if field in pair.groups}) for field in judging.by
    }
    return WinRate(
        judge=judging.judge,
        a=a,
        b=b,
        rates=rates(pairs),
        controlled=length_controlled(
            [pair.score for pair in scored if pair.score is not None],
            [pair.words_a - pair.words_b for pair in scored],
            [pair.cluster for pair in scored],
        ),
        groups={
            field: {name: rates([p for p in pairs if p.groups.get(field) == name]) for name in names}
            for field, names in fields.items()
        },
        lengths={
            name: rates(own)
            for _, name in LENGTHS
            if (own := [pair for pair in pairs if pair.length == name])
        },
    )


def judged_pairs(calls: Iterable[Call], a: str, b: str) -> list[JudgedPair]:
    """The calls on a and b, put together by sample, in order of appearance; a and b may be either's names."""
    found: dict[str, dict[str, Call]] = {}
    for call in calls:
        if (call.a, call.b) == (a, b):
            found.setdefault(call.sample, {})["ab" if call.shown_first == "a" else "ba"] = call
    pairs = []
    for sample, orders in found.items():
        any_call = next(iter(orders.values()))
        pairs.append(
            JudgedPair(
                sample=sample,
                cluster=any_call.cluster,
                groups=any_call.groups,
                words_a=any_call.words_a,
                words_b=any_call.words_b,
                ab=orders.get("ab"),
                ba=orders.get("ba"),
            )
        )
    return pairs


def rates(pairs: Sequence[JudgedPair]) -> Rates:
    """All rates of these pairs, with intervals clustered by their cluster."""
    scored = [pair for pair in pairs if pair.score is not None]
    calls = [(call, pair.cluster) for pair in pairs for call in pair.calls]
    named = [(call.said == "first", cluster) for call, cluster in calls if call.said in ("first", "second")]
    replied = [(call.said is None, cluster) for call, cluster in calls if call.reason != "error"]
    outcomes = Counter(pair.outcome for pair in scored)
    return Rates(
        pairs=len(pairs),
        win=_win(scored),
        wins=outcomes["a"],
        ties=outcomes["tie"],
        losses=outcomes["b"],
        flip=_share([(bool(pair.flipped), pair.cluster) for pair in scored]),
        first=_share(named),
        unparsed=_share(replied),
        unscored=dict(Counter(pair.reason or "" for pair in pairs if pair.score is None)),
        said=dict(Counter(call.said or "none" for call, _ in calls)),
    )


def _win(scored: Sequence[JudgedPair]) -> Interval | None:
    values = [pair.score for pair in scored if pair.score is not None]
    interval = mean_interval(values, [pair.cluster for pair in scored])
    if interval is None or not all(pair.score == 0.5 and pair.flipped for pair in scored):
        return interval
    # A judge that goes by the place alone gives each pair a half, whoever wrote it: nothing was sampled.
    return Interval(0.5, 0.5, 0.5, interval.n, interval.clusters)


def _share(flags: Sequence[tuple[bool, str]]) -> Interval | None:
    return mean_interval([float(flag) for flag, _ in flags], [cluster for _, cluster in flags])
