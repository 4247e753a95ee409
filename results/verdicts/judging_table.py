"""Judgings → the tables of their verdicts, and the same as plain data. Fits 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.numbers.length_control import LengthControlled
from results.numbers.ratings import Judgement, Rating, bradley_terry
from results.shown.words import SMALL, interval_json, n_text, percent, rate_text, score_text, shown
from results.verdicts.agreement import Agreement, Drift
from results.verdicts.judging import Judging
from results.verdicts.win_rate import Rates, WinRate, judged_pairs, win_rates


def print_judgings(judgings: Sequence[Judging], console: Console) -> None:
    """Each judge's win rates, groups and lengths; what makes its verdicts suspect; ratings of several."""
    for number, judging in enumerate(judgings):
        if number:
            console.print()
        found = win_rates(judging)
        console.print(_title(judging))
        console.print(_main_table(found))
        for line in judging.warnings:
            console.print(Text.assemble("warning: ", shown(line)), style="yellow")
        for line in _notes(judging, found):
            console.print(shown(line), style="dim")
        for one in found:
            console.print()
            if len(found) > 1:
                console.print(_pair(one, " vs "), style="bold")
            for name, groups in one.groups.items():
                if len(groups) > 1:
                    console.print(_group_table(f"by {name}", groups))
                    console.print()
            console.print(_group_table("by length beside the other", one.lengths))
        if len(found) > 1 and (ratings := rated(judging)):
            console.print()
            console.print(_ratings_table(ratings))
    console.print()
    console.print(Text(_LEGEND, style="dim"))


_LEGEND = (
    "win: preferred, both orders of a pair together, ties as half. at equal length: by logistic regression "
    "on the difference in words. flips: pairs whose verdict changes with the order. FIRST: share of verdicts "
    "for the text shown first. no verdict: replies without one; their pairs are unscored."
)


_REASONS = {
    "judge_unparsed": "no verdict in one order or both",
    "truncated": "the token limit ended a reply before its verdict (--max-tokens)",
    "error": "a call failed (--resume asks again)",
    "not run": "not asked in both orders",
}


def rated(judging: Judging) -> list[Rating]:
    """Bradley–Terry ratings from all scored pairs; empty without any."""
    games = [
        Judgement(a, b, pair.score, pair.cluster)
        for a, b in judging.meetings
        for pair in judged_pairs(judging.calls, a, b)
        if pair.score is not None
    ]
    met = {name for game in games for name in (game.first, game.second)}
    return bradley_terry(games) if games and met == set(judging.contestants) else []


def _title(judging: Judging) -> Text:
    title = Text.assemble("judged by ", (shown(judging.judge).plain, "bold"))
    if judging.text_only:
        title.append(" (text only)", style="yellow")
    return title.append(f": {judging.task}, rubric {judging.run.identity.get('task_version')}")


def _main_table(found: Sequence[WinRate]) -> Table:
    table = _table("contestants", "n", "win ±95%", "win at\nequal length", "flips", "FIRST", "no\nverdict")
    for one in found:
        table.add_row(
            _pair(one, "\nvs "),
            _n(one.rates),
            score_text(one.rates.win),
            _controlled(one.controlled),
            percent(one.rates.flip),
            percent(one.rates.first),
            percent(one.rates.unparsed),
        )
    return table


def _pair(one: WinRate, between: str) -> Text:
    return Text.assemble(shown(one.a), between, shown(one.b))


def _group_table(head: str, groups: Mapping[str, Rates]) -> Table:
    table = _table(head, "n", "win ±95%", "flips", "FIRST", "no\nverdict")
    for name, rates in groups.items():
        table.add_row(
            shown(name),
            _n(rates),
            score_text(rates.win),
            percent(rates.flip),
            percent(rates.first),
            percent(rates.unparsed),
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(shown(first), overflow="fold", vertical="bottom")
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    return table


def _n(rates: Rates) -> str:
    return n_text(rates.win.n if rates.win else 0)


def _controlled(found: LengthControlled | str) -> str:
    if isinstance(found, str):
        return "–"
    return f"{100 * found.rate:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _notes(judging: Judging, found: Sequence[WinRate]) -> Iterable[str]:
    """What the tables leave out, each with its count."""
    for reason, count in judging.left_out.items():
        yield f"{count} not paired: {reason}"
    for one in found:
        both = f"{one.a} vs {one.b}"
        for reason, count in one.rates.unscored.items():
            yield f"{count} of {one.rates.pairs} pairs unscored, {both}: {_REASONS.get(reason, reason)}"
        if isinstance(one.controlled, str):
            yield f"no win rate at equal length, {both}: {one.controlled}"
    everyone = [rates for one in found for rates in (one.rates, *one.lengths.values())]
    everyone += [rates for one in found for groups in one.groups.values() for rates in groups.values()]
    if any(rates.win and rates.win.n < SMALL for rates in everyone):
        yield f"* fewer than {SMALL} pairs: read the interval"


def _ratings_table(ratings: Sequence[Rating]) -> Table:
    table = _table("Bradley–Terry", "strength ±95%, log-odds", "pairs")
    for one in ratings:
        said = f"{one.strength:+.2f} [{one.low:+.2f}, {one.high:+.2f}]"
        table.add_row(shown(one.model), said, str(one.games))
    return table


def print_agreement(
    title: str, found: Sequence[Agreement], alpha: tuple[float, int] | None, console: Console
) -> None:
    """Who agrees with whom, over pairs that both rated; alpha: Krippendorff's, and over how many items."""
    table = _table(title, "n", "same ±95%", "kappa")
    for one in found:
        n = str(one.same.n if one.same else 0)
        table.add_row(shown(f"{one.one} and {one.other}"), n, rate_text(one.same), _number(one.kappa))
    console.print()
    console.print(table)
    if alpha is not None:
        console.print(
            Text(f"Krippendorff's alpha of all: {_number(alpha[0])} over {alpha[1]} pairs", style="dim")
        )


def print_drift(judging: Judging, found: Drift, recorded_by: str, console: Console) -> None:
    """The judge against the recorded verdicts, and whether that is enough."""
    table = _table(
        f"{judging.judge} against {recorded_by}, recorded", "n", "same ±95%", "kappa", "no\nverdict", "least"
    )
    table.add_row(
        "held" if found.held else "moved",
        str(found.same.n),
        score_text(found.same),
        _number(found.kappa),
        str(found.unparsed),
        f"{100 * found.bound:.0f}%",
        style="" if found.held else "bold red",
    )
    console.print(table)
    for line in judging.warnings:
        console.print(Text.assemble("warning: ", shown(line)), style="yellow")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def judging_json(judging: Judging) -> dict[str, Any]:
    """A judging as plain data."""
    ratings = rated(judging) if len(judging.contestants) > 2 else []
    return {
        "task": judging.task,
        "judge": judging.run.model,
        "judge_name": judging.judge,
        "log": judging.run.location,
        "status": judging.run.status,
        "text_only": judging.text_only,
        "reference": judging.reference,
        "signature": judging.signature,
        "warnings": list(judging.warnings),
        "contestants": {
            key: {name: said.get(name) for name in ("model", "weights_digest")}
            for key, said in judging.contestants.items()
        },
        "not_paired": dict(judging.left_out),
        "calls": len(judging.calls),
        "win_rates": [_win_rate_json(one) for one in win_rates(judging)],
        "ratings": [
            {
                "model": one.model,
                "strength": one.strength,
                "low": one.low,
                "high": one.high,
                "pairs": one.games,
            }
            for one in ratings
        ],
    }


def _win_rate_json(one: WinRate) -> dict[str, Any]:
    controlled = one.controlled
    return {
        "a": one.a,
        "b": one.b,
        **_rates_json(one.rates),
        "win_at_equal_length": {"reason": controlled}
        if isinstance(controlled, str)
        else {
            "mean": controlled.rate,
            "low": controlled.low,
            "high": controlled.high,
            "slope": controlled.slope,
            "n": controlled.n,
        },
        "groups": {
            field: {name: _rates_json(rates) for name, rates in groups.items()}
            for field, groups in one.groups.items()
        },
        "lengths": {name: _rates_json(rates) for name, rates in one.lengths.items()},
    }


def _rates_json(rates: Rates) -> dict[str, Any]:
    return {
        "pairs": rates.pairs,
        "win": interval_json(rates.win),
        "wins": rates.wins,
        "ties": rates.ties,
        "losses": rates.losses,
        "flip": interval_json(rates.flip),
        "first": interval_json(rates.first),
        "unparsed": interval_json(rates.unparsed),
        "unscored": dict(rates.unscored),
        "verdicts": dict(rates.said),
    }


def agreement_json(one: Agreement) -> dict[str, Any]:
    """An agreement as plain data; kappa null where it is undefined."""
    return {
        "one": one.one,
        "other": one.other,
        "same": interval_json(one.same),
        "kappa": None if math.isnan(one.kappa) else one.kappa,
    }


def drift_json(judging: Judging, found: Drift) -> dict[str, Any]:
    """A drift as plain data."""
    return {
        "judge": judging.run.model,
        "held": found.held,
        "same": interval_json(found.same),
        "bound": found.bound,
        "unparsed": found.unparsed,
        "kappa": None if math.isnan(found.kappa) else found.kappa,
        "log": judging.run.location,
        "warnings": list(judging.warnings),
    }
