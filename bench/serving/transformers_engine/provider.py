"""inspect model provider over transformers, for architectures that vLLM does not serve.

``transformers/<checkpoint folder or hub id>``: chat messages go through the checkpoint's own processor,
concurrent requests are completed together by ``model.generate``. A completion does not depend on its batch:
prompts are padded on the left and masked, a request that draws with a seed is completed alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ContentImage,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from bench.errors import RequestError, did_you_mean
from bench.serving.checkpoint import find_checkpoint
from bench.serving.local_provider import LocalProvider
from bench.serving.transformers_engine.batching import Batcher
from bench.serving.transformers_engine.checkpoint_loading import load
from bench.serving.transformers_engine.loaded_model import (
    MAX_TOKENS,
    Chat,
    Completion,
    LoadedModel,
    Settings,
    free_memory,
)
from solvers.option_likelihood import TextScore

_DTYPES = ("auto", "float32", "bfloat16", "float16")
_ARGUMENTS = ("device", "dtype", "batch_size", "max_wait", "revision", "trust_remote_code")
# Settings that would change a completion and that this provider does not apply.
_NOT_APPLIED = (
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "prompt_logprobs",
    "response_schema",
    "extra_body",
)


@dataclass(frozen=True)
class _Request:
    """A chat to complete or, with a text, the text whose probability as its answer is asked for."""

    messages: Sequence[ChatMessage]
    settings: Settings
    text: str | None = None


def _picture_count(messages: Sequence[ChatMessage]) -> int:
    return sum(
        isinstance(content, ContentImage)
        for message in messages
        if not isinstance(message.content, str)
        for content in message.content
    )


def _settings(config: GenerateConfig) -> Settings:
    for name in _NOT_APPLIED:
        if getattr(config, name):
            raise RequestError(f"{name}: the transformers provider does not apply it; leave it out")
    if max(config.num_choices or 1, config.best_of or 1) > 1:
        raise RequestError("num_choices, best_of: the transformers provider makes one completion; use epochs")
    given = {
        "max_tokens": config.max_tokens,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k,
        "seed": config.seed,
        "stop": tuple(config.stop_seqs or ()),
    }
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    # What only drawing looks at must not keep greedy requests from sharing a batch.
    return settings if settings.sampled else replace(settings, top_p=None, top_k=None, seed=None)


class TransformersAPI(LocalProvider):
    """``transformers/<checkpoint>``: a folder or hub id (or LoRA adapter folder) run by transformers.

    Model arguments (inspect's ``-M``): device (default: cuda where there is one), dtype (default: the
    checkpoint's), batch_size, max_wait (seconds an incomplete batch waits for more), revision and
    trust_remote_code. The model is loaded at the first request, or at :meth:`start`.
    """

    prefix = "transformers"
    engine_name = "transformers"
    distributions = ("transformers",)

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - the signature inspect's providers share
        *,
        device: str | None = None,
        dtype: str = "auto",
        # 77 samples/s of a small model on two cores, one by one 20 (docs/benchmarks.md).
        batch_size: int = 8,
        max_wait: float = 0.05,
        revision: str | None = None,
        trust_remote_code: bool = False,
        **unknown: object,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        for name in unknown:
            raise RequestError(
                f"-M {name}: not an argument of the transformers provider ({', '.join(_ARGUMENTS)})"
                f"{did_you_mean(name, _ARGUMENTS)}"
            )
        if dtype not in _DTYPES:
            raise RequestError(
                f"-M dtype={dtype}: not one of {', '.join(_DTYPES)}{did_you_mean(str(dtype), _DTYPES)}"
            )
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
            raise RequestError(f"-M batch_size={batch_size}: give a whole number from 1 up")
        if not isinstance(max_wait, (int, float)) or not 0 <= max_wait <= 60:
            raise RequestError(f"-M max_wait={max_wait}: give seconds from 0 to 60")
        if not isinstance(trust_remote_code, bool):
            raise RequestError(f"-M trust_remote_code={trust_remote_code}: give true or false")
        self.checkpoint = find_checkpoint(model_name, revision=revision)
        self.batch_size = batch_size
        self._device = device
        self._dtype = dtype
        self._trust_remote_code = trust_remote_code
        self._loaded: LoadedModel | None = None
        self._refusal: RequestError | None = None
        self._batcher: Batcher[_Request, Completion | TextScore] = Batcher(self._serve, max_wait=max_wait)

    @classmethod
    def model_arguments(
        cls,
        name: str,
        checkpoint: str,
        given: Mapping[str, Any],
        *,
        trust_remote_code: bool,
        log_file: Path | None,
        needed_length: int | None,
    ) -> dict[str, Any]:
        """What was given; it keeps no log of its own and takes memory for a context as requests need it."""
        return {**given, **({"trust_remote_code": True} if trust_remote_code else {})}

    @property
    def dtype(self) -> str | None:
        """The numeric type of the weights, once they are loaded."""
        return self._loaded.dtype if self._loaded else None

    @property
    def device(self) -> str | None:
        """The device asked for, or the one chosen once the model is loaded."""
        return self._loaded.device if self._loaded else self._device

    def starting(self, name: str) -> str:
        """In words."""
        return f"loading {name} with transformers"

    async def start(self) -> None:
        """Load the model, once; raises RequestError when it cannot be."""
        await self._batcher.call(self._load)

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Complete one chat, together with others that wait. Tools are refused.

        Raises ValueError when the request itself cannot be served, RequestError when the model cannot be
        loaded or a setting is not applied here.
        """
        if tools:
            raise RequestError("the transformers provider serves no tools; use inspect's hf/ provider")
        settings = _settings(config)
        completion = await self._batcher.submit(
            _Request(input, settings),
            # Processors differ in what they make of a batch where only some have pictures.
            kind=(settings, _picture_count(input)),
            limit=1 if settings.sampled and settings.seed is not None else self.batch_size,
        )
        assert isinstance(completion, Completion)
        return ModelOutput(
            model=self.model_name,
            choices=[
                ChatCompletionChoice(
                    message=ChatMessageAssistant(
                        content=completion.text, model=self.model_name, source="generate"
                    ),
                    stop_reason="stop" if completion.ended else "max_tokens",
                )
            ],
            usage=ModelUsage(
                input_tokens=completion.input_tokens,
                output_tokens=completion.output_tokens,
                total_tokens=completion.input_tokens + completion.output_tokens,
            ),
            time=completion.seconds,
            metadata={"token_ids": list(completion.tokens)} if self.keep_tokens else None,
        )

    async def score_texts(self, messages: Sequence[ChatMessage], texts: Sequence[str]) -> list[TextScore]:
        """The log-probability of each text as the answer to a chat; for `solvers.option_likelihood`."""
        settings = Settings()
        kind = ("scores", _picture_count(messages))
        requests = (_Request(messages, settings, text) for text in texts)
        scores = await asyncio.gather(
            *(self._batcher.submit(one, kind=kind, limit=self.batch_size) for one in requests)
        )
        return [score for score in scores if isinstance(score, TextScore)]

    def max_tokens(self) -> int:
        """What a request without a limit may generate, as far as the context allows."""
        return MAX_TOKENS

    def max_connections(self) -> int:
        """Requests in flight: a batch in work, and full ones waiting behind it."""
        return 4 * self.batch_size

    def close(self) -> None:
        """Free the model; a later request loads it again."""
        self._batcher.close()
        if self._loaded is not None:
            self._loaded = None
            free_memory()

    def _load(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._loaded is None:
            try:
                self._loaded = load(
                    self.checkpoint,
                    device=self._device or _default_device(),
                    dtype=self._dtype,
                    trust_remote_code=self._trust_remote_code,
                )
            except RequestError as error:
                # Every batch would try again, and fail again.
                self._refusal = error
                raise

    def _serve(
        self, requests: Sequence[_Request], abandoned: Callable[[], bool]
    ) -> list[Completion | TextScore | Exception]:
        """Complete requests of equal settings, or score their texts; runs in the batches' thread."""
        self._load()
        assert self._loaded is not None
        chats: dict[int, Chat] = {}
        known: dict[int, Chat] = {}
        answers: dict[int, Completion | TextScore | Exception] = {}
        for number, request in enumerate(requests):
            try:
                # The options of a question come with the same messages.
                key = id(request.messages)
                chats[number] = known[key] if key in known else self._loaded.chat(request.messages)
                known[key] = chats[number]
            except ValueError as error:
                answers[number] = error
        if chats:
            asked = list(chats.values())
            texts = [text for number in chats if (text := requests[number].text) is not None]
            served: Sequence[Completion | TextScore | Exception]
            if texts:
                served = self._loaded.text_scores(asked, texts)
            else:
                served = self._loaded.completions(asked, requests[0].settings, abandoned)
            answers.update(zip(chats, served, strict=True))
        return [answers[number] for number in range(len(requests))]


def _default_device() -> str:
    try:
        import torch
    except ImportError as error:
        raise RequestError(f"--model transformers/… needs {error.name}; install tunebench[cpu]") from error
    return "cuda" if torch.cuda.is_available() else "cpu"


@modelapi(name="transformers")
def transformers_provider() -> type[ModelAPI]:
    """The provider's name in inspect: ``--model transformers/<checkpoint>``."""
    return TransformersAPI
