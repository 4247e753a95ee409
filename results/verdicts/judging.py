"""One judge's log → its verdicts: which of two texts it preferred, in which order, or that it did not say.

A judging is an evaluation of its own: one sample is one pair of texts in one order, and the model that the
log names is the judge. Whose texts they were stands in the header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from results.logs.judge_warnings import verdict_warnings
from results.logs.log_file import Summary, read_log
from results.logs.logged_run import Run, run_of, short_name

VerdictWord: TypeAlias = Literal["first", "second", "tie"]
GOLDEN = "golden"
"""The contestant whose texts are the samples' targets."""


@dataclass(frozen=True)
class Call:
    """One reply of the judge. shown_first: which of the pair's ``a`` and ``b`` was called FIRST. said: None
    where the reply has no verdict, and then reason says why. words_a, words_b: lengths of the texts.
    """

    sample: str
    a: str
    b: str
    shown_first: Literal["a", "b"]
    said: VerdictWord | None
    reason: str | None
    cluster: str
    groups: Mapping[str, str]
    words_a: int
    words_b: int
    call: str = ""

    @property
    def score(self) -> float | None:
        """1 when ``a`` was preferred, 0 when ``b``, ½ for a tie."""
        if self.said is None:
            return None
        if self.said == "tie":
            return 0.5
        return float((self.said == "first") == (self.shown_first == "a"))


@dataclass(frozen=True)
class Judging:
    """A judge's verdicts. judge: its name in tables. run: the log as any other. contestants: key → identity.

    meetings: who met whom. reference: the contestant that all others met, or None. left_out: reason → texts
    that had no counterpart. anchors: a frozen set, which holds the judge to account. signature: what two
    judgings must share for their rates to be compared.
    """

    judge: str
    run: Run = field(repr=False)
    task: str
    identity: Mapping[str, Any]
    by: tuple[str, ...]
    contestants: Mapping[str, Mapping[str, Any]]
    logs: Mapping[str, str | None]
    meetings: tuple[tuple[str, str], ...]
    reference: str | None
    text_only: bool
    left_out: Mapping[str, int]
    anchors: bool
    warnings: tuple[str, ...]
    signature: str
    calls: tuple[Call, ...] = field(repr=False)


def is_judging(run: Run) -> bool:
    """Whether a run's log is a judge's."""
    return isinstance(run.identity.get("judging"), Mapping)


def read_judging(location: str | Path) -> Judging:
    """Read a judge's log, finished or not. ValueError when it is none, else what inspect raises."""
    header, summaries = read_log(location)
    return judging_of(run_of(location, header, summaries), summaries)


def judging_of(run: Run, summaries: Sequence[Summary]) -> Judging:
    """The judging of a log that has been read. ValueError when it is no judge's."""
    said = run.identity.get("judging")
    if not isinstance(said, Mapping):
        raise ValueError(f"{run.location}: not a log of `bench judge`")
    contestants = said["contestants"]
    return Judging(
        judge=short_name(run),
        run=run,
        task=str(said["task"]),
        identity=said["identity"],
        by=tuple(said["by"]),
        contestants={one["key"]: one["identity"] for one in contestants},
        logs={one["key"]: one["log"] for one in contestants},
        meetings=tuple((str(a), str(b)) for a, b in said["meetings"]),
        reference=said["reference"],
        text_only=bool(said["text_only"]),
        left_out=said["left_out"],
        anchors=bool(said.get("anchors")),
        warnings=verdict_warnings(short_name(run), run.identity, said),
        signature=_signature(run, said),
        calls=tuple(_call(summary, tuple(said["by"])) for summary in summaries),
    )


def _signature(run: Run, said: Mapping[str, Any]) -> str:
    """Judge, rubric, what was shown and how it was asked."""
    known = run.identity
    judge = known.get("weights_digest") or known.get("model")
    settings = ",".join(f"{name}={value}" for name, value in sorted((known.get("generation") or {}).items()))
    return (
        f"judge:{str(judge)[:40]}|rubric:{known.get('task_version')}:{str(known.get('prompt_hash'))[:12]}"
        f"|{'text only' if said['text_only'] else 'with picture'}|against:{said['reference']}|{settings}"
    )


def _call(summary: Summary, by: tuple[str, ...]) -> Call:
    known = summary.metadata
    scores = summary.scores or {}
    score = scores.get("verdict") or next(iter(scores.values()), None)
    answer = score.answer if score is not None and summary.error is None else None
    reason = None
    if answer not in ("first", "second", "tie"):
        answer = None
        reason = "error" if summary.error is not None or score is None else score.reason or "judge_unparsed"
    return Call(
        sample=str(known.get("judged", summary.id)),
        a=str(known["text_a"]),
        b=str(known["text_b"]),
        shown_first="a" if known["shown_first"] == "a" else "b",
        said=answer,  # type: ignore[arg-type]
        reason=reason,
        cluster=str(known.get("cluster", summary.id)),
        groups={name: str(known[name]) for name in by if name in known},
        words_a=int(known["words_a"]),
        words_b=int(known["words_b"]),
        call=str(summary.id),
    )
