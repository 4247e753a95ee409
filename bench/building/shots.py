"""Solved examples before a question, and what else `-T` may override of a declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from pydantic import ValidationError

from bench.declarations.parts import one_solver
from bench.declarations.task_spec import ShotsSpec, TaskSpec
from bench.errors import RequestError
from bench.records.identity import data_hash
from bench.records.loading import Record, load_records


def with_overrides(spec: TaskSpec, given: Mapping[str, object]) -> tuple[TaskSpec, dict[str, object]]:
    """The declaration with the ``solver`` and ``shots`` of the user's ``-T``, and the arguments left over."""
    others = dict(given)
    try:
        if (solver := others.pop("solver", None)) is not None:
            spec = spec.model_copy(update={"solver": one_solver(solver)})
        if (k := others.pop("shots", None)) is not None:
            shots = ShotsSpec.model_validate({**spec.shots.model_dump(), "k": k})
            spec = spec.model_copy(update={"shots": shots})
    except ValidationError as error:
        said = "; ".join(detail["msg"] for detail in error.errors())
        raise RequestError(f"task {spec.name!r}: -T shots={k}: {said}; give a whole number") from error
    except ValueError as error:
        raise RequestError(f"task {spec.name!r}: solver {error}") from error
    return spec, others


@dataclass(frozen=True)
class Shots:
    """Records to show as solved examples, in the order of the draw. digest: of k of them, None for none."""

    records: Sequence[Record]
    k: int
    digest: str | None

    @classmethod
    def drawn(cls, spec: TaskSpec, dataset_args: Mapping[str, object]) -> Shots:
        """The examples that a declaration asks for, drawn from their own split with their own seed.

        RequestError when that split is the one being scored or has too few records.
        """
        wanted = spec.shots
        if wanted.k == 0:
            return cls((), 0, None)
        scored = str(dataset_args.get("split", spec.dataset.args.get("split", spec.dataset.split)))
        if scored == wanted.split:
            raise RequestError(
                f"task {spec.name!r}: shots come from the split {wanted.split!r}, which is being scored; "
                "score another split, or declare shots.split"
            )
        pool = load_records(spec, {**dataset_args, "split": wanted.split})
        readable = [record for record in pool if "unreadable" not in record]
        if len(readable) <= wanted.k:
            raise RequestError(
                f"task {spec.name!r}: {wanted.k} shots are asked for, but the split {wanted.split!r} has "
                f"{len(readable)} records; ask for fewer"
            )
        Random(wanted.seed).shuffle(readable)
        # Some to spare, for samples whose own question is among the first k.
        drawn = readable[: 2 * wanted.k + 1]
        return cls(drawn, wanted.k, f"{wanted.answer}\n{data_hash(drawn, spec.dataset.image)}")

    def before(self, spec: TaskSpec, record: Record) -> list[Record]:
        """The examples for one record: k of them, none of which asks what it asks."""
        if not self.records:
            return []
        question = spec.render(record).split()
        return [shot for shot in self.records if spec.render(shot).split() != question][: self.k]
