"""Every number that a run's scorers give, each with its interval and what it must share to be compared.

A scorer's numbers are means over samples, or, where its samples carry sums, the score of the whole corpus.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from results.logs.logged_run import Run
from results.logs.outcomes import Floats, Ints, Labels, Outcomes
from results.numbers.bootstrap import cluster_bootstrap
from results.numbers.corpus import CORPUS_SCORES
from results.numbers.intervals import Interval, clustered_standard_error, mean_interval, wilson
from results.numbers.lean_scipy import special

# From seed to seed an end of the interval moves by 0.08 standard errors (0.06 with 2,000 rounds).
_ROUNDS = 1000
_CORPUS = "corpus_"


@dataclass(frozen=True)
class Metric:
    """One number of a run or of a part of it.

    name: such as "bleu", "rouge1" or "bertscore_recall". corpus: computed from the whole, not a mean of
    samples. interval: in [0, 1] but for rescaled scores; None where nothing was scored. signature: what two
    of them must share to be compared (sacrebleu's signature, BERTScore's hash), or None. lower: it counts
    what is wrong, so that lower is better.
    """

    name: str
    corpus: bool
    interval: Interval | None
    signature: str | None
    lower: bool = False

    @property
    def label(self) -> str:
        """The name as tables show it; an arrow down where lower is better."""
        return f"{self.name}, corpus" if self.corpus else f"{self.name} ↓" if self.lower else self.name


def run_metrics(run: Run, rows: Ints | None = None) -> list[Metric]:
    """The numbers of a run, or of some of its rows; none for a run with one scorer of one plain number.

    A corpus score stands before the mean of its samples. Intervals are clustered: Student's t of means, 1,000
    seeded bootstrap draws of corpus scores.
    """
    outcomes = run.outcomes if rows is None else run.outcomes.take(rows)
    found: list[Metric] = []
    for name, values in outcomes.numbers.items():
        signature = _signature(run, name)
        if name in outcomes.sums and name in CORPUS_SCORES:
            found.append(Metric(name, True, corpus_interval(outcomes, name), signature))
        found.append(Metric(name, False, _mean(outcomes, values), signature, name in _lower(run)))
    return found


def metric_runs(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The runs with one of their other numbers as the score, named TASK:NAME, to be ranked and compared.

    Means over samples: of BLEU and chrF the sentence scores; corpus_bleu and corpus_chrf are those of the
    whole, also of each group. A number of which lower is better becomes its
    opposite, TASK:without_NAME, since more is better wherever runs are compared. ValueError when no run has
    a number.
    """
    found: list[Run] = []
    for name in names:
        own = [_as_score(run, name) for run in runs if name in _scores(run)]
        if not own:
            there = sorted({number for run in runs for number in _scores(run)})
            raise ValueError(f"no run has the number {name!r}; there are {', '.join(there) or 'none'}")
        found += own
    return found


def _scores(run: Run) -> set[str]:
    """The numbers that a run can be ranked by."""
    whole = {_CORPUS + name for name in run.outcomes.sums if name in CORPUS_SCORES}
    return {*run.outcomes.numbers, *whole}


def _as_score(run: Run, number: str) -> Run:
    name = number.removeprefix(_CORPUS)
    corpus = name if number != name else None
    values, label = run.outcomes.numbers[name], number
    if name in _lower(run):
        values, label = 1 - values, f"without_{name}"
    missing = [
        run.outcomes.reasons[row] or ("no score" if np.isnan(values[row]) else None)
        for row in range(len(values))
    ]
    outcomes = replace(run.outcomes, values=values, reasons=Labels.of(missing), corpus=corpus)
    identity = {key: value for key, value in run.identity.items() if key != "metric"}
    signature = _signature(run, name)
    return replace(
        run,
        task=f"{run.task}:{label}",
        outcomes=outcomes,
        identity={**identity, **({"metric": signature} if signature else {})},
    )


def _lower(run: Run) -> Sequence[str]:
    """The numbers that count what is wrong, as the log names them."""
    return run.identity.get("lower_is_better") or ()


def _signature(run: Run, name: str) -> str | None:
    signed = run.identity.get("metrics") or {}
    return next((said for scorer, said in signed.items() if name.startswith(scorer)), None)


def metric_signatures(run: Run) -> dict[str, str]:
    """Scorer → what two of its scores must share to be compared; of numbers that share one, the first."""
    signed: dict[str, str] = run.identity.get("metrics") or {}
    first: dict[str, str] = {}
    for name, said in signed.items():
        first.setdefault(said, name)
    return {name: said for said, name in first.items()}


def corpus_interval(outcomes: Outcomes, name: str) -> Interval | None:
    """A corpus score with its cluster bootstrap interval, in [0, 1]."""
    sums, reduce = outcomes.sums[name], CORPUS_SCORES[name]
    rows = np.flatnonzero(~np.isnan(sums[:, 0]))
    if not len(rows):
        return None
    own, clusters = sums[rows], outcomes.clusters.codes[rows]
    groups = len(np.unique(clusters))
    score = reduce(own.sum(axis=0))
    if groups == 1:
        return Interval(score, 0.0, 1.0, len(rows), groups)
    low, high = map(float, cluster_bootstrap(lambda w: reduce(w @ own), clusters, rounds=_ROUNDS))
    if not high > low:
        # Clusters that do not vary say nothing of the spread: the cautious reading, as for means.
        low, high = wilson(score * groups, groups)
    return Interval(score, low, high, len(rows), groups)


def _mean(outcomes: Outcomes, values: Floats) -> Interval | None:
    rows = np.flatnonzero(~np.isnan(values))
    own, clusters = values[rows], outcomes.clusters.codes[rows]
    if not len(own) or own.min() >= 0:
        return mean_interval(own, clusters)
    # A rescaled score has no lower bound to cut an interval at.
    groups = len(np.unique(clusters))
    error = clustered_standard_error(own, clusters)
    half = float(special.stdtrit(groups - 1, 0.975)) * error if groups > 1 else math.inf
    mean = float(own.mean())
    return Interval(mean, mean - half, mean + half, len(own), groups)


def metric_json(metric: Metric) -> dict[str, Any]:
    """A number as plain data."""
    interval = metric.interval
    return {
        "name": metric.name,
        "corpus": metric.corpus,
        "signature": metric.signature,
        "lower_is_better": metric.lower,
        "mean": interval.mean if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "n": interval.n if interval else 0,
        "clusters": interval.clusters if interval else 0,
    }
