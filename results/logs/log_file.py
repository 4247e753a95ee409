"""An inspect log's header and sample summaries, read straight from its archive.

inspect's own readers build and validate a model per sample and take seconds to import; for tables and
verdicts a few fields are enough. Whatever is not the archive that this module knows (an older log, JSON
format, a remote address) is read by inspect.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile, ZipFile

import msgspec

if sys.version_info < (3, 14):
    import zipfile_zstd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: F401  teaches zipfile zstandard

Status = Literal["started", "success", "cancelled", "error"]
_JOURNAL = re.compile(r"_journal/summaries/(\d+)\.json")


class Score(msgspec.Struct):
    """One scorer's score; a value of NaN is inspect's sign for unscored."""

    value: Any = None
    answer: str | None = None
    reason: str | None = None
    metadata: dict[str, Any] | None = None


class Usage(msgspec.Struct):
    """Tokens of one model in one sample. total_cost: dollars, where the provider says."""

    output_tokens: int = 0
    input_tokens: int = 0
    input_tokens_cache_write: int | None = None
    input_tokens_cache_read: int | None = None
    total_cost: float | None = None

    @property
    def read(self) -> int:
        """All tokens that went in, cached ones too."""
        return self.input_tokens + (self.input_tokens_cache_write or 0) + (self.input_tokens_cache_read or 0)


class Summary(msgspec.Struct):
    """One sample in one epoch. metadata: what inspect keeps of it, texts cut at 1,000 characters."""

    id: int | str
    epoch: int
    target: str | list[str] = ""
    metadata: dict[str, Any] = {}
    scores: dict[str, Score] | None = None
    model_usage: dict[str, Usage] = {}
    started_at: str | None = None
    completed_at: str | None = None
    error: str | None = None


class Dataset(msgspec.Struct):
    """How many samples there were to run, and which."""

    name: str | None = None
    samples: int | None = None
    sample_ids: list[int | str] | None = None


class Config(msgspec.Struct):
    """Which part of the data set ran, and how often."""

    limit: int | tuple[int, int] | None = None
    epochs: int | None = None


class ScorerName(msgspec.Struct):
    """A scorer that the log lists."""

    name: str


class Spec(msgspec.Struct):
    """What was evaluated."""

    task: str
    model: str
    created: str
    task_version: int | str = 0
    dataset: Dataset = msgspec.field(default_factory=Dataset)
    config: Config = msgspec.field(default_factory=Config)
    scorers: list[ScorerName] | None = None
    metadata: dict[str, Any] | None = None
    model_args: dict[str, Any] = {}


class GenerationPlan(msgspec.Struct):
    """The generation settings."""

    config: dict[str, Any] = {}


class Failure(msgspec.Struct):
    """What ended an evaluation early."""

    message: str


class Header(msgspec.Struct):
    """A log without its samples; an archive that was not closed has no status of its own."""

    eval: Spec
    plan: GenerationPlan = msgspec.field(default_factory=GenerationPlan)
    status: Status = "started"
    error: Failure | None = None


_HEADER = msgspec.json.Decoder(Header)
_SUMMARIES = msgspec.json.Decoder(list[Summary])


def read_log(location: str | Path) -> tuple[Header, list[Summary]]:
    """A log's header and its summaries, one per sample and epoch.

    Raises what inspect raises (ValueError, OSError, BadZipFile, …) for a file that is no log.
    """
    path = local_path(location)
    if path.suffix == ".eval" and path.is_file():
        try:
            with ZipFile(path) as archive:
                return _header(archive), _deduplicated(_summaries(archive))
        except (BadZipFile, KeyError, msgspec.MsgspecError, UnicodeDecodeError):
            pass
    return _read_with_inspect(location)


def local_path(location: str | Path) -> Path:
    """The path of a log; inspect writes locations as URLs, and people paste them."""
    return Path(str(location).removeprefix("file://").removeprefix("file:"))


def _header(archive: ZipFile) -> Header:
    name = "header.json" if "header.json" in archive.NameToInfo else "_journal/start.json"
    content = archive.read(name)
    try:
        return _HEADER.decode(content)
    except msgspec.DecodeError:
        return msgspec.convert(_with_constants(content), Header, strict=False)


def _summaries(archive: ZipFile) -> list[Summary]:
    if "summaries.json" in archive.NameToInfo:
        return _decode(archive.read("summaries.json"))
    # An evaluation that has not finished keeps one file for each group of samples, numbered as they ended.
    found = {int(m[1]): m[0] for m in map(_JOURNAL.fullmatch, archive.NameToInfo) if m}
    return [summary for number in sorted(found) for summary in _decode(archive.read(found[number]))]


def _decode(content: bytes) -> list[Summary]:
    try:
        return _SUMMARIES.decode(content)
    except msgspec.DecodeError:
        return msgspec.convert(_with_constants(content), list[Summary], strict=False)


def _with_constants(content: bytes) -> Any:
    """JSON with NaN and Infinity, which inspect writes and the faster reader refuses."""
    from pydantic_core import from_json

    return from_json(content)


def _deduplicated(summaries: list[Summary]) -> list[Summary]:
    """The last row of each sample and epoch: one that ran again comes after the run it replaces."""
    return list({(str(summary.id), summary.epoch): summary for summary in summaries}.values())


def _read_with_inspect(location: str | Path) -> tuple[Header, list[Summary]]:
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

    log = read_eval_log(str(location), header_only=True)
    header = msgspec.convert(log.model_dump(exclude_none=True), Header, strict=False)
    found = [
        summary.model_dump(exclude_none=True) for summary in read_eval_log_sample_summaries(str(location))
    ]
    return header, msgspec.convert(found, list[Summary], strict=False)
