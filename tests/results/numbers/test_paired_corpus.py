"""The difference of two corpus scores, against sacrebleu's own paired tests."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from results.logs.outcomes import Outcome, Outcomes
from results.numbers.paired import pair
from results.numbers.paired_corpus import score_difference
from scorers.overlap.bleu import bleu_scorer

sacrebleu = pytest.importorskip("sacrebleu")
from sacrebleu.significance import PairedTest  # noqa: E402

TEXT = "the rate of growth fell in most regions while sales of fresh fruit rose by ten percent"
WORDS = TEXT.split()


def corpus(kept: float, seed: int, size: int = 60) -> tuple[list[str], list[str]]:
    """Completions that keep this share of their reference's words, and the references."""
    golds, drawn = Random(1), Random(seed)
    references = [" ".join(golds.choices(WORDS, k=14)) for _ in range(size)]
    said = [
        " ".join(word if drawn.random() < kept else drawn.choice(WORDS) for word in gold.split())
        for gold in references
    ]
    return said, references


def outcomes(texts: list[str], references: list[str], per_cluster: int = 1) -> Outcomes:
    from dataclasses import replace

    found = [bleu_scorer()(own, [gold]) for own, gold in zip(texts, references, strict=True)]
    rows = [
        Outcome(
            id=str(row),
            epoch=1,
            value=one.score,
            reason=None,
            answer=None,
            target="",
            no_answer=None,
            truncated=None,
            anywhere=None,
            cluster=str(row // per_cluster),
            groups={"half": "ab"[row % 2]},
            output_tokens=0,
        )
        for row, one in enumerate(found)
    ]
    sums = {"bleu": np.asarray([one.sums for one in found], dtype=float)}
    return replace(Outcomes.of(rows), sums=sums, corpus="bleu")


@pytest.mark.parametrize(("better", "seed"), [(0.62, 5), (0.70, 6), (0.60, 7)])
def test_scores_and_p_are_those_of_sacrebleus_paired_tests(better: float, seed: int) -> None:
    first, references = corpus(0.6, 3)
    second, _ = corpus(better, seed)
    one, two = outcomes(first, references), outcomes(second, references)
    base, candidate, found = score_difference(one, two, pair(one, two))
    metric = sacrebleu.BLEU()
    assert 100 * base == pytest.approx(metric.corpus_score(first, [references]).score)
    assert 100 * candidate == pytest.approx(metric.corpus_score(second, [references]).score)
    assert found.difference == pytest.approx(candidate - base)
    apart = [y - x for x, y in zip(one.values, two.values, strict=True)]
    assert (found.n, found.better, found.worse) == (60, sum(d > 0 for d in apart), sum(d < 0 for d in apart))
    systems = [("Baseline: one", first), ("two", second)]
    _, scores = PairedTest(systems, {"BLEU": sacrebleu.BLEU()}, [references], "ar", n_samples=4000)()
    # Two draws of some thousand each: their p differ by about sqrt(p (1 - p) (1/2000 + 1/4000)).
    assert found.test.exact == pytest.approx(scores["BLEU"][1].p_value, abs=0.05)
    _, scores = PairedTest(systems, {"BLEU": sacrebleu.BLEU()}, [references], "bs", n_samples=2000)()
    spread = scores["BLEU"][0].ci, scores["BLEU"][1].ci
    assert 100 * (found.high - found.low) < 2 * sum(spread)
    assert found.low < found.difference < found.high
    assert found.error == pytest.approx((found.high - found.low) / 3.92, rel=0.15)


def test_the_same_texts_do_not_differ() -> None:
    texts, references = corpus(0.6, 3)
    one = outcomes(texts, references)
    _, _, found = score_difference(one, one, pair(one, one))
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert found.test.exact == 1


def test_whole_clusters_are_drawn_and_exchanged() -> None:
    first, references = corpus(0.6, 3, 20)
    second, _ = corpus(0.8, 4, 20)
    alone = outcomes(first, references), outcomes(second, references)
    # The same four times over is no more evidence when the four are one cluster.
    many = [
        outcomes([t for t in texts for _ in range(4)], [r for r in references for _ in range(4)], 4)
        for texts in (first, second)
    ]
    *_, once = score_difference(*alone, pair(*alone))
    *_, again = score_difference(*many, pair(*many))
    assert again.n == 4 * once.n
    assert again.clusters == once.clusters
    assert again.difference == pytest.approx(once.difference)
    assert (again.low, again.high) == pytest.approx((once.low, once.high))
    assert again.p == pytest.approx(once.p)
    one_cluster = [outcomes(texts, references, 99) for texts in (first, second)]
    *_, found = score_difference(*one_cluster, pair(*one_cluster))
    assert (found.low, found.high) == (-1, 1)
    assert math.isnan(found.error)


def test_part_of_the_pairs_has_the_score_of_that_part() -> None:
    first, references = corpus(0.6, 3)
    second, _ = corpus(0.7, 4)
    one, two = outcomes(first, references), outcomes(second, references)
    base, _, _ = score_difference(one, two, pair(one, two), rows=np.arange(0, 60, 2))
    expected = sacrebleu.BLEU().corpus_score(first[::2], [references[::2]]).score
    assert 100 * base == pytest.approx(expected)
