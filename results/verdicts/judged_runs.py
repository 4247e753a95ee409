"""A judging against one reference → a run for each contestant: how often its texts were preferred.

Such a run stands beside the contestant's others in tables and comparisons: one number in [0, 1] per sample,
under the task's name, the reference and the judge.
"""

from __future__ import annotations

from pathlib import Path

from results.logs.logged_run import Run
from results.logs.outcomes import Outcome, Outcomes
from results.verdicts.judging import Judging
from results.verdicts.win_rate import JudgedPair, judged_pairs

_WORDS = {"a": "preferred", "b": "not preferred", "tie": "tie"}


def judged_runs(judging: Judging) -> list[Run]:
    """The contestants' runs; none where all met all, for then there is no common measure but the ratings.

    None of anchors either: they measure the judge.
    """
    if judging.reference is None or judging.anchors:
        return []
    return [_run(judging, a, judging.reference) for a, b in judging.meetings if b == judging.reference]


def judged_task(task: str, reference: str, judge: str) -> str:
    """The name under which the win rates of a judging stand: ``ielts_essay:vs_golden:gpt-4o``."""
    return f"{task}:vs_{reference}:{judge}"


def _run(judging: Judging, key: str, reference: str) -> Run:
    pairs = judged_pairs(judging.calls, key, reference)
    return Run(
        location=_texts(judging, key),
        task=judged_task(judging.task, reference, judging.judge),
        model=str(judging.contestants[key].get("model") or key),
        status=judging.run.status,
        expected=len(pairs),
        identity={
            **{name: value for name, value in judging.contestants[key].items() if name != "judging"},
            **judging.identity,
            "judge": judging.judge,
            "judge_warnings": list(judging.warnings),
            "metric": judging.signature,
        },
        report_by=judging.by,
        outcomes=Outcomes.of([_outcome(pair) for pair in pairs]),
        seconds=None,
        error=None,
        created=judging.run.created,
    )


def _texts(judging: Judging, key: str) -> str:
    """The log with the contestant's texts: where it was, or beside the judge's where a folder was moved."""
    log = Path(judging.logs.get(key) or judging.run.location)
    beside = Path(judging.run.location).with_name(log.name)
    return str(log if log.is_file() or not beside.is_file() else beside)


def _outcome(pair: JudgedPair) -> Outcome:
    said = pair.outcome
    return Outcome(
        id=pair.sample,
        epoch=1,
        value=pair.score,
        reason=pair.reason,
        answer=None if said is None else _WORDS[said] + (", by the order" if pair.flipped else ""),
        target="",
        no_answer=None,
        truncated=None,
        anywhere=None,
        cluster=pair.cluster,
        groups=pair.groups,
        output_tokens=0,
    )
