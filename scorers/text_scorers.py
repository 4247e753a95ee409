"""The inspect scorers of BLEU, chrF, ROUGE and BERTScore; no arithmetic of their own.

Each value is in [0, 1] (a rescaled BERTScore may be below 0). Several numbers of one scorer are a mapping,
its main number first. Metadata: `no_answer`, the completion is empty (it scores 0 and is counted);
`truncated`, the token limit ended it; `cut`, BERTScore's encoder did not take all of a text; and under the
scorer's own name the sums from which a corpus score is made. `normalize` puts both texts
into another form first, and is part of the signature.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, mean, metric, scorer, stderr
from inspect_ai.solver import TaskState

from scorers.batches import Compute, Result, ScoreBatcher
from scorers.bertscore.bertscore import (
    BertScorer,
    Rescaling,
    bertscore_hash,
    library_baseline,
    read_rescaling,
)
from scorers.bertscore.encoder import DEFAULT_MODEL, Dtype, EncoderChoice, choose_encoder
from scorers.bertscore.vector_cache import VectorCache, reference_cache
from scorers.flags import was_truncated
from scorers.overlap.bleu import (
    BleuTokenizer,
    bleu_scorer,
    bleu_signature,
    chrf_scorer,
    chrf_signature,
    corpus_bleu,
    corpus_chrf,
)
from scorers.overlap.normalize import Normalization, normalized
from scorers.overlap.rouge import ROUGE_TYPES, RougeScorer


@metric(name="corpus_bleu")
def corpus_bleu_metric() -> Metric:
    """Corpus BLEU of the scored samples, 0 to 100."""
    return _of_sums("bleu", corpus_bleu)


@metric(name="corpus_chrf")
def corpus_chrf_metric() -> Metric:
    """Corpus chrF of the scored samples, 0 to 100."""
    return _of_sums("chrf", corpus_chrf)


def _of_sums(name: str, reduce: Callable[[Sequence[Sequence[int]]], float]) -> Metric:
    def reduced(scores: list[SampleScore]) -> float:
        sums = [(one.score.metadata or {}).get(name) for one in scores]
        return reduce([own for own in sums if own])

    return reduced


@scorer(metrics=[mean(), stderr(cluster="cluster"), corpus_bleu_metric()])
def bleu(
    tokenize: BleuTokenizer = "13a", lowercase: bool = False, normalize: Normalization = "none"
) -> Scorer:
    """Sentence BLEU (effective order) of each sample; the corpus score comes from the samples' sums."""
    one = bleu_scorer(tokenize, lowercase=lowercase)

    def compute(completions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Result]:
        scores = [one(text, golds) for text, golds in zip(completions, references, strict=True)]
        return [{"value": own.score / 100, "metadata": {"bleu": list(own.sums)}} for own in scores]

    return _batched("bleu", compute, bleu_signature(None, tokenize, lowercase=lowercase), normalize)


@scorer(metrics=[mean(), stderr(cluster="cluster"), corpus_chrf_metric()])
def chrf(word_order: Literal[0, 2] = 0, normalize: Normalization = "none") -> Scorer:
    """Sentence chrF of each sample (chrF++ with word_order 2); the corpus score from the samples' sums."""
    one = chrf_scorer(word_order)

    def compute(completions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Result]:
        scores = [one(text, golds) for text, golds in zip(completions, references, strict=True)]
        return [{"value": own.score / 100, "metadata": {"chrf": list(own.sums)}} for own in scores]

    return _batched("chrf", compute, chrf_signature(None, word_order), normalize)


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def rouge(
    types: Sequence[str] = ROUGE_TYPES, stemmer: bool = False, normalize: Normalization = "none"
) -> Scorer:
    """ROUGE of each sample: the F1 of each type, then precisions and recalls."""
    own = RougeScorer(types, stemmer=stemmer)

    def compute(completions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Result]:
        found: list[Result] = []
        for text, golds in zip(completions, references, strict=True):
            scores = own.score(text, golds)
            value = {str(name): score.f1 for name, score in scores.items()}
            for name, score in scores.items():
                value[f"{name}_precision"], value[f"{name}_recall"] = score.precision, score.recall
            found.append({"value": value, "metadata": {}})
        return found

    return _batched("rouge", compute, f"{rouge_signature(stemmer=stemmer)}|{','.join(own.types)}", normalize)


def rouge_signature(types: Sequence[str] = ROUGE_TYPES, stemmer: bool = False) -> str:
    """What two ROUGE scores must share to be compared; any type means the same wherever it is named."""
    return f"stemmer:{'porter' if stemmer else 'no'}|tok:a-z0-9|as:rouge-score-0.1.2|version:tunebench-1"


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def bertscore(
    model: str = DEFAULT_MODEL,
    num_layers: int | None = None,
    revision: str | None = None,
    dtype: Dtype = "float32",
    idf: str | bool = False,
    rescale_with_baseline: bool = False,
    baseline_path: str | None = None,
) -> Scorer:
    """BERTScore of each sample: F1, precision, recall, and whether a text was cut at the encoder's length.

    model: a folder or a hub id; num_layers, dtype and revision as in `choose_encoder`. idf: a JSON file with
    the list of all references (in a task.yaml simply `true`: it is written for the task). baseline_path: a
    baseline file of bert-score, instead of the one that library brings for the model's name. ValueError when
    any of it is not to be had.
    """
    choice = choose_encoder(model, num_layers=num_layers, revision=revision, dtype=dtype)
    folder = reference_cache.get()
    own = BertScorer(
        choice,
        idf_references=_references(idf),
        baseline=_baseline(choice, rescale_with_baseline, baseline_path),
        cache=None if folder is None else VectorCache(folder),
    )

    def compute(completions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Result]:
        return [
            {
                "value": {
                    "bertscore": score.f1,
                    "bertscore_precision": score.precision,
                    "bertscore_recall": score.recall,
                    "bertscore_cut": float(score.truncated),
                },
                "metadata": {},
            }
            for score in own.score(completions, references)
        ]

    said = bertscore_signature(model, num_layers, revision, dtype, idf, rescale_with_baseline, baseline_path)
    return _batched("bertscore", compute, f"{said}|{idf}|{baseline_path}")


def bertscore_signature(
    model: str = DEFAULT_MODEL,
    num_layers: int | None = None,
    revision: str | None = None,
    dtype: Dtype = "float32",
    idf: str | bool = False,
    rescale_with_baseline: bool = False,
    baseline_path: str | None = None,
) -> str:
    """The hash string of a `bertscore` with these arguments."""
    return bertscore_hash(
        choose_encoder(model, num_layers=num_layers, revision=revision, dtype=dtype),
        idf=bool(idf),
        rescaled="" if not rescale_with_baseline else "custom" if baseline_path else "library",
    )


def _references(idf: str | bool) -> list[str] | None:
    if idf is True:
        raise ValueError("idf needs all references: give a JSON file with the list of them")
    if not idf:
        return None
    try:
        found = json.loads(Path(idf).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"idf {idf}: no JSON file with a list of references ({error})") from error
    return [str(text) for text in found]


def _baseline(choice: EncoderChoice, wanted: bool, path: str | None) -> Rescaling | None:
    if not wanted:
        if path is not None:
            raise ValueError("baseline_path goes with rescale_with_baseline: true")
        return None
    return read_rescaling(Path(path) if path else library_baseline(choice.name), choice.layer)


def _batched(name: str, compute: Compute, signature: str, normalize: Normalization = "none") -> Scorer:
    if normalize not in get_args(Normalization):
        raise ValueError(f"normalize {normalize!r} is not one of {', '.join(get_args(Normalization))}")
    batcher = ScoreBatcher(compute, signature, name=name)

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            # `inspect score` also brings samples whose generation failed: nothing to score is no zero.
            return Score.unscored(reason="error", explanation="there is no completion")
        if not any(gold.strip() for gold in target):
            return Score.unscored(reason="no_reference", explanation="there is no text to compare with")
        completion = state.output.completion
        golds = [normalized(gold, normalize) for gold in target]
        found = await batcher.score(normalized(completion, normalize), golds)
        empty = not completion.strip()
        flags: dict[str, Any] = {
            **found["metadata"],
            "no_answer": empty,
            "truncated": was_truncated(state.output.stop_reason),
        }
        return Score(
            value=found["value"],
            reason="no_answer" if empty else None,
            explanation="the completion is empty" if empty else None,
            metadata=flags,
        )

    return score
