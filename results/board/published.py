"""Scores that others reported, kept as data: shown beside ours, marked, and never tested against them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from results.numbers.intervals import Interval, wilson


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedRow(_Frozen):
    """One reported row. scores: metric → value in the table's unit, as printed.

    about: the source gives a round figure. correct: the count that the source gives, of ``n`` (else the
    table's n). group_scores: group → value of the first metric. notes: what is odd about the row.
    """

    model: str
    parameters: str | None = None
    recipe: str | None = None
    base: str | None = None
    scores: dict[str, float]
    about: bool = False
    correct: int | None = None
    n: int | None = None
    group_scores: dict[str, float] = {}
    minutes: float | None = None
    notes: tuple[str, ...] = ()


class PublishedTable(_Frozen):
    """One table of a source. groups: name → number of samples; ``by`` is the field they are groups of."""

    name: str
    task: str
    metrics: tuple[str, ...]
    unit: Literal["percent", "fraction"]
    n: int | None
    by: str | None = None
    groups: dict[str, int] = {}
    notes: tuple[str, ...]
    rows: tuple[PublishedRow, ...]

    @model_validator(mode="after")
    def _rows_fit(self) -> PublishedTable:
        for row in self.rows:
            if set(row.scores) != set(self.metrics):
                raise ValueError(f"{row.model}: scores {list(row.scores)} are not {list(self.metrics)}")
            if row.group_scores and set(row.group_scores) != set(self.groups):
                raise ValueError(f"{row.model}: groups {list(row.group_scores)} are not {list(self.groups)}")
        return self

    def share(self, value: float) -> float:
        """A printed value as a share of 1."""
        return value / 100 if self.unit == "percent" else value

    def interval(self, row: PublishedRow) -> Interval | None:
        """The first metric as a share with Wilson's interval over the reported n.

        None where n is not known or the metric is no proportion. Wilson takes the samples for independent,
        which is the least their uncertainty can be.
        """
        n = row.n or self.n
        if n is None or self.unit != "percent":
            return None
        mean = self.share(row.scores[self.metrics[0]])
        correct = row.correct if row.correct is not None else mean * n
        return Interval(mean, *wilson(correct, n), n, n)


class PublishedSource(_Frozen):
    """Where tables were reported."""

    source: str
    url: str | None
    tables: tuple[PublishedTable, ...]


def published_sources() -> tuple[PublishedSource, ...]:
    """Every source under ``results/published``, in the order of the files' names."""
    folder = Path(str(files("results"))) / "published"
    return tuple(
        PublishedSource.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
        for file in sorted(folder.glob("*.yaml"))
    )


def published_tables(task: str | None = None) -> tuple[tuple[PublishedSource, PublishedTable], ...]:
    """The tables about a task, or all, each with its source."""
    return tuple(
        (source, table)
        for source in published_sources()
        for table in source.tables
        if task is None or table.task == task
    )
