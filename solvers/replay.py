"""Completions made elsewhere take the place of generation, so that they are scored and logged alike."""

from __future__ import annotations

from collections.abc import Mapping

from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage, StopReason
from inspect_ai.solver import Generate, Solver, TaskState, solver

from solvers.completion import UnreadableRecordError
from solvers.journal import current_progress

MISSING = "no completion with this sample's id"


class MissingCompletionError(Exception):
    """The completions hold none for the sample."""


@solver(name="replay")
def replay(completions: Mapping[str, tuple[str, StopReason]], model: str) -> Solver:
    """Answer each sample with its completion; ``completions`` maps a sample id to (text, why it ended)."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        progress = current_progress.get()
        try:
            if reason := state.metadata.get("unreadable"):
                raise UnreadableRecordError(reason)
            found = completions.get(str(state.sample_id))
            if found is None:
                raise MissingCompletionError(MISSING)
            text, ended = found
            message = ChatMessageAssistant(content=text, model=model, source="generate")
            state.output = ModelOutput(
                model=model,
                choices=[ChatCompletionChoice(message=message, stop_reason=ended)],
                # Nothing was generated here; without a usage inspect would count tokens itself.
                usage=ModelUsage(),
            )
            state.messages.append(message)
            return state
        finally:
            if progress is not None:
                progress()

    return solve
