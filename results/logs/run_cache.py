"""Runs that were read before, kept in a form that is read back in a millisecond or two.

One file per log, named for the log's path; it counts while the log's size and time of change are the same.
The form is MessagePack with typed fields: reading one can make nothing but numbers and texts.
"""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from results.logs.log_file import Status, Summary, local_path, read_log
from results.logs.logged_run import Run, run_of
from results.logs.outcomes import Labels, Outcomes

# Goes up when what is kept, or how it is read from a log, changes.
_FORM = 3
_WORTH_PROCESSES = 20_000_000
"""Bytes of logs that take longer to read than processes to start, about half a second."""


class _Labels(msgspec.Struct, array_like=True):
    codes: bytes
    names: tuple[str, ...]


class _Columns(msgspec.Struct, array_like=True):
    ids: tuple[str, ...]
    epochs: bytes
    values: bytes
    reasons: _Labels
    answers: tuple[str | None, ...]
    targets: _Labels
    no_answer: bytes
    truncated: bytes
    anywhere: bytes
    clusters: _Labels
    groups: dict[str, _Labels]
    output_tokens: bytes
    numbers: dict[str, bytes]
    sums: dict[str, bytes]


class _Kept(msgspec.Struct, array_like=True):
    form: int
    size: int
    changed: int
    task: str
    model: str
    status: Status
    expected: int
    identity: dict[str, Any]
    report_by: tuple[str, ...]
    columns: _Columns
    seconds: float | None
    error: str | None
    created: str
    epochs: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Kept)


def cached_run(location: str | Path, cache: Path | None) -> Run:
    """`results.logs.logged_run.read_run`, from the cache folder where the log has not changed since."""
    return cached_log(location, cache)[0]


def cached_log(location: str | Path, cache: Path | None) -> tuple[Run, list[Summary] | None]:
    """The same with the log's summaries, where it had to be read for the run."""
    log = local_path(location)
    if cache is None or not log.is_file():
        return _read_log(location)
    state = log.stat()
    file = _file(log, cache)
    kept = _read(file)
    if kept is not None and (kept.form, kept.size, kept.changed) == (_FORM, state.st_size, state.st_mtime_ns):
        return _unpacked(kept, str(location).removeprefix("file://")), None
    run, summaries = _read_log(location)
    with contextlib.suppress(UnicodeEncodeError):  # half of a surrogate pair in an answer
        _write(file, _ENCODER.encode(_packed(run, state)))
    return run, summaries


def _read_log(location: str | Path) -> tuple[Run, list[Summary]]:
    header, summaries = read_log(location)
    return run_of(location, header, summaries), summaries


def fill_cache(logs: Sequence[Path], cache: Path) -> None:
    """Read logs that were never read on all cores, where they are many enough to be worth the processes.

    What cannot be read is left to who asks for it, and so is everything where processes cannot be had.
    """
    new = [log for log in logs if log.is_file() and not _file(log, cache).exists()]
    workers = min(os.cpu_count() or 1, 8)
    if workers < 2 or sum(log.stat().st_size for log in new) < _WORTH_PROCESSES or len(new) < 2 * workers:
        return
    # Spawned, not forked: numpy's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with (
        contextlib.suppress(OSError, BrokenProcessPool),
        ProcessPoolExecutor(workers, mp_context=context) as pool,
    ):
        for read in [pool.submit(_fill, log, cache) for log in new]:
            read.result()


def _fill(log: Path, cache: Path) -> None:
    with contextlib.suppress(Exception):  # said by who reads it next
        cached_run(log, cache)


def _file(log: Path, cache: Path) -> Path:
    return cache / f"{hashlib.sha256(os.fsencode(log.absolute())).hexdigest()[:32]}.run"


def _read(file: Path) -> _Kept | None:
    try:
        return _DECODER.decode(file.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _write(file: Path, content: bytes) -> None:
    """All or nothing; a cache that cannot be written costs time, not the result."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)


def _packed(run: Run, state: os.stat_result) -> _Kept:
    o = run.outcomes
    return _Kept(
        form=_FORM,
        size=state.st_size,
        changed=state.st_mtime_ns,
        task=run.task,
        model=run.model,
        status=run.status,
        expected=run.expected,
        identity=dict(run.identity),
        report_by=run.report_by,
        columns=_Columns(
            ids=tuple(o.ids),
            epochs=o.epochs.tobytes(),
            values=o.values.tobytes(),
            reasons=_labels(o.reasons),
            answers=tuple(o.answers),
            targets=_labels(Labels.of(o.targets)),
            no_answer=o.no_answer.tobytes(),
            truncated=o.truncated.tobytes(),
            anywhere=o.anywhere.tobytes(),
            clusters=_labels(o.clusters),
            groups={name: _labels(labels) for name, labels in o.groups.items()},
            output_tokens=o.output_tokens.tobytes(),
            numbers={name: values.tobytes() for name, values in o.numbers.items()},
            sums={name: own.tobytes() for name, own in o.sums.items()},
        ),
        seconds=run.seconds,
        error=run.error,
        created=run.created,
        epochs=run.epochs,
    )


def _labels(labels: Labels) -> _Labels:
    return _Labels(labels.codes.astype(np.int32).tobytes(), labels.names)


def _unpacked(kept: _Kept, location: str) -> Run:
    c = kept.columns
    targets = _named(c.targets)
    return Run(
        location=location,
        task=kept.task,
        model=kept.model,
        status=kept.status,
        expected=kept.expected,
        identity=kept.identity,
        report_by=kept.report_by,
        outcomes=Outcomes(
            ids=c.ids,
            epochs=np.frombuffer(c.epochs, dtype=np.int64),
            values=np.frombuffer(c.values, dtype=float),
            reasons=_named(c.reasons),
            answers=c.answers,
            targets=[targets.names[code] for code in targets.codes.tolist()],
            no_answer=np.frombuffer(c.no_answer, dtype=np.int8),
            truncated=np.frombuffer(c.truncated, dtype=np.int8),
            anywhere=np.frombuffer(c.anywhere, dtype=np.int8),
            clusters=_named(c.clusters),
            groups={name: _named(labels) for name, labels in c.groups.items()},
            output_tokens=np.frombuffer(c.output_tokens, dtype=np.int64),
            numbers={name: np.frombuffer(values, dtype=float) for name, values in c.numbers.items()},
            sums={
                name: np.frombuffer(own, dtype=float).reshape(len(c.ids), -1) for name, own in c.sums.items()
            },
        ),
        seconds=kept.seconds,
        error=kept.error,
        created=kept.created,
        epochs=kept.epochs,
    )


def _named(labels: _Labels) -> Labels:
    return Labels(np.frombuffer(labels.codes, dtype=np.int32).astype(np.int64), labels.names)
