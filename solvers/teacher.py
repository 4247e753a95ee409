"""Asks a teacher until what it writes is accepted: several calls to one completion, several attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from inspect_ai.model import ChatMessage, ChatMessageUser, GenerateConfig, ModelOutput, get_model
from inspect_ai.model._model import record_and_check_model_usage
from inspect_ai.scorer import INCORRECT, Scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from solvers.completion import UnreadableRecordError
from solvers.journal import current_journal, current_progress

Joined = Callable[[Sequence[str]], str]
"""The replies of one attempt, in order → its completion."""


@solver(name="teacher")
def teacher(
    accept: Scorer,
    *,
    follow_ups: Sequence[str] = (),
    joined: Joined = "\n".join,
    retries: int = 0,
    seed: int = 0,
) -> Solver:
    """One attempt, and as many more with the next seeds while ``accept`` does not say correct.

    An attempt asks the sample's prompt, then each follow-up in the same conversation; ``joined`` makes one
    completion of the replies. The last attempt's completion is the sample's, and metadata["refused"] has the
    reason of each attempt before it. Every reply goes to the run's journal, and one that it holds is not made
    again.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        progress = current_progress.get()
        try:
            if reason := state.metadata.get("unreadable"):
                raise UnreadableRecordError(reason)
            asked = list(state.messages)
            refused: list[str] = []
            for attempt in range(retries + 1):
                state.messages = list(asked)
                state.output = await _attempt(state, follow_ups, joined, attempt, seed + attempt)
                state.metadata["refused"] = list(refused)
                score = await accept(state, state.target)
                if score is None or score.value != INCORRECT:
                    break  # accepted, or nobody can say
                refused.append(score.reason or "refused")
            return state
        finally:
            if progress is not None:
                progress()

    return solve


async def _attempt(
    state: TaskState, follow_ups: Sequence[str], joined: Joined, attempt: int, seed: int
) -> ModelOutput:
    """One conversation, appended to the state's messages; the output that stands for all of it."""
    replies: list[ModelOutput] = []
    for call, question in enumerate((None, *follow_ups)):
        if question is not None:
            state.messages.append(ChatMessageUser(content=question))
        output = await _reply(state, f"{state.sample_id}/{attempt}/{call}", state.messages, seed)
        replies.append(output)
        state.messages.append(output.message)
        if output.stop_reason in ("max_tokens", "model_length"):
            break  # a reply that was cut off is no ground for the next
    last = replies[-1].model_copy(deep=True)
    if len(replies) == len(follow_ups) + 1:
        last.choices[0].message.content = joined([reply.completion for reply in replies])
        last.completion = last.choices[0].message.text
    return last


async def _reply(state: TaskState, key: str, messages: list[ChatMessage], seed: int) -> ModelOutput:
    journal = current_journal.get()
    known = journal.get(key, state.epoch) if journal is not None else None
    if known is None:
        known = await get_model().generate(list(messages), config=GenerateConfig(seed=seed))
        if journal is not None:
            journal.put(key, state.epoch, known)
    elif known.usage is not None:
        # inspect counts the tokens of its own generations; it has no public way for others.
        record_and_check_model_usage(get_model(), known.usage)
    return known
