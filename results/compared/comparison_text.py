"""A comparison in words: what a verdict rests on, one sentence each. Used by the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from results.compared.comparison import MOST_UNSCORED, RateChange, TaskComparison
from results.numbers.intervals import ALPHA

# A rate that moved by less than this is not worth a line, however certain.
_LEAST_RATE_CHANGE = 0.01
_RATE_WORDS = {
    "no_answer": ("no answer", "forgot the format", "keeps the format better"),
    "truncated": (
        "cut at the token limit",
        "runs into the token limit more often",
        "ends in time more often",
    ),
}


def verdict_text(task: TaskComparison) -> str:
    """The verdict with its reason: ``undecided: n too small, needs about 1,234``."""
    if task.verdict == "not worse":
        return f"not worse (within {_margin(task)})"
    if task.verdict != "undecided":
        return task.verdict
    if task.unscored_share > MOST_UNSCORED:
        return f"undecided: {share_text(task.unscored_share)} of the samples have no score in one of the two"
    if task.needed is None or task.needed <= task.found.n:
        return "undecided: the difference is too near the margin"
    aim = f"for a margin of {_margin(task)}" if task.margin else "if the difference is what it seems"
    needs = f"needs about {_rounded(task.needed)} samples {aim}"
    if task.flipped == 0:
        # Nothing differs here; how rare a loss this n could have missed is what the interval says.
        return (
            f"undecided: no flips among {task.found.n}; the interval still allows "
            f"±{100 * task.found.high:.1f} points, {needs}"
        )
    return f"undecided: n too small, {needs}"


def _margin(task: TaskComparison) -> str:
    allowed = points(task.margin)
    return f"{allowed} point{'' if allowed == '1' else 's'}"


def interval_text(task: TaskComparison) -> str:
    """``-6.3 [-9.1, -3.6]`` in points."""
    return difference_text(task.found.difference, task.found.low, task.found.high)


def difference_text(difference: float, low: float, high: float) -> str:
    """A difference and its interval in points, signed."""
    return f"{signed(difference)} [{signed(low)}, {signed(high)}]"


def p_text(p: float) -> str:
    """``.034``, ``<.001`` or ``1``."""
    if p < 0.001:
        return "<.001"
    return "1" if p > 0.9995 else f"{p:.3f}".removeprefix("0")


def points(share: float) -> str:
    """A share in points, with as many decimals as it needs up to two."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


def share_text(share: float) -> str:
    """A share in whole percent; a small one that is not 0 keeps a decimal."""
    return f"{100 * share:.1f}%" if 0 < share < 0.01 else f"{100 * share:.0f}%"


def signed(share: float) -> str:
    """A difference in points with its sign; nothing that rounds to 0 is minus 0."""
    text = f"{100 * share:+.1f}"
    return "0.0" if float(text) == 0 else text


def notes(task: TaskComparison) -> list[str]:
    """What stands under a task's verdict: format, limits of this n, cost, noise."""
    named = {rate.name: _rate_note(task, rate) for rate in task.rates if rate.name in _RATE_WORDS}
    lines = [line for line in named.values() if line]
    quiet = [_rate_text(rate) for rate in task.rates if rate.name in named and not named[rate.name]]
    if quiet:
        lines.append("; ".join(quiet))
    test = task.found.test
    seen = f"{points(round(task.detectable, 4))} points with 80% power"
    if math.isnan(task.detectable):
        seen = "not known, no score differs"
    elif task.detectable > 1:
        seen = "no difference at all with 80% power"
    lines.append(f"detectable at this n{_clusters(task)}: {seen}")
    lines.append(f"p: {test.name}, mid-p, which decides (exact p {p_text(test.exact)})")
    lines.append(_cost(task))
    if signature := task.base.identity.get("metric"):
        lines.append(f"scored by {signature}")
    if task.same_weights:
        flipped = task.found.better + task.found.worse
        what = "weights" if task.base.identity.get("weights_digest") else "completions"
        lines.append(
            f"the {what} are the same: {flipped} of {task.found.n} scores flipped, a noise floor of "
            f"{points(round(task.flipped, 4))} points"
        )
    return lines


def flip_headings(tasks: Sequence[TaskComparison]) -> tuple[str, str]:
    """What the samples that changed for the worse, and for the better, are called in a table of tasks."""
    shares = any(((one > 0) & (one < 1)).any() for t in tasks for one in (t.pairs.base, t.pairs.candidate))
    return ("fell", "rose") if shares else ("right→wrong", "wrong→right")


def _clusters(task: TaskComparison) -> str:
    return f" ({task.found.clusters} independent)" if task.found.clusters < task.found.n else ""


def _rate_note(task: TaskComparison, rate: RateChange) -> str | None:
    if (
        rate.name not in _RATE_WORDS
        or rate.p >= ALPHA
        or abs(rate.candidate - rate.base) < _LEAST_RATE_CHANGE
    ):
        return None
    name, more, less = _RATE_WORDS[rate.name]
    line = (
        f"{more if rate.candidate > rate.base else less}: {name} {share_text(rate.base)} → "
        f"{share_text(rate.candidate)} (p {p_text(rate.p)})"
    )
    loose = next((other for other in task.rates if other.name == "anywhere"), None)
    if rate.name == "no_answer" and loose is not None:
        line += f"; the answer stands anywhere in {share_text(loose.base)} → {share_text(loose.candidate)}"
    return line


def _rate_text(rate: RateChange) -> str:
    name = _RATE_WORDS[rate.name][0]
    return f"{name} {share_text(rate.base)} → {share_text(rate.candidate)} (p {p_text(rate.p)})"


def _cost(task: TaskComparison) -> str:
    tokens = [run.outcomes.output_tokens.mean() for run in (task.base, task.candidate)]
    speeds = [run.samples_per_second for run in (task.base, task.candidate)]
    said = " → ".join(f"{one:.0f}" if one else "–" for one in tokens)
    rate = " → ".join(f"{one:.1f}" if one else "–" for one in speeds)
    return f"tokens a sample {said}; samples a second {rate}"


def _rounded(n: int) -> str:
    """Two figures: it is an estimate."""
    size = 10 ** max(0, len(str(n)) - 2)
    return f"{-(-n // size) * size:,}"
