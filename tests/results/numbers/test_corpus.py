"""Corpus scores from sums agree with sacrebleu, for the whole and for any draw of its samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.numbers.corpus import bleu_of_sums, chrf_of_sums
from scorers.overlap.bleu import bleu_scorer, chrf_scorer

sacrebleu = pytest.importorskip("sacrebleu")
bleu_of, chrf_of = bleu_scorer(), chrf_scorer()
chrf_words_of = chrf_scorer(2)

text = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", ".", "كتاب", "🙂"]), max_size=12).map(
    " ".join
)
pairs = st.lists(st.tuples(text, text), min_size=1, max_size=8)


@given(pairs, st.data())
@settings(max_examples=150, deadline=None)
def test_any_draw_of_samples_has_sacrebleus_corpus_score(
    found: Sequence[tuple[str, str]], data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found)))
    drawn = [pair for pair, count in zip(found, counts, strict=True) for _ in range(count)] or list(found)
    weights = np.asarray(counts if any(counts) else [1] * len(found), dtype=float)
    hypotheses, references = [own for own, _ in drawn], [[gold for _, gold in drawn]]
    for score, reduce, library in (
        (bleu_of, bleu_of_sums, sacrebleu.BLEU()),
        (chrf_of, chrf_of_sums, sacrebleu.CHRF()),
        (chrf_words_of, chrf_of_sums, sacrebleu.CHRF(word_order=2)),
    ):
        sums = np.asarray([score(own, [gold]).sums for own, gold in found], dtype=float)
        expected = library.corpus_score(hypotheses, references).score
        assert 100 * reduce(weights @ sums) == pytest.approx(expected, abs=1e-9)


def test_nothing_in_common_scores_zero() -> None:
    assert bleu_of_sums(np.zeros(10)) == 0
    assert chrf_of_sums(np.zeros(18)) == 0
