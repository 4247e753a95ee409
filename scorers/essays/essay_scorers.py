"""The inspect scorers around `essay_form` and `essay_numbers` of this room; no judgement of their own."""

from __future__ import annotations

from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState

from scorers.essays.essay_form import FAULTS, form_of
from scorers.essays.essay_numbers import ChartTable, check_numbers
from scorers.flags import was_truncated

_SHOWN = 12


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def essay_form(fewest_words: int = 150, most_words: int = 190) -> Scorer:
    """`well_formed` (no fault at all), then each fault as 0 or 1, of which lower is better.

    The chart's title comes from the sample's metadata `title`. ValueError for limits that cannot be.
    """
    for name, value in (("fewest_words", fewest_words), ("most_words", most_words)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is a whole number of words, not {value!r}")
    if fewest_words > most_words:
        raise ValueError(f"fewest_words {fewest_words} is more than most_words {most_words}")

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            # `inspect score` also brings samples whose generation failed: nothing to judge is no fault.
            return Score.unscored(reason="error", explanation="there is no completion")
        completion = state.output.completion
        title = state.metadata.get("title")
        found = form_of(
            completion,
            title=title if isinstance(title, str) else None,
            fewest_words=fewest_words,
            most_words=most_words,
        )
        empty = not completion.strip()
        counts = {
            name: getattr(found, name)
            for name in (
                "words",
                "paragraphs",
                "sentences",
                "questions",
                "list_items",
                "headings",
                "bold",
                "markers",
            )
        }
        return Score(
            value={
                "well_formed": float(found.well_formed),
                **{name: float(name in found.faults) for name in FAULTS},
            },
            reason="no_answer" if empty else None,
            explanation=", ".join(name for name in FAULTS if name in found.faults) or None,
            metadata={**counts, "no_answer": empty, "truncated": was_truncated(state.output.stop_reason)},
        )

    return score


def essay_form_signature(fewest_words: int = 150, most_words: int = 190) -> str:
    """What two form scores must share to be compared."""
    return f"words:{fewest_words}-{most_words}|version:tunebench-1"


@scorer(metrics={"*": [mean(), stderr(cluster="cluster")]})
def essay_numbers() -> Scorer:
    """`faithful`: share of the essay's numbers that are in its chart; `key_values`: share mentioned.

    An essay without a number has nothing that is supported: 0, and `no_numbers` counts it. The chart's data
    come from the sample's metadata `chart_data`; where they are not known, a sample has no such score.
    """

    async def score(state: TaskState, target: Target) -> Score:
        if not state.output.choices:
            return Score.unscored(reason="error", explanation="there is no completion")
        data = state.metadata.get("chart_data")
        if not isinstance(data, str) or not data:
            return Score.unscored(reason="no_data", explanation="the chart's data are not known")
        completion = state.output.completion
        found = check_numbers(completion, ChartTable.of(data))
        wrong = found.unsupported
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        return Score(
            value={
                "faithful": found.faithful,
                "key_values": found.key_values,
                "no_numbers": float(not found.claims),
            },
            explanation=f"not in the chart: {', '.join(wrong[:_SHOWN])}{more}" if wrong else None,
            metadata={"numbers": len(found.claims), "unsupported": len(wrong), "labels": found.labels},
        )

    return score
