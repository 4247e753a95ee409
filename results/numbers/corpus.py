"""Scores of a whole corpus from the sums over its samples, as sacrebleu computes them.

The sums are weighted, so that a bootstrap may draw samples by multiplying. The formulas are sacrebleu's and
its results the tests' oracle; the library itself takes one corpus at a time, and is not in a light install.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from results.logs.outcomes import Floats

# BLEU-4, and chrF with recall twice as heavy as precision (beta 2): sacrebleu's defaults.
_ORDERS = 4
_BETA_SQUARED = 4


def bleu_of_sums(sums: Floats) -> float:
    """BLEU in [0, 1] with exponential smoothing, from its ten sums.

    These are the lengths of the completions and of the nearest references, then for n-grams of 1 to 4 words
    those that match and those that there are.
    """
    length, reference = float(sums[0]), float(sums[1])
    matches, ngrams = sums[2 : 2 + _ORDERS].tolist(), sums[2 + _ORDERS :].tolist()
    if not any(matches) or not all(ngrams):
        return 0.0
    halved, logs = 1.0, 0.0
    for match, total in zip(matches, ngrams, strict=True):
        if not match:
            halved *= 2
        logs += math.log(match / total if match else 1 / (halved * total))
    brevity = 1.0 if length >= reference else math.exp(1 - reference / length)
    return brevity * math.exp(logs / _ORDERS)


def chrf_of_sums(sums: Floats) -> float:
    """chrF (or chrF++) in [0, 1] with beta 2: for each order n-grams of the completions, references, both."""
    precision, recall, orders = 0.0, 0.0, 0
    for own, reference, match in sums.reshape(-1, 3).tolist():
        if own and reference:
            precision, recall, orders = precision + match / own, recall + match / reference, orders + 1
    if not precision + recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return (1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall)


CORPUS_SCORES: Mapping[str, Callable[[Floats], float]] = MappingProxyType(
    {"bleu": bleu_of_sums, "chrf": chrf_of_sums}
)
"""The scorers that leave sums, and what becomes of them."""
