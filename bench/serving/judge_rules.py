"""inspect model provider of judges that are rules: what they say is known, so that the arithmetic can be.

``judge/first`` and ``judge/second`` look at the place alone, ``judge/tie`` at nothing, ``judge/longer`` at
the number of words, ``judge/faithful`` at how many of a text's numbers are in the chart's data, then at how
many of its key values the text has. They read the prompt that any judge is sent, and answer in the form that
it asks for; ``judge/same`` does so where a rating is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from bench.errors import RequestError, did_you_mean
from scorers.essays.essay_numbers import ChartTable, check_numbers
from scorers.judges.judge_prompt import shown_texts

Rule = Callable[[Mapping[str, str], Any], tuple[str, str]]
"""(the texts by what they are called, the record's data) → (why, the word or number in the tag)."""


def _longer(texts: Mapping[str, str], data: Any) -> tuple[str, str]:
    first, second = (len(texts[name].split()) for name in ("FIRST", "SECOND"))
    return f"{first} words against {second}", _preferred(first, second)


def _faithful(texts: Mapping[str, str], data: Any) -> tuple[str, str]:
    if not isinstance(data, str):
        raise ValueError("judge/faithful needs a chart whose data are known, and this one's are not")
    table = ChartTable.of(data)
    first, second = (check_numbers(texts[name], table) for name in ("FIRST", "SECOND"))
    why = f"{first.faithful:.3f} of the numbers are right, against {second.faithful:.3f}"
    return why, _preferred((first.faithful, first.key_values), (second.faithful, second.key_values))


def _same(texts: Mapping[str, str], data: Any) -> tuple[str, str]:
    said, wanted = (set(texts[name].lower().split()) for name in ("ANSWER", "REFERENCE"))
    shared = len(said & wanted) / len(wanted) if wanted else 0.0
    return f"{shared:.3f} of the words", "1" if shared == 1 else "0.5" if shared >= 0.5 else "0"


def _preferred(first: Any, second: Any) -> str:
    return "TIE" if first == second else "FIRST" if first > second else "SECOND"


_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "first": lambda texts, data: ("it came first", "FIRST"),
        "second": lambda texts, data: ("it came second", "SECOND"),
        "tie": lambda texts, data: ("no difference", "TIE"),
        "longer": _longer,
        "faithful": _faithful,
        "same": _same,
    }
)
NAMES = tuple(f"judge/{name}" for name in _RULES)


class RuleAPI(ModelAPI):
    """``judge/<rule>``: one of NAMES. ValueError for a prompt that is none of ours."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - the signature inspect's providers share
        **arguments: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        for name in arguments:
            raise RequestError(f"-M {name}: a judge/ rule takes no arguments; leave it out")
        if model_name not in _RULES:
            near = did_you_mean(f"judge/{model_name}", NAMES)
            raise RequestError(f"judge/{model_name} is not one of {', '.join(NAMES)}{near}")
        self._rule = _RULES[model_name]
        self._tag = "rating" if model_name == "same" else "verdict"

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """The rule's answer to a judge's prompt."""
        texts = shown_texts(input[-1].text)
        wanted = {"ANSWER", "REFERENCE"} if self._tag == "rating" else {"FIRST", "SECOND"}
        if not wanted <= texts.keys():
            raise ValueError(f"judge/{self.model_name} answers the prompts of its own kind alone")
        why, word = self._rule(texts, (input[-1].metadata or {}).get("data"))
        message = ChatMessageAssistant(
            content=f"{why}.\n<{self._tag}>{word}</{self._tag}>", model=self.model_name, source="generate"
        )
        return ModelOutput(
            model=self.model_name,
            choices=[ChatCompletionChoice(message=message, stop_reason="stop")],
            # Without a usage inspect would count tokens itself, with a tokenizer from elsewhere.
            usage=ModelUsage(),
        )


@modelapi(name="judge")
def rule_provider() -> type[ModelAPI]:
    """The provider's name in inspect: ``--model judge/longer``."""
    return RuleAPI
