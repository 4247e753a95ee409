"""Did two runs measure the same thing, on the same samples, in the same way?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from results.chosen.folder import comparable_version
from results.logs.judge_warnings import run_warnings
from results.logs.logged_run import Run
from results.numbers.paired import PairedSamples

# As on the leaderboard: what is missing could move either score by over ten points.
LEAST_OVERLAP = 0.9
_IDENTITY = ("task_version", "data_hash", "prompt_hash", "metric")
_REMEDIES = {
    "task_version": "Scores of two versions of a task are not comparable: run both with one version",
    "data_hash": "They answered different records or pictures: run both with the same data and -T",
    "prompt_hash": "They were asked differently: run both with the same prompt, or bless a new baseline",
    "metric": "They were scored in different ways: score both with one encoder or judge, and equal options",
}
_SETTINGS = ("generation", "engine", "engine_version", "dtype", "engine_seed")


class NotComparable(ValueError):
    """Two runs did not measure the same thing; the message says what differs and what to do."""


def identity_problems(task: str, base: Mapping[str, Any], candidate: Mapping[str, Any]) -> list[str]:
    """One line per part of the two identities that differs, with both values and what to do."""
    return [
        f"{task}: {name} differs: base {_shown(base, name)}, candidate {_shown(candidate, name)}. "
        + _REMEDIES[name]
        for name in _IDENTITY
        if _said(base, name) != _said(candidate, name)
    ]


def _said(identity: Mapping[str, Any], name: str) -> str | None:
    value = identity.get(name)
    if name == "task_version":
        return comparable_version(value)
    return None if value is None else str(value)


def _shown(identity: Mapping[str, Any], name: str) -> str:
    value = identity.get(name)
    short = "not recorded" if value is None else str(value) if name == "metric" else str(value)[:12]
    arguments = identity.get("dataset_args") if name == "data_hash" else None
    return f"{short} ({_setting(arguments)})" if arguments else short


def overlap_problems(base: Run, candidate: Run, pairs: PairedSamples, *, allow_partial: bool) -> list[str]:
    """Why these pairs are too few to stand for the two runs; nothing when they are not."""
    if not len(pairs.ids):
        return [
            f"{base.task}: no sample has a score in both runs "
            f"({pairs.unscored} shared, {pairs.only_base} in the base alone, {pairs.only_candidate} in the "
            "candidate alone); run both on the same samples"
        ]
    if pairs.overlap >= LEAST_OVERLAP or allow_partial:
        return []
    return [
        f"{base.task}: only {100 * pairs.overlap:.0f}% of the samples are in both runs "
        f"({len(pairs.ids) + pairs.unscored} shared, {pairs.only_base} in the base alone, "
        f"{pairs.only_candidate} in the candidate alone; {100 * LEAST_OVERLAP:.0f}% are required). "
        "Run both on the same samples, or compare the shared ones with --allow-partial"
    ]


def warnings(base: Run, candidate: Run, pairs: PairedSamples) -> list[str]:
    """What differs between two comparable runs and may explain a difference, one line each."""
    lines = []
    if base.location == candidate.location:
        lines.append("base and candidate are one log, which says nothing of a second run of the model")
    for name in _SETTINGS:
        one, two = base.identity.get(name), candidate.identity.get(name)
        if one != two and not (one is None and two is None):
            lines.append(f"{name} differs: base {_setting(one)}, candidate {_setting(two)}")
    if base.epochs != candidate.epochs:
        lines.append(f"epochs differ: base {base.epochs}, candidate {candidate.epochs}; means are compared")
    if pairs.only_base or pairs.only_candidate:
        lines.append(
            f"paired on the {len(pairs.ids) + pairs.unscored} samples of both; {pairs.only_base} are in the "
            f"base alone, {pairs.only_candidate} in the candidate alone"
        )
    lines += dict.fromkeys([*run_warnings(base.identity), *run_warnings(candidate.identity)])
    if pairs.unscored:
        lines.append(
            f"{pairs.unscored} samples of both have no score in one of them and are left out: "
            f"{pairs.unscored_base} in the base, {pairs.unscored_candidate} in the candidate"
        )
    return lines


def _setting(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
