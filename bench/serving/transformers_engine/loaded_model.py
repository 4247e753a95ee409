"""A model that transformers runs: chats in, completions or likelihoods out, in batches.

What a checkpoint's generation_config.json says about sampling and penalties is not used, as in our vLLM
engine: the task's settings decide. Its end tokens are.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inspect_ai.model import ChatMessage, ContentImage, ContentText

from bench.serving.continuation import spaced
from bench.serving.message_pictures import decoded_picture
from bench.serving.transformers_engine.text_scores import blank_picture, causal_score, masked_score
from solvers.option_likelihood import TextScore

if TYPE_CHECKING:
    import torch

_LOG = logging.getLogger(__name__)
MAX_TOKENS = 2048
"""What a request without a limit may generate."""
# What a checkpoint's generation_config.json may say about choosing tokens; set back to "not said".
_CHOOSING = (
    "do_sample",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "num_beams",
    "num_return_sequences",
    "length_penalty",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "max_length",
    "max_new_tokens",
    "min_length",
    "min_new_tokens",
)

Chat = list[dict[str, Any]]


@dataclass(frozen=True)
class Settings:
    """How a request's tokens are chosen, and when it ends."""

    max_tokens: int = MAX_TOKENS
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether tokens are drawn; otherwise the likeliest is taken."""
        return self.temperature > 0


@dataclass(frozen=True)
class Completion:
    """One completed request; tokens are counted without padding."""

    text: str
    input_tokens: int
    output_tokens: int
    ended: bool
    seconds: float
    tokens: tuple[int, ...] = ()


class LoadedModel:
    """A model with its processor on a device: chats in, completions out. For one thread at a time."""

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self.model = model
        self.device = device
        self._processor = processor
        # A text-only checkpoint has a tokenizer where others have a processor around one.
        self._takes_pictures = hasattr(processor, "tokenizer")
        self._tokenizer = processor.tokenizer if self._takes_pictures else processor
        self._tokenizer.padding_side = "left"
        self._template = getattr(processor, "chat_template", None) or self._tokenizer.chat_template
        config = model.config.get_text_config()
        self.context: int | None = getattr(config, "max_position_embeddings", None)
        self._end_tokens = _end_tokens(model, self._tokenizer)
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token_id = min(self._end_tokens, default=0)
        # Rotary positions count from token to token, so padding before them changes nothing. Others may count
        # it (KOSMOS-2 does, from the second new token on), and only prompts of one length share a batch.
        self._shifts = any("rotary" in name for name, _ in model.named_modules())
        # An encoder with a masked-language-model head scores texts and writes none.
        self.generates: bool = model.can_generate()
        if not self.generates:
            return
        for name in _CHOOSING:
            setattr(model.generation_config, name, None)
        model.generation_config.eos_token_id = sorted(self._end_tokens) or None
        model.generation_config.pad_token_id = self._tokenizer.pad_token_id

    @property
    def dtype(self) -> str:
        """The numeric type of the weights, such as ``bfloat16``."""
        return str(self.model.dtype).removeprefix("torch.")

    def chat(self, messages: Sequence[ChatMessage]) -> Chat:
        """Messages in the form of the checkpoint's template; ValueError for a part it cannot take."""
        chat: Chat = []
        for message in messages:
            parts: list[dict[str, Any]] = []
            for content in [ContentText(text=message.text)] if _is_text(message) else message.content:
                if isinstance(content, ContentText):
                    parts.append({"type": "text", "text": content.text})
                elif isinstance(content, ContentImage) and self._takes_pictures:
                    parts.append({"type": "image", "image": decoded_picture(content.image)})
                elif isinstance(content, ContentImage):
                    raise ValueError("the model reads no images: its checkpoint has no image processor")
                else:
                    kind = content if isinstance(content, str) else content.type
                    raise ValueError(f"a message part of type {kind!r} cannot be sent to transformers")
            # Templates of processors go through a list of parts, those of tokenizers want one text.
            chat.append({"role": message.role, "content": parts if self._takes_pictures else _text_of(parts)})
        return chat

    def completions(
        self, chats: Sequence[Chat], settings: Settings, abandoned: Callable[[], bool]
    ) -> list[Completion | Exception]:
        """A completion for each chat, in their order, or the ValueError that says why there is none.

        A chat that cannot be served does not touch the others; when memory runs out, halves are tried,
        down to single chats. Between two tokens `abandoned` is asked whether to give up.
        """
        if abandoned():
            return [ValueError("the request was given up") for _ in chats]
        if not self.generates:
            said = (
                "the model is an encoder, which scores texts and writes none; add --solver option_likelihood"
            )
            return [ValueError(said) for _ in chats]
        everyone = list(range(len(chats)))
        out_of_memory = False
        try:
            started = time.perf_counter()
            inputs = self._inputs(chats)
            lengths = _lengths(inputs)
            fitting = [i for i in everyone if self.context is None or lengths[i] < self.context]
            if len(fitting) == len(chats) and (self._shifts or len(set(lengths)) == 1):
                return self._generated(chats, inputs, settings, abandoned, started)
            if len(chats) == 1:
                return [ValueError(f"the prompt has {lengths[0]} tokens, the model's context {self.context}")]
            together = [fitting] if self._shifts else _equal(fitting, lengths)
            parts = [*together, *([i] for i in everyone if i not in fitting)]
        except Exception as error:  # processors and models raise whatever a request makes them trip over
            out_of_memory = _is_out_of_memory(error)
            if len(chats) == 1:
                if not out_of_memory:
                    return [ValueError(f"the request cannot be served: {error}")]
                return [ValueError(f"the request does not fit into the memory of {self.device}")]
            half = len(chats) // 2
            parts = [everyone[:half], everyone[half:]] if out_of_memory else [[i] for i in everyone]
        # Outside of the except clause: the traceback held the tensors that filled the memory.
        inputs = {}
        if out_of_memory:
            _LOG.warning("a batch of %d ran out of memory and is halved; lower -M batch_size", len(chats))
            free_memory()
        answers: dict[int, Completion | Exception] = {}
        for part in parts:
            if part:
                answered = self.completions([chats[i] for i in part], settings, abandoned)
                answers.update(zip(part, answered, strict=True))
        return [answers[i] for i in everyone]

    def text_scores(self, chats: Sequence[Chat], texts: Sequence[str]) -> list[TextScore | Exception]:
        """The log-probability of each text as the answer to its chat, in their order, or why it has none."""
        try:
            score = self._causal_scores if self.generates else self._masked_scores
            return list(score(chats, texts))
        except Exception as error:  # processors and models raise whatever a request makes them trip over
            if len(chats) == 1 and (_pictures_of(chats[0]) or not self._takes_pictures):
                return [ValueError(f"the request cannot be served: {error}")]
        if len(chats) == 1:
            # Some models (KOSMOS-2) cannot do without a picture; there the prior is that of a blank one.
            return self.text_scores([_with_blank_picture(chats[0])], texts)
        free_memory()
        pairs = zip(chats, texts, strict=True)
        return [one for chat, text in pairs for one in self.text_scores([chat], [text])]

    def _causal_scores(self, chats: Sequence[Chat], texts: Sequence[str]) -> list[TextScore]:
        import torch

        # The options of a question share its chat, whose tokens are needed once.
        distinct = list({id(chat): chat for chat in chats}.values())
        prompts = dict(zip(map(id, distinct), _rows(self._inputs(distinct, "right")), strict=True))
        answered = [
            [*chat[:-1], {**chat[-1], "continuation": spaced(self._prompt(chat), text)}]
            for chat, text in zip(chats, texts, strict=True)
        ]
        # Padded on the right: a plain forward pass counts positions from the first token, padding or not.
        inputs = self._inputs(answered, "right")
        with torch.inference_mode():
            logits = self.model(**inputs).logits
        return [
            causal_score(logits[row], ids, prompts[id(chat)], self._end_tokens)
            for row, (ids, chat) in enumerate(zip(_rows(inputs), chats, strict=True))
        ]

    def _masked_scores(self, chats: Sequence[Chat], texts: Sequence[str]) -> list[TextScore]:
        scores = []
        for chat, text in zip(chats, texts, strict=True):
            pictures = _pictures_of(chat) or [blank_picture()]
            pixels = self._processor.image_processor(images=pictures[:1], return_tensors="pt")
            placed = {name: self._placed(value) for name, value in pixels.items()}
            prompt = self._prompt(chat)
            scores.append(masked_score(self.model, self._tokenizer, placed, prompt, text, self.device))
        return scores

    def _prompt(self, chat: Chat) -> str:
        """The text of a chat's prompt."""
        if not self._template:
            return "\n".join(_text_of(message["content"]) for message in chat)
        return str(
            self._processor.apply_chat_template(
                chat, chat_template=self._template, add_generation_prompt=True, tokenize=False
            )
        )

    def _inputs(self, chats: Sequence[Chat], padding_side: str = "left") -> dict[str, Any]:
        """The tensors of a batch, on the device, floating ones in the model's numeric type.

        A chat's last message may have a `continuation`: the beginning of its answer.
        """
        options = {"return_tensors": "pt", "padding": True}
        # Not as an argument: KOSMOS-2's processor pads by what its tokenizer says.
        self._tokenizer.padding_side = padding_side
        template = self._template
        if template and "continuation" in chats[0][-1]:
            template = template.removesuffix("\n") + "{{ messages[-1]['continuation'] }}"
        if not template:
            texts = [self._prompt(chat) + chat[-1].get("continuation", "") for chat in chats]
            pictures = [_pictures_of(chat) for chat in chats]
            arguments = {"images": pictures} if any(pictures) else {}
            encoded = self._processor(text=texts, **arguments, **options)
        elif self._takes_pictures:
            encoded = self._processor.apply_chat_template(
                list(chats),
                chat_template=template,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                processor_kwargs=options,
            )
        else:
            encoded = self._processor.apply_chat_template(
                list(chats),
                chat_template=template,
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                **options,
            )
        return {name: self._placed(value) for name, value in encoded.items()}

    def _placed(self, value: Any) -> Any:
        if not hasattr(value, "is_floating_point"):
            return value
        return value.to(self.device, self.model.dtype if value.is_floating_point() else None)

    def _generated(
        self,
        chats: Sequence[Chat],
        inputs: dict[str, Any],
        settings: Settings,
        abandoned: Callable[[], bool],
        started: float,
    ) -> list[Completion | Exception]:
        import torch

        lengths = _lengths(inputs)
        # The longest prompt has the least room; a completion that this cuts short is made again below.
        rooms = [settings.max_tokens if self.context is None else self.context - n for n in lengths]
        max_new = min(settings.max_tokens, *rooms)
        watch = _Watch(self._tokenizer, settings.stop, abandoned)
        with torch.inference_mode(), _drawing_from(settings.seed if settings.sampled else None):
            sequences = self.model.generate(
                **inputs, **_choosing(settings), max_new_tokens=max_new, stopping_criteria=[watch]
            )
        seconds = time.perf_counter() - started
        answers: list[Completion | Exception] = []
        for row, tokens in enumerate(sequences[:, watch.start :].tolist()):
            completion = self._completion(tokens, watch.stopped.get(row), settings, lengths[row], seconds)
            if not completion.ended and max_new < min(settings.max_tokens, rooms[row]):
                answers += self.completions([chats[row]], settings, abandoned)
            else:
                answers.append(completion)
        return answers

    def _completion(
        self, tokens: list[int], stopped: int | None, settings: Settings, input_tokens: int, seconds: float
    ) -> Completion:
        ends = (number for number, token in enumerate(tokens, 1) if token in self._end_tokens)
        end = min(next(ends, len(tokens) + 1), stopped or len(tokens) + 1)
        tokens = tokens[:end]
        text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        cut = min((at for stop in settings.stop if (at := text.find(stop)) >= 0), default=None)
        ended = end == len(tokens) or cut is not None
        return Completion(text[:cut], input_tokens, len(tokens), ended, seconds, tuple(tokens))


class _Watch:
    """A stopping criterion of one ``generate`` call: stop strings, and giving up.

    start: where the new tokens begin in the sequences, known from its first call (it differs between
    architectures). stopped: row → number of new tokens when a stop string was first complete.
    """

    def __init__(self, tokenizer: Any, stop: tuple[str, ...], abandoned: Callable[[], bool]) -> None:
        self.start = -1
        self.stopped: dict[int, int] = {}
        self._tokenizer = tokenizer
        self._stop = stop
        self._abandoned = abandoned
        # A character is at most four bytes, and a token at least one, but for a few special ones.
        self._tail = 4 * max(map(len, stop), default=0) + 8

    def __call__(self, sequences: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        import torch

        rows, width = sequences.shape
        if self.start < 0:
            self.start = width - 1
        done = torch.full((rows,), self._abandoned(), device=sequences.device, dtype=torch.bool)
        if self._stop:
            tails = sequences[:, max(self.start, width - self._tail) :].tolist()
            for row, text in enumerate(self._tokenizer.batch_decode(tails, skip_special_tokens=True)):
                if row not in self.stopped and any(stop in text for stop in self._stop):
                    self.stopped[row] = width - self.start
            done[list(self.stopped)] = True
        return done


def free_memory() -> None:
    """Give back what is no longer referenced, on the accelerator too."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextlib.contextmanager
def _drawing_from(seed: int | None) -> Iterator[None]:
    """Draw from a generator with this seed, and leave torch's own as it was.

    ``generate`` takes no generator, so torch's is set; nothing else draws in the batches' thread.
    """
    import torch

    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def _choosing(settings: Settings) -> dict[str, Any]:
    if not settings.sampled:
        return {"do_sample": False}
    return {
        "do_sample": True,
        "temperature": settings.temperature,
        "top_p": 1.0 if settings.top_p is None else settings.top_p,
        # 0 turns it off; None would be transformers' default of 50. -1 is how vLLM says off.
        "top_k": max(settings.top_k or 0, 0),
    }


def _rows(inputs: dict[str, Any]) -> list[list[int]]:
    """Each row's tokens without the padding on its right."""
    rows: list[list[int]] = inputs["input_ids"].tolist()
    return [row[:length] for row, length in zip(rows, _lengths(inputs), strict=True)]


def _lengths(inputs: dict[str, Any]) -> list[int]:
    mask = inputs.get("attention_mask")
    if mask is None:
        rows, width = inputs["input_ids"].shape
        return [width] * rows
    lengths: list[int] = mask.sum(dim=1).tolist()
    return lengths


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokenizer's end token and those the checkpoint's generation_config.json names, as vLLM has it."""
    named = model.generation_config.eos_token_id if model.can_generate() else tokenizer.sep_token_id
    ends = named if isinstance(named, list) else [named]
    return frozenset(end for end in (*ends, tokenizer.eos_token_id) if end is not None)


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (
        # What the CPU's allocator says.
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def _is_text(message: ChatMessage) -> bool:
    return isinstance(message.content, str)


def _equal(members: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """The members in groups of equal length."""
    groups: dict[int, list[int]] = {}
    for member in members:
        groups.setdefault(lengths[member], []).append(member)
    return list(groups.values())


def _with_blank_picture(chat: Chat) -> Chat:
    parts = chat[-1]["content"]
    return [*chat[:-1], {**chat[-1], "content": [{"type": "image", "image": blank_picture()}, *parts]}]


def _text_of(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def _pictures_of(chat: Chat) -> list[Any]:
    """The pictures of a chat that is made of parts, in their order."""
    return [
        part["image"]
        for message in chat
        if not isinstance(message["content"], str)
        for part in message["content"]
        if part["type"] == "image"
    ]
