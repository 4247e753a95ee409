"""BLEU and chrF are sacrebleu's, sample by sample and, from their sums, for a corpus."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.overlap.bleu import (
    bleu_scorer,
    bleu_signature,
    chrf_scorer,
    chrf_signature,
    corpus_bleu,
    corpus_chrf,
)

sacrebleu = pytest.importorskip("sacrebleu")

word = st.sampled_from(["the", "chart", "Chart", "shows", "10%", "it's", "été", "🙂", "كتاب", "-", "."])
text = st.text(max_size=60) | st.lists(word, max_size=30).map(" ".join)
pairs = st.lists(st.tuples(text, text), min_size=1, max_size=6)


@given(pairs)
@settings(max_examples=150, deadline=None)
def test_sums_make_sacrebleus_corpus_score(found: list[tuple[str, str]]) -> None:
    own, golds = [text for text, _ in found], [gold for _, gold in found]
    for score, reduce, library in (
        (bleu_scorer(), corpus_bleu, sacrebleu.BLEU()),
        (chrf_scorer(), corpus_chrf, sacrebleu.CHRF()),
        (chrf_scorer(2), corpus_chrf, sacrebleu.CHRF(word_order=2)),
    ):
        sums = [score(text, [gold]).sums for text, gold in found]
        assert reduce(sums) == pytest.approx(library.corpus_score(own, [golds]).score, abs=1e-9)


@given(text, st.lists(text, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_a_sample_scores_as_a_sentence(completion: str, references: list[str]) -> None:
    for score, library in (
        (bleu_scorer(), sacrebleu.BLEU(effective_order=True)),
        (chrf_scorer(2), sacrebleu.CHRF(word_order=2)),
    ):
        expected = library.sentence_score(completion, references).score
        assert score(completion, references).score == pytest.approx(expected, abs=1e-9)


def test_the_nearest_reference_counts_for_brevity() -> None:
    # By the shortest one, as some count, this text would be long enough.
    own, golds = "a b c d e f g h", ["a b c d e f g h i j", "a b"]
    sums = bleu_scorer()(own, golds).sums
    assert sums[:2] == (8, 10)
    assert corpus_bleu([sums]) == pytest.approx(100 * math.exp(1 - 10 / 8))


def test_an_empty_completion_is_zero_and_counts_in_the_corpus() -> None:
    bleu = bleu_scorer()
    full, empty = bleu("the chart shows it", ["the chart shows it"]), bleu("", ["the chart shows it"])
    assert empty.score == 0
    assert corpus_bleu([full.sums]) == pytest.approx(100)
    assert corpus_bleu([full.sums, empty.sums]) < 40
    assert math.isnan(corpus_bleu([]))
    assert math.isnan(corpus_chrf([]))


def test_signatures_are_sacrebleus() -> None:
    said = f"version:{sacrebleu.__version__}"
    assert bleu_signature(1) == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{said}"
    assert bleu_signature(None, "intl", lowercase=True).startswith("nrefs:var|case:lc|eff:no|tok:intl|")
    assert chrf_signature(2, 2) == f"nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|{said}"


@pytest.mark.parametrize("make", [bleu_scorer, chrf_scorer])
def test_a_completion_needs_a_reference(make: Any) -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        make()("text", [])
