"""Two logs of the same samples through two engines: what share agrees, and where completions part."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from results.logs.logged_run import Run, read_run
from results.logs.sample_file import LoggedSample, SampleFile
from results.numbers.intervals import Interval, mean_interval
from results.shown.words import interval_json

# Characters of a completion shown on each side of where two engines part.
_AROUND = 40


@dataclass(frozen=True)
class Pair:
    """One sample that both engines completed.

    parts_at: the first token that differs, from 1; None when all are equal. scores: None where one of them is
    unscored. said: the texts from a little before where they part; None when they are equal.
    """

    id: str
    epoch: int
    cluster: str
    parts_at: int | None
    scores: tuple[float, float] | None
    said: tuple[str, str] | None


@dataclass(frozen=True)
class Parity:
    """The pairs of two runs, and how many samples each side could not complete, by reason."""

    first: Run
    second: Run
    pairs: Sequence[Pair]
    missing: tuple[Counter[str], Counter[str]]

    @property
    def tokens(self) -> Interval | None:
        """Share of the pairs with equal tokens."""
        return _share([(pair.parts_at is None, pair.cluster) for pair in self.pairs])

    @property
    def completions(self) -> Interval | None:
        """Share of the pairs with equal texts, which engines may make of equal tokens in different ways."""
        return _share([(pair.said is None, pair.cluster) for pair in self.pairs])

    @property
    def scores(self) -> Interval | None:
        """Share of equal scores among the pairs that are scored on both sides."""
        return _share([(p.scores[0] == p.scores[1], p.cluster) for p in self.pairs if p.scores is not None])

    @property
    def parted(self) -> list[int]:
        """Where the unequal pairs part, ascending."""
        return sorted(pair.parts_at for pair in self.pairs if pair.parts_at is not None)

    @property
    def unequal(self) -> list[Pair]:
        """The pairs whose tokens or texts differ."""
        return [pair for pair in self.pairs if pair.parts_at is not None or pair.said is not None]

    def as_plain(self) -> dict[str, Any]:
        """Everything as plain data, each unequal pair too."""
        return {
            "task": self.first.task,
            "engines": [_engine(run) for run in (self.first, self.second)],
            "logs": [self.first.location, self.second.location],
            "pairs": len(self.pairs),
            "equal_completions": interval_json(self.completions),
            "equal_tokens": interval_json(self.tokens),
            "equal_scores": interval_json(self.scores),
            "first_differing_token": position_summary(self.parted),
            "missing": [dict(counts) for counts in self.missing],
            "unequal": [
                {
                    "id": pair.id,
                    "epoch": pair.epoch,
                    "token": pair.parts_at,
                    "scores": pair.scores,
                    "said": pair.said,
                }
                for pair in self.unequal
            ],
        }


def engines_compared(first: str | Path, second: str | Path) -> Parity:
    """Compare two logs sample by sample.

    ValueError when they are of different data, or when their runs kept no tokens. Raises what reading a log
    raises.
    """
    runs = read_run(first), read_run(second)
    if runs[0].identity.get("data_hash") != runs[1].identity.get("data_hash"):
        raise ValueError("the logs are of different data")
    values = [{(o.id, o.epoch): o.value for o in run.outcomes} for run in runs]
    samples = [_completed(run) for run in runs]
    pairs = []
    for outcome in runs[0].outcomes:
        key = (outcome.id, outcome.epoch)
        one, other = samples[0].get(key), samples[1].get(key)
        if one is None or other is None:
            continue
        if one.tokens is None or other.tokens is None:
            raise ValueError("the logs have no tokens; make them with `bench parity`")
        scores = outcome.value, values[1][key]
        pairs.append(
            Pair(
                id=outcome.id,
                epoch=outcome.epoch,
                cluster=outcome.cluster,
                parts_at=None if one.tokens == other.tokens else first_difference(one.tokens, other.tokens),
                scores=None if scores[0] is None or scores[1] is None else (scores[0], scores[1]),
                said=None
                if one.completion == other.completion
                else _around(one.completion, other.completion),
            )
        )
    return Parity(runs[0], runs[1], pairs, (_missing(runs[0], samples[0]), _missing(runs[1], samples[1])))


def first_difference(one: Sequence[object], other: Sequence[object]) -> int:
    """The place, from 1, of the first token that two completions do not share; one that ends parts there."""
    for place, (a, b) in enumerate(zip(one, other, strict=False), start=1):
        if a != b:
            return place
    return min(len(one), len(other)) + 1


def position_summary(places: Sequence[int]) -> dict[str, Any] | None:
    """Least, quartiles and most of places, and how many lie in 1, 2, 3–4, 5–8, …; None without any."""
    if not places:
        return None
    quartiles = np.quantile(places, (0.25, 0.5, 0.75), method="inverted_cdf")
    bins: Counter[int] = Counter((place - 1).bit_length() for place in places)
    return {
        "n": len(places),
        "least": min(places),
        "quartiles": [int(value) for value in quartiles],
        "most": max(places),
        "counts": {_bin(power): bins[power] for power in range(max(bins) + 1)},
    }


def _bin(power: int) -> str:
    low, high = (1 if power == 0 else 2 ** (power - 1) + 1), 2**power
    return str(high) if low == high else f"{low}–{high}"


def _completed(run: Run) -> dict[tuple[str, int], LoggedSample]:
    """The samples that have a completion, if only an empty one."""
    with SampleFile(run.location) as file:
        read = {(o.id, o.epoch): file.read(o.id, o.epoch) for o in run.outcomes}
    return {key: sample for key, sample in read.items() if sample.replied}


def _missing(run: Run, samples: dict[tuple[str, int], LoggedSample]) -> Counter[str]:
    """Why samples have no completion; those that were not run included."""
    reasons = Counter(o.reason or "error" for o in run.outcomes if (o.id, o.epoch) not in samples)
    return reasons + Counter({"not run": run.unscored["not run"]})


def _share(values: Sequence[tuple[bool, str]]) -> Interval | None:
    return mean_interval([float(value) for value, _ in values], [cluster for _, cluster in values])


def _around(one: str, other: str) -> tuple[str, str]:
    same = next((i for i, (a, b) in enumerate(zip_longest(one, other)) if a != b), 0)
    start = max(0, same - _AROUND)
    return one[start : same + _AROUND], other[start : same + _AROUND]


def _engine(run: Run) -> dict[str, Any]:
    named = ("model", "weights_digest", "engine", "engine_version", "dtype")
    return {name: run.identity.get(name) for name in named}


def examples(found: Parity, most: int) -> Iterator[Pair]:
    """The unequal pairs that part first; those whose texts alone differ come last."""
    yield from sorted(found.unequal, key=lambda pair: (pair.parts_at or math.inf, pair.id))[:most]
