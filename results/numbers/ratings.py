"""Strengths of several models from pairwise judgements (Bradley and Terry 1952)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.logs.outcomes import Floats
from results.numbers.bootstrap import cluster_bootstrap

# Drawn games that each pair of models starts with; without, one that won every game has no finite strength.
_PRIOR = 0.5


@dataclass(frozen=True)
class Judgement:
    """One game. score: 1 when ``first`` won, 0 when ``second`` did, 0.5 for a tie; cluster: its sample."""

    first: str
    second: str
    score: float
    cluster: str


@dataclass(frozen=True)
class Rating:
    """A model's strength in natural log-odds (0 is the mean) and its interval; games: how many it played."""

    model: str
    strength: float
    low: float
    high: float
    games: int


def bradley_terry(judgements: Sequence[Judgement], *, rounds: int = 500, seed: int = 0) -> list[Rating]:
    """Ratings, strongest first, with 95% intervals over resampled clusters.

    Each pair of models that met starts with half a win for each, so that strengths stay finite. ValueError
    when there is no game, or when the models fall into groups that never met.
    """
    if not judgements:
        raise ValueError("no judgements: nothing to rate")
    models = sorted({name for game in judgements for name in (game.first, game.second)})
    place = {name: index for index, name in enumerate(models)}
    first = np.asarray([place[game.first] for game in judgements])
    second = np.asarray([place[game.second] for game in judgements])
    score = np.asarray([game.score for game in judgements], dtype=float)
    met = np.zeros((len(models), len(models)))
    met[first, second] = met[second, first] = 1
    _check_connected(met, models)

    def strengths(weights: Floats) -> Floats:
        wins = _PRIOR * met
        np.add.at(wins, (first, second), weights * score)
        np.add.at(wins, (second, first), weights * (1 - score))
        return _fitted(wins)

    centre = strengths(np.ones(len(score)))
    low, high = cluster_bootstrap(strengths, [game.cluster for game in judgements], rounds=rounds, seed=seed)
    games = np.bincount(np.concatenate([first, second]), minlength=len(models))
    ratings = [
        Rating(name, float(centre[i]), float(low[i]), float(high[i]), int(games[i]))
        for i, name in enumerate(models)
    ]
    return sorted(ratings, key=lambda rating: -rating.strength)


def _fitted(wins: Floats) -> Floats:
    # Ties are half a win to each. choix pulls with alpha as well, towards nothing one could name in games.
    import choix

    return np.asarray(choix.ilsr_pairwise_dense(wins))


def _check_connected(met: Floats, models: Sequence[str]) -> None:
    reached = np.zeros(len(models), dtype=bool)
    reached[0] = True
    for _ in models:
        reached |= (met[reached] > 0).any(axis=0)
    if not reached.all():
        apart = ", ".join(name for name, seen in zip(models, reached, strict=True) if not seen)
        raise ValueError(f"{apart} never met {models[0]} or what {models[0]} met; no common scale")
