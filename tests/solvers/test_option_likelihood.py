"""Readings of option likelihoods, and the solver over a provider whose scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageUser,
    ContentImage,
    ContentText,
    Model,
    get_model,
)
from inspect_ai.util._display import init_display_type
from PIL import Image

from scorers.options.option_scorer import READINGS, option_letter, option_readings
from solvers.option_likelihood import TextScore, option_likelihood, readings

SCORES = st.lists(st.builds(TextScore, st.floats(-200, 0), st.integers(1, 20)), min_size=2, max_size=6)


def test_length_prior_and_both_prefer_what_they_should() -> None:
    # The first is short; the second likeliest per token; the third gains most from the picture.
    seen = [TextScore(-2, 1), TextScore(-3, 4), TextScore(-6, 2)]
    blind = [TextScore(-2, 1), TextScore(-3.5, 4), TextScore(-9, 2)]
    assert readings(seen, blind) == {"raw": 0, "length": 1, "prior": 2, "length and prior": 2}
    assert readings(seen, None) == {"raw": 0, "length": 1}


@given(SCORES)
def test_a_prior_that_is_the_same_for_all_changes_nothing(scores: list[TextScore]) -> None:
    flat = [TextScore(0.0, one.tokens) for one in scores]
    found = readings(scores, flat)
    assert (found["prior"], found["length and prior"]) == (found["raw"], found["length"])


@given(SCORES)
def test_readings_name_options_that_exist(scores: list[TextScore]) -> None:
    found = readings(scores, list(reversed(scores)))
    assert tuple(found) == READINGS
    assert all(0 <= place < len(scores) for place in found.values())


@pytest.mark.parametrize("arguments", [{"normalise": "log"}, {"score": "word"}])
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not one of"):
        option_likelihood(**arguments)


def scoring_model(asked: list[tuple[int, tuple[str, ...]]]) -> Model:
    """inspect's mock model, whose provider also scores texts: by their length, and less without a picture."""
    model = get_model("mockllm/model", memoize=False)

    async def score_texts(messages: Sequence[ChatMessage], texts: Sequence[str]) -> list[TextScore]:
        content = messages[-1].content
        pictures = [] if isinstance(content, str) else [p for p in content if isinstance(p, ContentImage)]
        assert all(picture.image.startswith("data:image/png;base64,") for picture in pictures)
        asked.append((len(pictures), tuple(texts)))
        return [TextScore(-float(len(text)) * (1 if pictures else 3), 1) for text in texts]

    model.api.score_texts = score_texts  # type: ignore[attr-defined]
    return model


@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
def test_the_solver_answers_by_letter_and_all_readings_are_scored(tmp_path: Path) -> None:
    init_display_type("none")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    parts = [ContentImage(image=str(tmp_path / "a.png")), ContentText(text="Which?")]
    samples = [
        Sample(
            id="seen",
            input=[ChatMessageUser(content=parts)],
            choices=["long text", "short"],
            target="B",
            metadata={"cluster": "a"},
        ),
        Sample(id="told", input="Which?", choices=["a", "bcd"], target="B", metadata={"cluster": "b"}),
    ]
    asked: list[tuple[int, tuple[str, ...]]] = []
    task = Task(
        dataset=MemoryDataset(samples),
        solver=option_likelihood(normalise="prior"),
        scorer=[option_letter(), option_readings()],
    )
    (log,) = eval(task, model=scoring_model(asked), log_dir=str(tmp_path / "logs"))
    assert log.status == "success", log.error
    seen, told = sorted(log.samples or [], key=lambda sample: str(sample.id))
    # With the picture "short" is likelier; the prior, which liked it even more, turns that around.
    assert seen.scores is not None and told.scores is not None
    assert seen.output.completion == "A" and seen.scores["option_letter"].value == "I"
    assert seen.scores["option_readings"].value == {"raw": 1, "length": 1, "prior": 0, "length and prior": 0}
    # No picture, no prior: the same reading without it.
    assert told.output.completion == "A"
    assert sorted(asked) == [(0, ("a", "bcd")), (0, ("long text", "short")), (1, ("long text", "short"))]


@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
def test_pictures_of_solved_examples_are_part_of_the_prior(tmp_path: Path) -> None:
    init_display_type("none")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    shown = ChatMessageUser(
        content=[ContentImage(image=str(tmp_path / "a.png")), ContentText(text="And this?")]
    )
    told = ChatMessageUser(content="Which?")
    answer = ChatMessageAssistant(content="A")
    samples = [
        Sample(
            id=place, input=[shown, answer, last], choices=["a", "b"], target="A", metadata={"cluster": "a"}
        )
        for place, last in enumerate((shown, told))
    ]
    asked: list[tuple[int, tuple[str, ...]]] = []
    task = Task(dataset=MemoryDataset(samples), solver=option_likelihood(), scorer=option_letter())
    (log,) = eval(task, model=scoring_model(asked), log_dir=str(tmp_path / "logs"), max_samples=1)
    assert log.samples is not None and len(asked) == 3
    first, second = (sample.output.metadata or {} for sample in log.samples)
    assert "prior" in first["readings"] and "prior" not in second["readings"]


@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
def test_a_provider_without_likelihoods_says_what_has_them(tmp_path: Path) -> None:
    init_display_type("none")
    task = Task(
        dataset=MemoryDataset([Sample(id=1, input="Which?", choices=["a", "b"], target="A")]),
        solver=option_likelihood(),
        scorer=option_letter(),
        fail_on_error=False,
    )
    (log,) = eval(task, model="mockllm/model", log_dir=str(tmp_path / "logs"))
    assert log.samples is not None and log.samples[0].error is not None
    assert "--model transformers/FOLDER" in log.samples[0].error.message
