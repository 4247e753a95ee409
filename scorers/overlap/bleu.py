"""BLEU and chrF by `sacrebleu`, with the sums that make the corpus scores.

sacrebleu is right and fast enough (its tokens and n-grams are its own); what is added is that each sample
keeps its sufficient statistics, whose sums give exactly the score of the whole corpus, or of any part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

BleuTokenizer: TypeAlias = Literal["13a", "intl", "char", "zh", "none"]
BLEU_TOKENIZERS: tuple[BleuTokenizer, ...] = get_args(BleuTokenizer)


class OverlapScore(NamedTuple):
    """One sample. score: 0 to 100. sums: its sufficient statistics, whole numbers.

    Of BLEU ten: the completion's tokens, the nearest reference's tokens, then for n-grams of 1 to 4 words
    those that match and those there are. Of chrF, for each order: n-grams of the completion, of the
    reference, and those that match.
    """

    score: float
    sums: tuple[int, ...]


Scorer: TypeAlias = Callable[[str, Sequence[str]], OverlapScore]


def bleu_scorer(tokenize: BleuTokenizer = "13a", *, lowercase: bool = False) -> Scorer:
    """A function of a completion and its references: sentence BLEU with effective order, and the sums.

    ValueError for an unknown tokenizer, ModuleNotFoundError without the `text` extra.
    """
    metric = _bleu(tokenize, lowercase)

    def score(completion: str, references: Sequence[str]) -> OverlapScore:
        one = metric.sentence_score(completion, _some(references))
        return OverlapScore(one.score, (one.sys_len, one.ref_len, *one.counts, *one.totals))

    return score


def chrf_scorer(word_order: Literal[0, 2] = 0) -> Scorer:
    """The same for chrF, or chrF++ with word_order 2."""
    metric = _chrf(word_order)

    def score(completion: str, references: Sequence[str]) -> OverlapScore:
        # What `sentence_score` computes on its way and does not hand out.
        sums = metric._extract_corpus_statistics([completion], [[one] for one in _some(references)])
        return OverlapScore(metric._aggregate_and_compute(sums).score, tuple(map(int, sums[0])))

    return score


def corpus_bleu(sums: Sequence[Sequence[int]]) -> float:
    """Corpus BLEU, 0 to 100, of the samples that have these sums; NaN of none."""
    if not sums:
        return float("nan")
    total = [sum(column) for column in zip(*sums, strict=True)]
    result = _bleu("13a", False).compute_bleu(
        correct=total[2:6], total=total[6:], sys_len=total[0], ref_len=total[1], smooth_method="exp"
    )
    return float(result.score)


def corpus_chrf(sums: Sequence[Sequence[int]]) -> float:
    """Corpus chrF, 0 to 100, of the samples that have these sums; NaN of none."""
    if not sums:
        return float("nan")
    word_order = len(sums[0]) // 3 - 6
    return float(_chrf(word_order)._aggregate_and_compute([list(one) for one in sums]).score)


def bleu_signature(
    references: int | None, tokenize: BleuTokenizer = "13a", *, lowercase: bool = False
) -> str:
    """sacrebleu's signature of the corpus score. references: per sample; None where it varies."""
    from sacrebleu.metrics.bleu import BLEU

    _check_tokenizer(tokenize)
    return _signed(BLEU(tokenize=tokenize, lowercase=lowercase), references)


def chrf_signature(references: int | None, word_order: Literal[0, 2] = 0) -> str:
    """sacrebleu's signature of the corpus score. references: per sample; None where it varies."""
    from sacrebleu.metrics.chrf import CHRF

    return _signed(CHRF(word_order=word_order), references)


def _signed(metric: Any, references: int | None) -> str:
    # As sacrebleu counts them when it scores a corpus; -1 is its word for "varies".
    metric.num_refs = -1 if references is None else references
    return str(metric.get_signature())


def _some(references: Sequence[str]) -> list[str]:
    if not references:
        raise ValueError("a completion needs at least one reference")
    return list(references)


def _check_tokenizer(tokenize: str) -> None:
    if tokenize not in BLEU_TOKENIZERS:
        raise ValueError(f"tokenize {tokenize!r} is not one of {', '.join(BLEU_TOKENIZERS)}")


@lru_cache
def _bleu(tokenize: str, lowercase: bool) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    _check_tokenizer(tokenize)
    return BLEU(tokenize=tokenize, lowercase=lowercase, effective_order=True)


@lru_cache
def _chrf(word_order: int) -> Any:
    from sacrebleu.metrics.chrf import CHRF

    if word_order not in (0, 2):
        raise ValueError(f"word_order {word_order!r} is neither 0 (chrF) nor 2 (chrF++)")
    return CHRF(word_order=word_order)
