"""Teachers whose conversation and acceptance are code of their task; `distill.teacher` names one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
)

from bench.records.loading import Record


@dataclass(frozen=True)
class Teacher:
    """A task's own way of asking.

    messages: a record → what the teacher is sent. refusal: why a completion may not be learned from, or None.
    lessons: an accepted completion → what students learn of it, by the name of the variant.
    """

    messages: Callable[[Record], list[ChatMessage]]
    refusal: Callable[[Record, str], str | None]
    lessons: Callable[[Record, str], Mapping[str, str]]


def _essays() -> Teacher:
    from tasks.ielts_essay.essay_teacher import Accepted, Rejected, Turn, accept_essay, teacher_messages

    def message(turn: Turn) -> ChatMessage:
        if turn.role == "system":
            return ChatMessageSystem(content=turn.text)
        if turn.role == "assistant":
            return ChatMessageAssistant(content=turn.text)
        parts: list[Content] = [ContentImage(image=str(image)) for image in turn.images]
        return ChatMessageUser(content=[*parts, ContentText(text=turn.text)])

    def refusal(record: Record, completion: str) -> str | None:
        verdict = accept_essay(record, completion)
        # The kind alone: what was found differs from essay to essay, and equal causes are to be counted.
        return verdict.kind if isinstance(verdict, Rejected) else None

    def lessons(record: Record, completion: str) -> Mapping[str, str]:
        verdict = accept_essay(record, completion)
        assert isinstance(verdict, Accepted)
        return {"structured": verdict.structured, "unstructured": verdict.unstructured}

    return Teacher(lambda record: [message(turn) for turn in teacher_messages(record)], refusal, lessons)


TEACHERS: Mapping[str, Callable[[], Teacher]] = MappingProxyType({"ielts_essay": _essays})
"""What `distill.teacher` may name."""
