"""Do judges agree: with each other, with people, and with themselves some time ago?

Compared is the outcome of a pair over both orders (a, b or a tie), so that a shared love of the first place
is no agreement. The coefficients are statsmodels' and inspect's.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from results.numbers.intervals import Interval, mean_interval
from results.verdicts.judging import Judging
from results.verdicts.win_rate import Preference, judged_pairs

Rated = Mapping[tuple[str, str, str], Preference]
"""(sample, a, b) → outcome, for what one judge or person said."""


@dataclass(frozen=True)
class Agreement:
    """Two raters over what both rated. same: share of equal outcomes; kappa: Cohen's, NaN where undefined."""

    one: str
    other: str
    same: Interval | None
    kappa: float


def judged(judging: Judging) -> tuple[Rated, Mapping[tuple[str, str, str], str]]:
    """A judging's outcomes, and the cluster of each."""
    outcomes, clusters = {}, {}
    for a, b in judging.meetings:
        for pair in judged_pairs(judging.calls, a, b):
            key = (pair.sample, a, b)
            clusters[key] = pair.cluster
            if pair.outcome is not None:
                outcomes[key] = pair.outcome
    return outcomes, clusters


def agreement(
    one: str, first: Rated, other: str, second: Rated, clusters: Mapping[tuple[str, str, str], str]
) -> Agreement:
    """Share of equal outcomes and Cohen's kappa over what both rated."""
    shared = [key for key in first if key in second]
    same = [float(first[key] == second[key]) for key in shared]
    groups = [clusters.get(key, key[0]) for key in shared]
    return Agreement(
        one, other, mean_interval(same, groups), cohen_kappa([(first[k], second[k]) for k in shared])
    )


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa of two raters' words; NaN without pairs, or where both only ever said one same word."""
    words = sorted({word for pair in pairs for word in pair})
    if not pairs or len(words) < 2:
        return math.nan
    from statsmodels.stats.inter_rater import cohens_kappa

    counts = Counter(pairs)
    table = [[counts[row, column] for column in words] for row in words]
    return float(cohens_kappa(table, return_results=False))


def krippendorff_alpha(raters: Sequence[Rated]) -> tuple[float, int]:
    """Krippendorff's alpha of any number of raters, nominal, and the items that at least two rated.

    An item that some did not rate counts with those who did. NaN where no item has two.
    """
    from inspect_ai.scorer import SampleScore, Score
    from inspect_ai.scorer import krippendorff_alpha as alpha

    keys = dict.fromkeys(key for rated in raters for key in rated)
    units = [[rated[key] for rated in raters if key in rated] for key in keys]
    paired = [unit for unit in units if len(unit) > 1]
    if not paired:
        return math.nan, 0
    # Typed for an older form of its argument.
    compute = cast(Callable[[list[SampleScore]], float], alpha())
    return float(compute([SampleScore(score=Score(value=list(unit))) for unit in paired])), len(paired)


def read_choices(
    file: Path, meetings: Sequence[tuple[str, str]], samples: set[str], known: Mapping[str, str]
) -> dict[str, Rated]:
    """People's choices from a CSV file: rater → outcomes.

    Columns: ``id`` (a sample's), ``choice`` (a contestant's name, A or B for the first and second of the
    pair, or tie), and where there is more than one of them ``rater``, and ``a`` and ``b`` for who met. known:
    other words for contestants. Raises ValueError naming every row that cannot be read, OSError without the
    file.
    """
    found: dict[str, dict[tuple[str, str, str], Preference]] = {}
    mistakes = []
    with file.open(encoding="utf-8-sig", newline="") as rows:
        reader = csv.DictReader(rows)
        missing = {"id", "choice"} - set(reader.fieldnames or ())
        if missing:
            has = ", ".join(reader.fieldnames or ()) or "nothing"
            raise ValueError(f"{file}: needs the columns id and choice; it has {has}")
        for number, row in enumerate(reader, start=2):
            try:
                pair, turned = _pair(row, meetings, known)
                sample = (row["id"] or "").strip()
                if sample not in samples:
                    raise ValueError(f"no sample {sample!r} was judged")
                outcome = _outcome((row["choice"] or "").strip(), pair, known, turned=turned)
                own = found.setdefault((row.get("rater") or "people").strip(), {})
                if (sample, *pair) in own:
                    raise ValueError(f"{sample!r} is there already; several people need a column `rater`")
                own[(sample, *pair)] = outcome
            except ValueError as error:
                mistakes.append(f"{file}:{number}: {error}")
    if mistakes:
        more = f"\n… and {len(mistakes) - 20} more" if len(mistakes) > 20 else ""
        raise ValueError("\n".join(mistakes[:20]) + more)
    if not found:
        raise ValueError(f"{file}: no rows under its header")
    return dict(found)


def _pair(
    row: Mapping[str, str | None], meetings: Sequence[tuple[str, str]], known: Mapping[str, str]
) -> tuple[tuple[str, str], bool]:
    """Which pair a row is about, and whether it names them the other way round."""
    a, b = ((row.get(name) or "").strip() for name in ("a", "b"))
    if not a and not b:
        if len(meetings) > 1:
            raise ValueError("several pairs of contestants met; say which in columns a and b")
        return meetings[0], False
    named = known.get(a, a), known.get(b, b)
    for pair in meetings:
        if named in (pair, pair[::-1]):
            return pair, named != pair
    met = "; ".join(f"{one} and {other}" for one, other in meetings)
    raise ValueError(f"{a!r} and {b!r} did not meet; these did: {met}")


def _outcome(choice: str, pair: tuple[str, str], known: Mapping[str, str], *, turned: bool) -> Preference:
    if choice.lower() == "tie":
        return "tie"
    if choice in ("A", "B"):
        return "a" if (choice == "A") != turned else "b"
    named = known.get(choice, choice)
    if named not in pair:
        raise ValueError(f"choice {choice!r} is not one of {pair[0]}, {pair[1]}, A, B, tie")
    return "a" if named == pair[0] else "b"


def between(raters: Mapping[str, Rated], clusters: Mapping[tuple[str, str, str], str]) -> list[Agreement]:
    """The agreement of every two raters."""
    return [
        agreement(one, raters[one], other, raters[other], clusters)
        for one, other in itertools.combinations(raters, 2)
    ]


@dataclass(frozen=True)
class Drift:
    """A judge against verdicts recorded earlier, call by call. same: of all recorded, so that a reply without
    a verdict agrees with nothing; unparsed: such replies.
    """

    same: Interval
    unparsed: int
    kappa: float
    bound: float

    @property
    def held(self) -> bool:
        """Agreement reached the bound."""
        return self.same.mean >= self.bound


def drift(judging: Judging, recorded: Mapping[str, str], bound: float) -> Drift:
    """How far a judge's verdicts moved from those recorded under the same calls. ValueError without any."""
    calls = {call.call: call for call in judging.calls if call.call in recorded}
    if not calls:
        raise ValueError("none of the recorded verdicts was judged again")
    agreed = [float(call.said == recorded[name]) for name, call in calls.items()]
    same = mean_interval(agreed, [call.cluster for call in calls.values()])
    assert same is not None
    both = [(recorded[name], call.said) for name, call in calls.items() if call.said is not None]
    return Drift(same, sum(call.said is None for call in calls.values()), cohen_kappa(both), bound)
