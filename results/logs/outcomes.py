"""What became of each sample of a run, kept by column: 200,000 of them in little memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]
_FLAG = {1: True, 0: False}
FLAGS = ("no_answer", "truncated", "anywhere")
"""What a scorer may say of a sample, by its name in the metadata and in `Outcome` and `Outcomes`."""


@dataclass(frozen=True)
class Outcome:
    """What became of one sample in one epoch.

    value: score in [0, 1], or None when unscored; then ``reason`` says why. The flags come from the
    scorer's metadata: no_answer (nothing to parse), truncated (the token limit ended the completion),
    anywhere (the answer stands somewhere in the text, box or not). groups: the fields the task reports by.
    """

    id: str
    epoch: int
    value: float | None
    reason: str | None
    answer: str | None
    target: str
    no_answer: bool | None
    truncated: bool | None
    anywhere: bool | None
    cluster: str
    groups: Mapping[str, str]
    output_tokens: int

    @property
    def answered(self) -> bool | None:
        """An answer was found in the completion, right or wrong; None where the scorer does not say."""
        return None if self.no_answer is None else not self.no_answer

    @property
    def in_part(self) -> bool:
        """The score is a share, neither nothing nor all."""
        return self.value is not None and 0 < self.value < 1


@dataclass(frozen=True)
class Labels:
    """One text per sample, each different text kept once. codes: place in ``names``, -1 for none."""

    codes: Ints
    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Labels:
        """The labels of texts, in order of first appearance."""
        places: dict[str, int] = {}
        codes = [-1 if text is None else places.setdefault(text, len(places)) for text in texts]
        return cls(np.asarray(codes, dtype=np.int64), tuple(places))

    def __getitem__(self, row: int) -> str | None:
        code = int(self.codes[row])
        return None if code < 0 else self.names[code]

    def take(self, rows: Ints) -> Labels:
        """The labels of these rows."""
        return Labels(self.codes[rows], self.names)


@dataclass(frozen=True, eq=False)
class Outcomes(Sequence[Outcome]):
    """The outcomes of a run, one row per sample and epoch, as columns of equal length.

    values: NaN where there is no score (three outcomes, never merged). Flags: 1, 0, or -1 where the scorer
    does not say. numbers: every number of every scorer by name, NaN where there is none; empty for one
    scorer of one number, which `values` has. sums: by scorer, a row per sample of what makes its corpus
    score. corpus: which of them makes the score of the whole, where that is no mean of `values`. As a
    sequence it yields `Outcome`, made on demand.
    """

    ids: Sequence[str]
    epochs: Ints
    values: Floats
    reasons: Labels
    answers: Sequence[str | None]
    targets: Sequence[str]
    no_answer: Flags
    truncated: Flags
    anywhere: Flags
    clusters: Labels
    groups: Mapping[str, Labels]
    output_tokens: Ints
    numbers: Mapping[str, Floats] = field(default_factory=dict)
    sums: Mapping[str, Floats] = field(default_factory=dict)
    corpus: str | None = None
    scored: npt.NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scored", ~np.isnan(self.values))

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Outcomes:
        """The columns of single outcomes."""
        fields = dict.fromkeys(name for outcome in outcomes for name in outcome.groups)
        return cls(
            ids=tuple(outcome.id for outcome in outcomes),
            epochs=np.asarray([outcome.epoch for outcome in outcomes], dtype=np.int64),
            values=np.asarray([math.nan if o.value is None else o.value for o in outcomes], dtype=float),
            reasons=Labels.of(outcome.reason for outcome in outcomes),
            answers=tuple(outcome.answer for outcome in outcomes),
            targets=tuple(outcome.target for outcome in outcomes),
            clusters=Labels.of(outcome.cluster for outcome in outcomes),
            groups={name: Labels.of(o.groups.get(name) for o in outcomes) for name in fields},
            output_tokens=np.asarray([outcome.output_tokens for outcome in outcomes], dtype=np.int64),
            numbers={},
            sums={},
            corpus=None,
            **{flag: flags(getattr(outcome, flag) for outcome in outcomes) for flag in FLAGS},
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Outcome: ...
    @overload
    def __getitem__(self, index: slice) -> Outcomes: ...
    def __getitem__(self, index: int | slice) -> Outcome | Outcomes:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        value = float(self.values[index])
        named = {name: labels[index] for name, labels in self.groups.items()}
        return Outcome(
            id=self.ids[index],
            epoch=int(self.epochs[index]),
            value=None if math.isnan(value) else value,
            reason=self.reasons[index],
            answer=self.answers[index],
            target=self.targets[index],
            cluster=self.clusters[index] or "",
            groups={name: label for name, label in named.items() if label is not None},
            output_tokens=int(self.output_tokens[index]),
            **{flag: _FLAG.get(int(getattr(self, flag)[index])) for flag in FLAGS},
        )

    def __iter__(self) -> Iterator[Outcome]:
        return (self[row] for row in range(len(self)))

    def take(self, rows: Ints) -> Outcomes:
        """The outcomes of these rows, in their order."""
        places = rows.tolist()
        return Outcomes(
            ids=tuple(self.ids[row] for row in places),
            epochs=self.epochs[rows],
            values=self.values[rows],
            reasons=self.reasons.take(rows),
            answers=tuple(self.answers[row] for row in places),
            targets=tuple(self.targets[row] for row in places),
            clusters=self.clusters.take(rows),
            groups={name: labels.take(rows) for name, labels in self.groups.items()},
            output_tokens=self.output_tokens[rows],
            numbers={name: values[rows] for name, values in self.numbers.items()},
            sums={name: own[rows] for name, own in self.sums.items()},
            corpus=self.corpus,
            **{flag: getattr(self, flag)[rows] for flag in FLAGS},
        )


def flags(values: Iterable[bool | None]) -> Flags:
    """True, False and None as 1, 0 and -1."""
    return np.asarray([-1 if value is None else int(bool(value)) for value in values], dtype=np.int8)
