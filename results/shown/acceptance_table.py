"""What became of the samples that a teacher was asked: accepted, rejected or unscored, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from results.logs.log_file import Summary, read_log
from results.logs.logged_run import Run, run_of
from results.logs.outcomes import Outcome
from results.shown.run_table import score_interval
from results.shown.words import interval_json

State = Literal["accepted", "rejected", "unscored"]


@dataclass(frozen=True)
class Taught:
    """One sample. reason: why it is not accepted; attempts: how often the teacher was asked."""

    state: State
    reason: str | None
    attempts: int


@dataclass(frozen=True)
class Acceptance:
    """A teacher's log. refused: why single attempts were, those that a later one made good included.

    Tokens are of all attempts, in the teacher's own; cost: in dollars, where the provider says it.
    """

    run: Run = field(repr=False)
    by_sample: Mapping[str, Taught]
    refused: Counter[str]
    input_tokens: int
    output_tokens: int
    cost: float | None

    @property
    def counts(self) -> Counter[State]:
        """Samples by state; those never reached are unscored."""
        counts: Counter[State] = Counter(what.state for what in self.by_sample.values())
        counts["unscored"] += self.run.unscored["not run"]
        return counts

    @property
    def rejected(self) -> Counter[str]:
        """Why the last attempt of each rejected sample was refused."""
        return Counter(what.reason or "" for what in self.by_sample.values() if what.state == "rejected")

    def groups(self) -> dict[str, dict[str, Sequence[Outcome]]]:
        """Report field → group → its samples."""
        found: dict[str, dict[str, list[Outcome]]] = {}
        for outcome in self.run.outcomes:
            for name, group in outcome.groups.items():
                found.setdefault(name, {}).setdefault(group, []).append(outcome)
        return {name: dict(sorted(groups.items())) for name, groups in sorted(found.items())}

    def spent(self, price: tuple[float, float] | None) -> float | None:
        """Dollars: by a price per million tokens read and written, else as the provider said; or None."""
        if price is None:
            return self.cost
        return (self.input_tokens * price[0] + self.output_tokens * price[1]) / 1e6

    def as_plain(self, price: tuple[float, float] | None = None) -> dict[str, Any]:
        """Counts, reasons, rates with n and interval, tokens and cost, as plain data."""
        return {
            "asked": self.run.expected,
            "accepted": self.counts["accepted"],
            "rejected": self.counts["rejected"],
            "unscored": self.counts["unscored"],
            "rate": interval_json(score_interval(self.run.outcomes)),
            "rejected_because": dict(self.rejected.most_common()),
            "unscored_because": dict(self.run.unscored.most_common()),
            "attempts_refused_because": dict(self.refused.most_common()),
            "attempts": sum(what.attempts for what in self.by_sample.values()),
            "by": {
                name: {group: _group_json(members) for group, members in groups.items()}
                for name, groups in self.groups().items()
            },
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "cost_usd": self.spent(price),
            "price_usd_per_million": None if price is None else {"input": price[0], "output": price[1]},
            "minutes": self.run.minutes,
        }


def group_label(name: str, group: str) -> str:
    """A group under its field; of overlapping groups (`context: IMG`) the field's own name."""
    return f"{name.partition(': ')[0]}: {group}"


def acceptance(log: str | Path) -> Acceptance:
    """Read a teacher's log. Raises what reading a log raises."""
    header, summaries = read_log(log)
    run = run_of(log, header, summaries)
    usages = [usage for summary in summaries for usage in summary.model_usage.values()]
    costs = [usage.total_cost for usage in usages if usage.total_cost is not None]
    states = dict(zip((str(s.id) for s in summaries), map(_taught, summaries, run.outcomes), strict=True))
    refused: Counter[str] = Counter()
    for summary in summaries:
        refused.update(_refused(summary))
    refused.update(what.reason or "" for what in states.values() if what.state == "rejected")
    return Acceptance(
        run=run,
        by_sample=states,
        refused=refused,
        input_tokens=sum(usage.read for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost=sum(costs) if costs else None,
    )


def _taught(summary: Summary, outcome: Outcome) -> Taught:
    state, reason = _state(outcome), outcome.reason
    if state == "rejected":
        reason = next(iter((summary.scores or {}).values())).reason or "refused"
    return Taught(state, None if state == "accepted" else reason, len(_refused(summary)) + 1)


def _state(outcome: Outcome) -> State:
    if outcome.value is None:
        return "unscored"
    return "accepted" if outcome.value == 1 else "rejected"


def _refused(summary: Summary) -> list[str]:
    """The reasons of the attempts before a sample's last."""
    score = next(iter((summary.scores or {}).values()), None)
    return [str(reason) for reason in ((score.metadata if score else None) or {}).get("refused") or ()]


def _group_json(members: Sequence[Outcome]) -> dict[str, Any]:
    states = Counter(map(_state, members))
    return {
        "asked": len(members),
        **{state: states[state] for state in ("accepted", "rejected", "unscored")},
        "rate": interval_json(score_interval(members)),
    }
