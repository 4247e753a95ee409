"""vLLM's asynchronous engine in this process: started, asked, watched and ended.

Chats are rendered by vLLM's own renderer, so that prompts equal what its server would build; the engine runs
beside inspect in one event loop, without HTTP. A LoRA adapter is a request option on its base's engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from inspect_ai.model import GenerateConfig

from bench.errors import IncompleteRunError, RequestError, did_you_mean
from bench.serving.continuation import continuation_ids
from bench.serving.vllm_engine import process as engine_process
from bench.serving.vllm_engine.adapter import engine_arguments, lora_request
from bench.serving.vllm_engine.gate import Gate
from solvers.option_likelihood import TextScore

if TYPE_CHECKING:
    from vllm.outputs import RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

_LOG_TAIL_LINES = 12
# More than a run takes to stop everything, which leaves Ctrl-C 2 s to be heard first.
_SECONDS_TO_BE_STOPPED = 5
# On two cores a step costs nearly the same for 14 requests as for 64 (docs/decisions/0003-throughput.md).
_CPU_GROUP = 64


@dataclass(frozen=True)
class EngineSettings:
    """What one engine is started with.

    checkpoint: folder or hub id of the base model. adapter: LoRA folder served on it, or None.
    arguments: any argument of vLLM's ``AsyncEngineArgs``; they override the defaults below.
    log_file: where the engine's own output goes.
    """

    checkpoint: str
    adapter: str | None = None
    trust_remote_code: bool = False
    log_file: Path = Path("engine.log")
    arguments: Mapping[str, object] = field(default_factory=dict)


class EngineDied(IncompleteRunError):
    """The engine's process ended while requests were open."""


class Engine:
    """A started vLLM engine. Make it with :meth:`start`, inside the event loop that will use it."""

    def __init__(self, llm: AsyncLLM, settings: EngineSettings, processes: Sequence[psutil.Process]) -> None:
        self._llm = llm
        self.settings = settings
        self._processes = processes
        self.died = asyncio.Event()
        self._request_ids = itertools.count()
        self._lora = lora_request(settings.adapter) if settings.adapter else None
        self._renderer = llm.renderer
        batch = llm.vllm_config.scheduler_config.max_num_seqs
        self._gate = Gate(min(batch, _CPU_GROUP)) if _on_cpu() else None

    @classmethod
    async def start(cls, settings: EngineSettings) -> Engine:
        """Start the engine (about 20 s on a CPU) and wait until it can serve.

        Raises RequestError when vLLM refuses the checkpoint or an argument, EngineDied when its process
        ends during the start; both carry the log's last lines and its path.
        """
        _prepare_environment()
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        before = _engine_processes()
        with _process_output_to(settings.log_file):
            try:
                # Constructing the engine blocks until its process has loaded the weights.
                llm = _new_llm(settings)
            except RequestError:
                raise
            except Exception as error:
                raise _refused(settings, error) from error
        _log_to(settings.log_file)
        return cls(llm, settings, [process for process in _engine_processes() if process not in before])

    @property
    def dtype(self) -> str:
        """The numeric type vLLM computes in, such as ``bfloat16``."""
        return str(self._llm.model_config.dtype).removeprefix("torch.")

    async def generate(self, messages: list[dict[str, Any]], config: GenerateConfig) -> RequestOutput:
        """Complete one chat; ``messages`` in the OpenAI form, images as ``image_pil`` parts.

        Raises ValueError when the request itself cannot be served (a prompt over the context, say),
        RuntimeError when vLLM ended it before its completion did, and EngineDied when the engine has gone.
        """
        async with self._failures():
            return await self._completed(await self._rendered(messages), _sampling_params(config))

    async def score_texts(self, messages: list[dict[str, Any]], texts: Sequence[str]) -> list[TextScore]:
        """The log-probability of each text as the answer to one chat; raises as :meth:`generate` does."""
        async with self._failures():
            prompt = await self._rendered(messages)
            return list(await asyncio.gather(*(self._text_score(prompt, text) for text in texts)))

    async def _rendered(self, messages: list[dict[str, Any]]) -> Any:
        """The chat's prompt in vLLM's form."""
        from vllm.renderers.params import ChatParams

        with self._gate.preparing() if self._gate else contextlib.nullcontext():
            _, (prompt,) = await self._renderer.render_chat_async(
                [messages],
                ChatParams(chat_template_kwargs={"add_generation_prompt": True, "tokenize": False}),
                # The other cache sends a picture once and then only its key, and when two questions
                # about it overtake each other, the engine gets the key first and fails the request.
                skip_mm_cache=True,
            )
        return prompt

    async def _completed(self, prompt: Any, params: Any) -> RequestOutput:
        if self._gate is not None:
            await self._gate.turn()
        outputs: list[RequestOutput] = [
            output
            async for output in self._llm.generate(
                prompt, params, request_id=str(next(self._request_ids)), lora_request=self._lora
            )
        ]
        if not outputs:
            raise ValueError("vLLM returned no output for the request")
        reason = outputs[-1].outputs[0].finish_reason
        if reason not in ("stop", "length"):
            # What there is of the text, often nothing, is no completion: it would be scored as one.
            raise RuntimeError(f"vLLM ended the request early ({reason})")
        return outputs[-1]

    async def _text_score(self, prompt: Any, text: str) -> TextScore:
        ids = prompt["prompt_token_ids"]
        more = continuation_ids(self._renderer.tokenizer, ids, text)
        asked = GenerateConfig(max_tokens=1, temperature=0, extra_body={"prompt_logprobs": 0})
        output = await self._completed({**prompt, "prompt_token_ids": [*ids, *more]}, _sampling_params(asked))
        assert output.prompt_logprobs is not None
        tail = zip(more, output.prompt_logprobs[-len(more) :], strict=True)
        return TextScore(sum(shown[token].logprob for token, shown in tail if shown), len(more), len(ids))

    @contextlib.asynccontextmanager
    async def _failures(self) -> AsyncIterator[None]:
        """Turns what vLLM raises into what :meth:`generate` says it raises."""
        from vllm.v1.engine.exceptions import EngineDeadError

        # The run that watches `died` stops everything soon; without a watcher a request fails after a while.
        if self.died.is_set():
            await asyncio.sleep(_SECONDS_TO_BE_STOPPED)
            raise self.death()
        try:
            yield
        except EngineDeadError as error:
            self.died.set()
            await asyncio.sleep(_SECONDS_TO_BE_STOPPED)
            raise self.death() from error
        except _client_errors() as error:
            raise ValueError(str(error.args[0]) if error.args else str(error)) from error

    def death(self) -> EngineDied:
        """The error that says why the engine died: the last lines of its log, and where the log is."""
        return EngineDied(
            f"the vLLM engine of {self.settings.checkpoint} died; its last lines:\n"
            f"{log_tail(self.settings.log_file)}\nthe whole log: {self.settings.log_file}\n"
            "what was finished is in the inspect log; the same command with --resume goes on"
        )

    def stop(self) -> None:
        """End the engine's processes and free its memory."""
        with _process_output_to(self.settings.log_file):
            # The engine holds nothing that is not in the log; its orderly end takes 5 s.
            self._llm.shutdown(timeout=0)
        for process in psutil.wait_procs(self._processes, timeout=0.5)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        # Its finalizer shuts down once more, and fails when that is in the interpreter's last moments.
        self._llm.shutdown = lambda timeout=None: None


def _engine_processes() -> list[psutil.Process]:
    """The processes of all engines that this process runs."""
    return [p for p in psutil.Process().children(recursive=True) if p.is_running() and "VLLM" in p.name()]


def log_tail(path: Path, lines: int = _LOG_TAIL_LINES) -> str:
    """The last non-empty lines of a text file, indented; a note when it cannot be read."""
    try:
        text = path.read_text(errors="replace")
    except OSError as error:
        return f"    (no log: {error})"
    return "\n".join(f"    {line}" for line in [t for t in text.splitlines() if t.strip()][-lines:])


def _new_llm(settings: EngineSettings) -> AsyncLLM:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.engine.async_llm import AsyncLLM

    arguments: dict[str, Any] = {
        "model": settings.checkpoint,
        "trust_remote_code": settings.trust_remote_code,
        "disable_log_stats": True,
        **_default_arguments(),
        **(engine_arguments(settings.adapter) if settings.adapter else {}),
        **settings.arguments,
    }
    known = set(AsyncEngineArgs.__dataclass_fields__)
    for name in arguments:
        if name not in known:
            raise RequestError(
                f"-M {name}: vLLM has no engine argument of that name{did_you_mean(name, sorted(known))}"
            )
    return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments), usage_context=UsageContext.LLM_CLASS)


def _on_cpu() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())


def _default_arguments() -> dict[str, Any]:
    common: dict[str, Any] = {
        "seed": 0,
        "enable_log_requests": False,
        # No task has a video; vLLM would keep memory for the longest one, and try one at the start.
        "limit_mm_per_prompt": {"video": 0},
    }
    if _on_cpu():
        # Compilation costs more than it gains on a CPU; 0.92 of the memory (vLLM's default share)
        # is not there when anything else runs.
        return {**common, "enforce_eager": True, "gpu_memory_utilization": 0.3, "dtype": "bfloat16"}
    return common


def _prepare_environment() -> None:
    """Settings vLLM reads from the environment; what the user has set stays."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "INFO")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    # Forking a process that already runs threads (inspect's, torch's) can deadlock.
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    # GiB of key-value cache on a CPU; vLLM would take a share of all memory.
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    # Waiting OpenMP threads otherwise spin, and take the cores from preprocessing.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # The engine's processes end with this one, even when it is killed.
    os.environ[engine_process.MARK] = "1"


@contextlib.contextmanager
def _process_output_to(path: Path) -> Iterator[None]:
    """Send this process's stdout and stderr to a file, so that processes started meanwhile keep it.

    File descriptors are redirected, not ``sys.stdout``: the engine's processes inherit descriptors.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for descriptor, original in zip((1, 2), saved, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def _client_errors() -> tuple[type[Exception], ...]:
    """What vLLM raises for a request that it cannot serve, where that is no ValueError."""
    try:
        from vllm.exceptions import VLLMClientError
    except ImportError:  # an older vLLM, which raises ValueError
        return ()
    return (VLLMClientError,)


def _log_to(path: Path) -> None:
    """Send what vLLM and transformers log in this process to the engine's log, not to the terminal."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(name)s: %(message)s"))
    for name in ("vllm", "transformers"):
        logger = logging.getLogger(name)
        for earlier in logger.handlers:
            if isinstance(earlier, logging.FileHandler):
                earlier.close()
        logger.handlers = [handler]
        logger.propagate = False


def _refused(settings: EngineSettings, error: Exception) -> RequestError:
    return RequestError(
        f"vLLM could not serve {settings.checkpoint}: {error}\n{log_tail(settings.log_file)}\n"
        f"the whole log: {settings.log_file}\n"
        "an architecture that vLLM does not serve may run with --model transformers/<path or id>"
    )


def _sampling_params(config: GenerateConfig) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    given = {
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k,
        "seed": config.seed,
        "stop": config.stop_seqs,
        "max_tokens": config.max_tokens,
        "frequency_penalty": config.frequency_penalty,
        "presence_penalty": config.presence_penalty,
        "logprobs": (config.top_logprobs or 0) if config.logprobs else None,
        **(config.extra_body or {}),
    }
    return SamplingParams(
        # One message per completion instead of one per token.
        output_kind=RequestOutputKind.FINAL_ONLY,
        **{name: value for name, value in given.items() if value is not None},
    )
