"""The option rules beside the index that LLaVA's authors parsed from 4,241 real outputs on ScienceQA."""

import json
from pathlib import Path
from typing import Any

import pytest

from scorers.options.option_letter import extract_option

OUTPUTS = Path(__file__).parents[3] / ".." / "shared" / "data" / "scienceqa_llava_outputs.json"
pytestmark = pytest.mark.skipif(
    not OUTPUTS.exists(), reason="needs ../shared/data/scienceqa_llava_outputs.json"
)

# The file has no questions. Letters need none, so these stand in: as many as any question has, texts that no
# output holds.
CHOICES = [f"§{number}" for number in range(5)]

# The one difference. Output 3247 says "… is a run-on sentence … The answer is D.", the authors' index is 1.
# The question (a run-on or a compound sentence?) has two options, so D names none of them; the authors'
# parser then draws an option at random, and drew 1. Here it is no answer: a letter without an option.
DRAWN_AT_RANDOM = {"3247": ("D", 1)}


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OUTPUTS.read_text(encoding="utf-8"))
    return found


def test_every_other_output_gives_the_published_index(published: dict[str, Any]) -> None:
    outputs, results = published["outputs"], published["results"]
    found = {name: extract_option(text, CHOICES) for name, text in outputs.items()}
    differences = {name for name in outputs if found[name] != results[name]}
    assert len(outputs) == 4241
    assert differences == set(DRAWN_AT_RANDOM)


def test_the_difference_is_a_letter_without_an_option(published: dict[str, Any]) -> None:
    for name, (letter, drawn) in DRAWN_AT_RANDOM.items():
        assert published["outputs"][name].endswith(f"The answer is {letter}.")
        assert published["results"][name] == drawn
        assert extract_option(published["outputs"][name], CHOICES[:2]) is None
