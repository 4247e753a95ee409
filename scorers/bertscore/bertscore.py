"""BERTScore (Zhang et al. 2020): how well each token finds its like in the other text, by cosine.

The numbers of `bert-score` where that is well defined. Own code, because on transformers 5 that library
fails on an empty text, loses RoBERTa's prefix space, and lets a pair's score depend on the padding of the
batch that it happened to be in: it compares with padding as if that were a token of similarity 0. Here a pair
is matched alone, so there is no padding to mask.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from scorers.bertscore.encoder import Encoder, EncoderChoice, Tokens
from scorers.bertscore.vector_cache import VectorCache

if TYPE_CHECKING:
    import torch

_VERSION = "tunebench-1"
"""Goes up whenever a number may change."""

_PAIRS_AT_ONCE = 256
_BYTES_REMEMBERED = 256 << 20


class BertScore(NamedTuple):
    """Cosines, at most 1. empty: one of the texts has no token, so all are 0. truncated: one was cut."""

    precision: float
    recall: float
    f1: float
    empty: bool = False
    truncated: bool = False


class Rescaling(NamedTuple):
    """What two unrelated texts score on average with an encoder's layer; 1 stays 1, this becomes 0."""

    precision: float
    recall: float
    f1: float


Idf = Mapping[int, float]
"""A weight for each token; `idf_weights` has one for those that no reference has, too."""


class BertScorer:
    """Scores pairs in chunks; remembers references, in memory and (with a cache) on disk.

    The encoder is loaded at the first pair.
    """

    def __init__(
        self,
        choice: EncoderChoice,
        *,
        idf_references: Iterable[str] | None = None,
        baseline: Rescaling | None = None,
        cache: VectorCache | None = None,
    ) -> None:
        self._choice = choice
        self._baseline = baseline
        self._cache = cache
        self._idf_references = None if idf_references is None else list(idf_references)
        self._idf: Idf | None = None
        self._encoder: Encoder | None = None
        self._remembered: OrderedDict[str, torch.Tensor] = OrderedDict()
        self._bytes = 0

    def score(
        self,
        completions: Sequence[str],
        references: Sequence[Sequence[str]],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[BertScore]:
        """The score of each completion; of several references, for each number the best one.

        Memory does not grow with the number of pairs. progress is called with the pairs of each chunk.
        """
        if any(not golds for golds in references):
            raise ValueError("a completion needs at least one reference")
        pairs = [(text, gold) for text, golds in zip(completions, references, strict=True) for gold in golds]
        # One reference's pairs next to each other: its vectors are made once.
        order = sorted(range(len(pairs)), key=lambda index: pairs[index][1])
        scores: list[BertScore] = [BertScore(0.0, 0.0, 0.0)] * len(pairs)
        for start in range(0, len(order), _PAIRS_AT_ONCE):
            chunk = order[start : start + _PAIRS_AT_ONCE]
            for index, score in zip(chunk, self._chunk([pairs[i] for i in chunk]), strict=True):
                scores[index] = score
            if progress is not None:
                progress(len(chunk))
        each = iter(scores)
        return [_best([next(each) for _ in golds]) for golds in references]

    def _chunk(self, pairs: Sequence[tuple[str, str]]) -> list[BertScore]:
        encoder = self._loaded()
        texts = list(dict.fromkeys(text for pair in pairs for text in pair))
        tokens = dict(zip(texts, encoder.tokens(texts), strict=True))
        vectors = self._vectors({gold for _, gold in pairs}, {text for text, _ in pairs}, tokens)
        weights = {text: self._weights(tokens[text].ids) for text in texts}
        scores: list[BertScore] = []
        for text, gold in pairs:
            truncated = tokens[text].truncated or tokens[gold].truncated
            if tokens[text].empty or tokens[gold].empty:
                scores.append(self._rescaled(BertScore(0.0, 0.0, 0.0, True, truncated)))
                continue
            precision, recall = _match(vectors[text], vectors[gold], weights[text], weights[gold])
            both = precision + recall
            f1 = 2 * precision * recall / both if both else 0.0
            scores.append(self._rescaled(BertScore(precision, recall, f1, False, truncated)))
        return scores

    def _loaded(self) -> Encoder:
        if self._encoder is None:
            self._encoder = Encoder(self._choice)
            if self._idf_references is not None:
                self._idf = idf_weights(self._encoder.tokens(self._idf_references))
        return self._encoder

    def _vectors(
        self, golds: set[str], texts: set[str], tokens: Mapping[str, Tokens]
    ) -> dict[str, torch.Tensor]:
        """The vectors of all texts: remembered, else from the cache, else encoded, all in one go."""
        encoder = self._loaded()
        found = {gold: self._remembered[gold] for gold in golds if gold in self._remembered}
        if self._cache is not None:
            found.update(self._cache.get(self._choice.key, sorted(golds - found.keys())))
        missing = [text for text in tokens if text not in found and not tokens[text].empty]
        new = dict(zip(missing, encoder.vectors([tokens[text].ids for text in missing]), strict=True))
        found.update(new)
        if self._cache is not None:
            self._cache.put(self._choice.key, {gold: new[gold] for gold in sorted(golds & new.keys())})
        for gold in sorted(golds & found.keys()):
            self._remember(gold, found[gold])
        return found

    def _remember(self, gold: str, vectors: torch.Tensor) -> None:
        if gold in self._remembered:
            self._remembered.move_to_end(gold)
            return
        # A copy: a slice would keep the whole batch alive that it was cut from.
        self._remembered[gold] = vectors.clone()
        self._bytes += vectors.numel() * 4
        while self._bytes > _BYTES_REMEMBERED:
            _, oldest = self._remembered.popitem(last=False)
            self._bytes -= oldest.numel() * 4

    def _weights(self, ids: Sequence[int]) -> torch.Tensor:
        import torch

        if self._idf is not None:
            return torch.tensor([self._idf[number] for number in ids])
        unweighted = self._loaded().unweighted
        return torch.tensor([0.0 if number in unweighted else 1.0 for number in ids])

    def _rescaled(self, score: BertScore) -> BertScore:
        # An empty text stays 0, the worst there is, where a baseline would put it below.
        if self._baseline is None or score.empty:
            return score
        precision, recall, f1 = (
            (own - base) / (1 - base) for own, base in zip(score[:3], self._baseline, strict=True)
        )
        return BertScore(precision, recall, f1, score.empty, score.truncated)


def bertscore_hash(
    choice: EncoderChoice, *, idf: bool = False, rescaled: Literal["", "library", "custom"] = ""
) -> str:
    """What two BERTScores must share to be compared, written as `bert-score` writes its hash."""
    scaled = {"": "", "library": "-rescaled", "custom": "-custom-rescaled"}[rescaled]
    number_format = "_bf16" if choice.dtype == "bfloat16" else ""
    return (
        f"{choice.name}@{choice.pin}_L{choice.layer}_{'idf' if idf else 'no-idf'}_version={_VERSION}"
        f"(hug_trans={version('transformers')}){scaled}_fast-tokenizer{number_format}"
    )


def idf_weights(references: Sequence[Tokens]) -> Idf:
    """log((n + 1) / (texts with the token + 1)) over n references; a token of none has log(n + 1)."""
    counts = Counter(number for tokens in references for number in set(tokens.ids))
    n = len(references)
    return _Weights({number: math.log((n + 1) / (count + 1)) for number, count in counts.items()}, n)


class _Weights(dict[int, float]):
    def __init__(self, known: Mapping[int, float], references: int) -> None:
        super().__init__(known)
        self._unknown = math.log(references + 1)

    def __missing__(self, number: int) -> float:
        return self._unknown


def read_rescaling(file: Path, layer: int) -> Rescaling:
    """A layer's row of a baseline file as `bert-score` has it: a header, then lines of layer, P, R, F."""
    try:
        rows = [line.split(",") for line in file.read_text(encoding="utf-8").splitlines()[1:] if line.strip()]
        precision, recall, f1 = next(map(float, row[1:4]) for row in rows if int(row[0]) == layer)
    except (OSError, ValueError, StopIteration) as error:
        raise ValueError(f"baseline {file}: no row for layer {layer} ({type(error).__name__})") from error
    return Rescaling(precision, recall, f1)


def library_baseline(name: str, language: str = "en") -> Path:
    """The baseline file that `bert-score` brings for an encoder's name; ValueError where it has none."""
    from importlib.resources import files

    file = Path(str(files("bert_score"))) / "rescale_baseline" / language / f"{name}.tsv"
    if not file.is_file():
        raise ValueError(f"bert-score has no {language} baseline for {name!r}; give one as baseline_path")
    return file


def _match(
    text: torch.Tensor, gold: torch.Tensor, text_weights: torch.Tensor, gold_weights: torch.Tensor
) -> tuple[float, float]:
    """Weighted means of each token's best cosine: the text's tokens (precision), the reference's (recall)."""
    cosines = text @ gold.T
    return (
        _weighted(cosines.max(dim=1).values, text_weights),
        _weighted(cosines.max(dim=0).values, gold_weights),
    )


def _weighted(values: torch.Tensor, weights: torch.Tensor) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total > 0 else 0.0


def _best(scores: Sequence[BertScore]) -> BertScore:
    if len(scores) == 1:
        return scores[0]
    return BertScore(
        max(one.precision for one in scores),
        max(one.recall for one in scores),
        max(one.f1 for one in scores),
        all(one.empty for one in scores),
        any(one.truncated for one in scores),
    )
