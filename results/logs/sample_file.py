"""Single samples of a log: completion, question and pictures, read from its archive one by one.

inspect validates a sample's whole transcript, about 4 ms each; a page of thousands needs three fields of it.
What is not an archive of the known form is read by inspect.
"""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from zipfile import BadZipFile, ZipFile

import msgspec

from results.logs.log_file import local_path


@dataclass(frozen=True)
class LoggedSample:
    """completion: the model's text; replied: there is one, if only an empty one. question: the record's, or
    the prompt's text. pictures: data URIs. asked, asked_pictures: text and pictures of the user's last
    message, before which solved examples may stand; None for a picture that is nowhere. target and metadata:
    whole, where a log's summaries cut them. tokens: the completion's ids, where the run kept them.
    """

    completion: str
    question: str
    pictures: tuple[str, ...]
    replied: bool = True
    asked: str = ""
    asked_pictures: tuple[str | None, ...] = ()
    target: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tokens: tuple[int, ...] | None = None


class SampleFile:
    """Reads samples of one log by id and epoch; a context manager."""

    def __init__(self, location: str | Path) -> None:
        self._location = str(location)
        path = local_path(location)
        try:
            self._archive = ZipFile(path) if path.suffix == ".eval" and path.is_file() else None
        except BadZipFile:
            self._archive = None

    def __enter__(self) -> SampleFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()

    def read(self, sample_id: str, epoch: int) -> LoggedSample:
        """One sample. Raises IndexError when the log has none such, else what inspect raises."""
        content = self._from_archive(sample_id, epoch) or self._from_inspect(sample_id, epoch)
        metadata = content.get("metadata") or {}
        target, file = content.get("target") or (), metadata.get("image_file")
        last = _last_asked(content)
        return LoggedSample(
            completion=_completion(content),
            question=str(metadata.get("question") or _prompt(content)),
            pictures=tuple(source for source in _pictures(content, file) if source),
            replied=bool((content.get("output") or {}).get("choices")),
            asked=_prompt(last),
            asked_pictures=tuple(_pictures(last, file)),
            target=(target,) if isinstance(target, str) else tuple(map(str, target)),
            metadata=metadata,
            tokens=_tokens(content),
        )

    def _from_archive(self, sample_id: str, epoch: int) -> Mapping[str, Any] | None:
        if self._archive is None:
            return None
        try:
            found: Any = msgspec.json.decode(self._archive.read(f"samples/{sample_id}_epoch_{epoch}.json"))
        except (KeyError, BadZipFile, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if isinstance(found, dict) else None

    def _from_inspect(self, sample_id: str, epoch: int) -> Mapping[str, Any]:
        from inspect_ai.log import read_eval_log_sample, read_eval_log_sample_summaries

        # Ids are kept as text here, and may be numbers there.
        known = {str(summary.id): summary.id for summary in read_eval_log_sample_summaries(self._location)}
        sample = read_eval_log_sample(self._location, known.get(sample_id, sample_id), epoch)
        return sample.model_dump()


def _completion(content: Mapping[str, Any]) -> str:
    choices = (content.get("output") or {}).get("choices") or [{}]
    text = (choices[0].get("message") or {}).get("content") or ""
    return "".join(_texts(text, content))


def _tokens(content: Mapping[str, Any]) -> tuple[int, ...] | None:
    kept = ((content.get("output") or {}).get("metadata") or {}).get("token_ids")
    return tuple(kept) if isinstance(kept, list) else None


def _prompt(content: Mapping[str, Any]) -> str:
    given = content.get("input") or ""
    if isinstance(given, str):
        return given
    users = [message for message in given if message.get("role") == "user"]
    return "\n".join(text for message in users for text in _texts(message.get("content") or "", content))


def _texts(parts: str | list[dict[str, Any]], content: Mapping[str, Any]) -> list[str]:
    if isinstance(parts, str):
        return [_resolved(parts, content)]
    return [_resolved(str(part.get("text") or ""), content) for part in parts if part.get("type") == "text"]


def _last_asked(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sample as if its last message of the user's were all of its input."""
    given = content.get("input") or ""
    if isinstance(given, str):
        return content
    return {**content, "input": [message for message in given if message.get("role") == "user"][-1:]}


def _pictures(content: Mapping[str, Any], file: str | None) -> list[str | None]:
    given = content.get("input") or ""
    messages = [] if isinstance(given, str) else given
    return [
        _source(_resolved(str(part.get("image") or ""), content), file)
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part.get("type") == "image"
    ]


def _resolved(text: str, content: Mapping[str, Any]) -> str:
    """inspect keeps long texts and pictures once per sample, and their address where they stood."""
    if not text.startswith("attachment://"):
        return text
    return str((content.get("attachments") or {}).get(text.removeprefix("attachment://"), text))


def _source(image: str, file: str | None) -> str | None:
    """The picture as a data URI: from the log, or from where the run read it, while it is still there."""
    if image.startswith("data:image/"):
        return image
    path = Path(file or image)
    try:
        content = path.read_bytes()
    except (OSError, ValueError):
        return None
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return f"data:{kind};base64,{b64encode(content).decode()}"
