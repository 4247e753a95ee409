"""The samples of a page: every one in a line, a bounded choice of them with picture and completions."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from results.board.standings import Column, Leaderboard
from results.logs.log_file import read_log
from results.logs.logged_run import Run
from results.logs.outcomes import Outcome
from results.logs.sample_file import LoggedSample, SampleFile
from results.page.page_data import Plain
from results.shown.thumbnails import thumbnail

# Over the whole page: bytes of pictures (before the third that base64 adds) and characters of completions.
# 20 checkpoints × 5 tasks × 2,000 samples make 8.3 MB with these; all of their completions would be 180 MB.
_PICTURES = 3_000_000
_COMPLETIONS = 4_000_000
_LONGEST_COMPLETION, _SHORTEST_COMPLETION = 4_000, 300
_LONGEST_QUESTION, _LONGEST_TARGET, _LONGEST_ANSWER = 300, 200, 80


@dataclass
class Pictures:
    """Thumbnails, each picture once, up to a number of bytes in all. left_out: pictures beyond it."""

    uris: list[str] = field(default_factory=list)
    left_out: int = 0
    _places: dict[str, int | None] = field(default_factory=dict)
    _made: dict[str, int] = field(default_factory=dict)
    _bytes: int = 0

    def place(self, key: str, sources: Sequence[str]) -> int | None:
        """Where a sample's first picture is in ``uris``, or None; key: what the picture is known by."""
        if key not in self._places and sources:
            self._places[key] = self._add(sources[0])
        return self._places.get(key)

    def _add(self, source: str) -> int | None:
        if self._bytes >= _PICTURES:
            self.left_out += 1
            return None
        made = thumbnail(source)
        if made is None:
            return None
        if made in self._made:
            return self._made[made]
        self._bytes += len(made) * 3 // 4
        self.uris.append(made)
        self._made[made] = len(self.uris) - 1
        return self._made[made]


def samples_data(board: Leaderboard, per_task: int) -> tuple[list[Plain], Pictures]:
    """One object per column, and the pictures that they refer to by place.

    per_task: how many samples get their picture and completions. Those on which the rows disagree most come
    first, in turn over the groups of the first report field.
    """
    pictures = Pictures()
    texts = sum(
        min(per_task, len(cell.run.outcomes)) for column in board.columns for _, cell in board.cells(column)
    )
    longest = min(_LONGEST_COMPLETION, max(_SHORTEST_COMPLETION, _COMPLETIONS // max(1, texts)))
    return [_column(board, column, per_task, longest, pictures) for column in board.columns], pictures


def _column(board: Leaderboard, column: Column, per_task: int, longest: int, pictures: Pictures) -> Plain:
    runs = {place: row.cells[column].run for place, row in enumerate(board.rows) if column in row.cells}
    outcomes = {place: _first_epoch(run) for place, run in runs.items()}
    samples = {sample: outcome for own in outcomes.values() for sample, outcome in own.items()}
    records = _records(runs)
    fields = list(dict.fromkeys(name for run in runs.values() for name in run.report_by))
    chosen = _chosen(samples, outcomes, fields, per_task)
    ids = list(dict.fromkeys([*chosen, *samples]))
    details, texts, questions = _details(runs, outcomes, chosen, records, longest, pictures)
    answers, given = _given(ids, outcomes)
    return {
        "ids": ids,
        "epochs": max((run.epochs for run in runs.values()), default=1),
        "questions": [
            _cut(questions.get(sample) or str(records.get(sample, {}).get("question", "")), _LONGEST_QUESTION)
            for sample in ids
        ],
        "targets": [_cut(samples[sample].target, _LONGEST_TARGET) for sample in ids],
        "groups": {name: _coded([samples[sample].groups.get(name) for sample in ids]) for name in fields},
        "states": {
            place: "".join(_state(own.get(sample)) for sample in ids) for place, own in outcomes.items()
        },
        "answers": answers,
        "given": given,
        "details": details,
        "texts": texts,
        "longest": longest,
    }


def _first_epoch(run: Run) -> dict[str, Outcome]:
    """Each sample's outcome in its first epoch."""
    found: dict[str, Outcome] = {}
    for outcome in run.outcomes:
        if outcome.id not in found or outcome.epoch < found[outcome.id].epoch:
            found[outcome.id] = outcome
    return found


def _records(runs: Mapping[int, Run]) -> dict[str, Mapping[str, Any]]:
    """Sample id → what the logs keep of its record; one log has them all unless a run was limited."""
    found: dict[str, Mapping[str, Any]] = {}
    for run in sorted(runs.values(), key=lambda run: -len(run.outcomes)):
        # The texts that a judge compared may be gone while its verdicts are there.
        if not set(run.outcomes.ids) <= found.keys() and Path(run.location).is_file():
            found = {str(summary.id): summary.metadata for summary in read_log(run.location)[1]} | found
    return found


def _state(outcome: Outcome | None) -> str:
    """r right, p in part, w wrong, t wrong and truncated, n no answer, u unscored, - not run."""
    if outcome is None:
        return "-"
    if outcome.value is None:
        return "u"
    if outcome.value == 1:
        return "r"
    if outcome.truncated:
        return "t"
    if outcome.no_answer:
        return "n"
    return "p" if outcome.value > 0 else "w"


def _chosen(
    samples: Mapping[str, Outcome],
    outcomes: Mapping[int, Mapping[str, Outcome]],
    fields: Sequence[str],
    most: int,
) -> list[str]:
    """The samples worth looking at: split decisions, then what any row got wrong, each group in turn."""

    def dullness(sample: str) -> tuple[int, bool, int]:
        own = [found[sample].value for found in outcomes.values() if sample in found]
        right = own.count(1.0)
        # A digest of the id instead of its order: the first samples of a set are often alike.
        return -min(right, len(own) - right), right == len(own), zlib.crc32(sample.encode())

    queues: dict[str, list[str]] = defaultdict(list)
    for sample in sorted(samples, key=dullness):
        queues[samples[sample].groups.get(fields[0], "") if fields else ""].append(sample)
    chosen: list[str] = []
    for turn in range(max(map(len, queues.values()), default=0)):
        chosen += [queue[turn] for _, queue in sorted(queues.items()) if turn < len(queue)]
        if len(chosen) >= most:
            break
    return chosen[:most]


def _details(
    runs: Mapping[int, Run],
    outcomes: Mapping[int, Mapping[str, Outcome]],
    chosen: Sequence[str],
    records: Mapping[str, Mapping[str, Any]],
    longest: int,
    pictures: Pictures,
) -> tuple[dict[str, Plain], list[str], dict[str, str]]:
    """Sample → picture and, per row, completion as a place in the texts; the texts; sample → question."""
    texts: dict[str, int] = {}
    details: dict[str, Plain] = {sample: {"picture": None, "completions": {}} for sample in chosen}
    questions: dict[str, str] = {}
    for place, run in runs.items():
        with SampleFile(run.location) as file:
            for sample in chosen:
                outcome = outcomes[place].get(sample)
                read = _read(file, outcome) if outcome else None
                if read is None:
                    continue
                text = _middle_cut(read.completion, longest)
                details[sample]["completions"][place] = texts.setdefault(text, len(texts))
                questions.setdefault(sample, read.question)
                if details[sample]["picture"] is None:
                    key = str(records.get(sample, {}).get("image") or f"{run.task} {sample}")
                    details[sample]["picture"] = pictures.place(key, read.pictures)
    return details, list(texts), questions


def _read(file: SampleFile, outcome: Outcome) -> LoggedSample | None:
    try:
        return file.read(outcome.id, outcome.epoch)
    except Exception:  # the log was read before; a part of it that broke since costs one completion
        return None


def _given(
    ids: Sequence[str], outcomes: Mapping[int, Mapping[str, Outcome]]
) -> tuple[list[str], dict[int, list[int]]]:
    """The different answers, and per row each sample's answer as a place among them, -1 for none."""
    places: dict[str, int] = {}

    def place(outcome: Outcome | None) -> int:
        said = None if outcome is None else outcome.reason if outcome.value is None else outcome.answer
        return -1 if said is None else places.setdefault(_cut(said, _LONGEST_ANSWER), len(places))

    given = {row: [place(own.get(sample)) for sample in ids] for row, own in outcomes.items()}
    return list(places), given


def _coded(values: Sequence[str | None]) -> Plain:
    names = sorted({value for value in values if value is not None})
    places = {name: place for place, name in enumerate(names)}
    return {"names": names, "codes": [-1 if value is None else places[value] for value in values]}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _middle_cut(text: str, most: int) -> str:
    """A long completion without its middle: its answer is mostly at its end."""
    if len(text) <= most:
        return text
    head = most * 2 // 5
    return f"{text[:head]}\n[… {len(text) - most:,} characters left out …]\n{text[-(most - head) :]}"
