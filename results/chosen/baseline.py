"""Blessed baselines: the result that later checkpoints are held against, in a small file for git.

A baseline keeps each run's identity and each sample's outcome, one line per sample, not the log: no
completions, no pictures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from results.logs.log_file import Status
from results.logs.logged_run import Run
from results.logs.outcomes import Outcome, Outcomes

FOLDER = Path("baselines")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FORM = 1
# An answer is shown when it flips; a whole essay is not.
_LONGEST_ANSWER = 200


class _Sample(msgspec.Struct, array_like=True):
    id: str
    epoch: int
    value: float | None
    reason: str | None
    answer: str | None
    no_answer: bool | None
    truncated: bool | None
    anywhere: bool | None
    cluster: str
    output_tokens: int
    groups: tuple[str | None, ...]


class _Run(msgspec.Struct):
    task: str
    model: str
    log: str
    created: str
    status: Status
    expected: int
    epochs: int
    seconds: float | None
    report_by: tuple[str, ...]
    identity: dict[str, Any]
    columns: tuple[str, ...]
    samples: list[_Sample]


class _File(msgspec.Struct):
    tunebench_baseline: int
    blessed: str
    runs: list[_Run]


@dataclass(frozen=True)
class Baseline:
    """A blessed result: one run per task. blessed: when, ISO 8601."""

    name: str
    file: Path
    blessed: str
    runs: tuple[Run, ...]


def write_baseline(name: str, runs: Sequence[Run], folder: Path = FOLDER) -> Path:
    """Bless runs of one model, one per task, as ``folder/name.json``; the file that it wrote.

    Raises ValueError for a name that is no plain file name, or two runs of one task.
    """
    file = baseline_file(name, folder)
    tasks = [run.task for run in runs]
    if len(set(tasks)) < len(tasks):
        raise ValueError(f"two runs of {max(tasks, key=tasks.count)}: bless one run per task")
    content = _File(_FORM, datetime.now(UTC).isoformat(timespec="seconds"), [_kept(run) for run in runs])
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(_laid_out(content), encoding="utf-8")
    return file


def read_baseline(name: str, folder: Path = FOLDER) -> Baseline:
    """Read a baseline back. Raises FileNotFoundError, or ValueError for a file that is none."""
    file = baseline_file(name, folder)
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=_File)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{file}: no baseline that can be read ({error}); bless it again") from error
    if kept.tunebench_baseline != _FORM:
        raise ValueError(
            f"{file}: a baseline of form {kept.tunebench_baseline}, and this version reads {_FORM}; "
            "bless it again"
        )
    return Baseline(name, file, kept.blessed, tuple(_run(one) for one in kept.runs))


def baseline_names(folder: Path = FOLDER) -> list[str]:
    """The names of the baselines in a folder."""
    return sorted(file.stem for file in folder.glob("*.json")) if folder.is_dir() else []


def baseline_file(name: str, folder: Path) -> Path:
    """Where a baseline of this name lies. Raises ValueError for what is no plain name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a baseline: use letters, digits, '.', '_' and '-'")
    return folder / f"{name}.json"


def _kept(run: Run) -> _Run:
    return _Run(
        task=run.task,
        model=run.model,
        log=Path(run.location).name,
        created=run.created,
        status=run.status,
        expected=run.expected,
        epochs=run.epochs,
        seconds=run.seconds,
        report_by=run.report_by,
        identity=dict(run.identity),
        columns=_Sample.__struct_fields__,
        samples=[_sample(outcome, run.report_by) for outcome in run.outcomes],
    )


def _sample(outcome: Outcome, report_by: Sequence[str]) -> _Sample:
    return _Sample(
        id=outcome.id,
        epoch=outcome.epoch,
        value=outcome.value,
        reason=outcome.reason,
        answer=_short(outcome.answer),
        no_answer=outcome.no_answer,
        truncated=outcome.truncated,
        anywhere=outcome.anywhere,
        cluster=outcome.cluster,
        output_tokens=outcome.output_tokens,
        groups=tuple(outcome.groups.get(field) for field in report_by),
    )


def _short(answer: str | None) -> str | None:
    # Half of a surrogate pair, which a model may well write, cannot be encoded.
    return answer[:_LONGEST_ANSWER].encode("utf-8", "replace").decode() if answer else answer


def _laid_out(file: _File) -> str:
    """JSON with one line per sample, so that git shows which ones changed."""
    runs = []
    for run in file.runs:
        head = _json(msgspec.structs.replace(run, samples=[])).removesuffix("]}")
        runs.append(head + "\n" + ",\n".join(_json(sample) for sample in run.samples) + "\n]}")
    head = _json(msgspec.structs.replace(file, runs=[])).removesuffix("]}")
    return head + "\n" + ",\n".join(runs) + "\n]}\n"


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


def _run(kept: _Run) -> Run:
    outcomes = [
        Outcome(
            id=one.id,
            epoch=one.epoch,
            value=one.value,
            reason=one.reason,
            answer=one.answer,
            target="",
            no_answer=one.no_answer,
            truncated=one.truncated,
            anywhere=one.anywhere,
            cluster=one.cluster,
            groups={
                name: group
                for name, group in zip(kept.report_by, one.groups, strict=False)
                if group is not None
            },
            output_tokens=one.output_tokens,
        )
        for one in kept.samples
    ]
    return Run(
        location=kept.log,
        task=kept.task,
        model=kept.model,
        status=kept.status,
        expected=kept.expected,
        identity=kept.identity,
        report_by=kept.report_by,
        outcomes=Outcomes.of(outcomes),
        seconds=kept.seconds,
        error=None,
        created=kept.created,
        epochs=kept.epochs,
    )
