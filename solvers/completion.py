"""One prompt, one completion: the solver of every task that needs no more."""

from __future__ import annotations

from inspect_ai._util.registry import is_registry_object, registry_unqualified_name
from inspect_ai.model import get_model
from inspect_ai.model._model import record_and_check_model_usage
from inspect_ai.solver import Generate, Solver, TaskState, solver

from solvers.journal import current_journal, current_progress


class UnreadableRecordError(Exception):
    """The sample's record could not be read; the message says why."""


@solver(name="completion")
def completion() -> Solver:
    """Generate once. A sample whose record was unreadable fails with that reason and costs no generation.

    Under ``bench run`` each completion goes to the run's journal, and one that the journal already holds
    (from before a kill) is not generated again.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        progress = current_progress.get()
        try:
            if reason := state.metadata.get("unreadable"):
                raise UnreadableRecordError(reason)
            journal = current_journal.get()
            if journal is None:
                return await generate(state)
            sample_id = str(state.sample_id)
            if (known := journal.get(sample_id, state.epoch)) is not None:
                state.output = known
                state.messages.append(known.message)
                if known.usage is not None:
                    # inspect counts the tokens of its own generations; it has no public way for others.
                    record_and_check_model_usage(get_model(), known.usage)
                return state
            state = await generate(state)
            journal.put(sample_id, state.epoch, state.output)
            return state
        finally:
            if progress is not None:
                progress()

    return solve


def is_completion(solver: object) -> bool:
    """Whether a solver is `completion`, which another road to the same completion may replace."""
    return is_registry_object(solver) and registry_unqualified_name(solver) == "completion"
