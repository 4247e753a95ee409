"""ROUGE agrees with rouge-score to 1e-9 on anything that can be written."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.overlap.rouge import ROUGE_TYPES, RougeScorer, rouge_scores

pytest.importorskip("rapidfuzz")
library = pytest.importorskip("rouge_score.rouge_scorer")

# Words that stem alike and stand in lines: where subsequences tie and counts are capped.
WORDS = [
    "a",
    "the",
    "run",
    "running",
    "runs",
    "ran",
    "nation",
    "national",
    "it's",
    "3.5",
    "été",
    "🙂",
    "كتاب",
]
prose = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", " ", "\n", "\n\n", ". ", "-"])), max_size=40
).map(lambda pairs: "".join(word + gap for word, gap in pairs))
anything = st.text(max_size=80) | prose
ESSAY = "The chart shows how sales rose from 10 to 25 percent. It then fell.\n\nOverall, sales were rising."


@lru_cache
def oracle(stemmer: bool) -> object:
    return library.RougeScorer(list(ROUGE_TYPES), use_stemmer=stemmer)


def expected(completion: str, references: list[str], stemmer: bool) -> dict[str, tuple[float, ...]]:
    scores = oracle(stemmer).score_multi(references, completion)  # type: ignore[attr-defined]
    return {name: tuple(scores[name]) for name in ROUGE_TYPES}


def agrees(completion: str, references: list[str], stemmer: bool) -> None:
    [ours] = rouge_scores([completion], [references], stemmer=stemmer)
    theirs = expected(completion, references, stemmer)
    assert tuple(ours) == ROUGE_TYPES
    for name in ROUGE_TYPES:
        assert ours[name] == pytest.approx(theirs[name], abs=1e-9), name


@given(anything, anything, st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_two_texts_score_as_in_rouge_score(completion: str, reference: str, stemmer: bool) -> None:
    agrees(completion, [reference], stemmer)


@given(prose, st.lists(prose, min_size=1, max_size=3), st.booleans())
@settings(max_examples=100, deadline=None)
def test_of_several_references_the_best_counts(completion: str, references: list[str], stemmer: bool) -> None:
    agrees(completion, references, stemmer)


@pytest.mark.parametrize("stemmer", [False, True])
@pytest.mark.parametrize(
    ("completion", "reference"),
    [
        ("", ""),
        ("", ESSAY),
        (ESSAY, ""),
        ("sales", ESSAY),
        ("\n\n", ESSAY),
        (ESSAY, ESSAY.upper()),
        ("🙂🙂 👩‍👩‍👧", "🙂 sales"),
        ("الرسم البياني يظهر 25", "يظهر الرسم 25 percent"),
        ("İstanbul ſales K", "istanbul sales k"),
        ("a\r\nb\u2028c\x85d", "d\nc\nb\na"),
    ],
)
def test_edges_score_as_in_rouge_score(completion: str, reference: str, stemmer: bool) -> None:
    agrees(completion, [reference], stemmer)


def test_a_text_of_5000_words_scores_as_in_rouge_score() -> None:
    rng = Random(5)
    vocabulary = ESSAY.split()
    long = " ".join(rng.choice(vocabulary) + rng.choice(["", "", "", "\n"]) for _ in range(5000))
    agrees(long, [ESSAY + " " + ESSAY], stemmer=True)
    agrees(ESSAY, [long], stemmer=False)


def test_a_scorer_remembers_and_stays_right() -> None:
    scorer = RougeScorer(stemmer=True)
    first = [scorer.score(text, [ESSAY]) for text in ("sales rose", "sales fell", "sales rose")]
    assert first[0] == first[2] != first[1]
    scorer._vocabulary.update({f"word{number}": number for number in range((1 << 20) + 1)})
    assert scorer.score("sales rose", [ESSAY]) == first[0]
    assert len(scorer._vocabulary) < 100


def test_identical_texts_score_one_and_types_keep_their_order() -> None:
    [scores] = rouge_scores([ESSAY], [[ESSAY]], types=["rougeL", "rouge1"])
    assert list(scores) == ["rougeL", "rouge1"]
    assert all(value == (1.0, 1.0, 1.0) for value in scores.values())


@pytest.mark.parametrize("types", [["rouge3"], [], ["rouge1", "rougeLSum"]])
def test_unknown_types_are_refused(types: list[str]) -> None:
    with pytest.raises(ValueError, match="give one or more of rouge1, rouge2, rougeL, rougeLsum"):
        RougeScorer(types)


def test_a_completion_needs_a_reference() -> None:
    with pytest.raises(ValueError, match="at least one reference"):
        rouge_scores(["text"], [[]])
