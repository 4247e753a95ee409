"""An example as tokens: exactly what the served model is asked, then exactly what it should write.

The prompt is rendered by the checkpoint's chat template, as the server renders it; the completion is what the
template writes for the assistant, up to and including the end token. The two are tokenised apart, as they are
when the model generates. Pictures become tokens through the checkpoint's own processor, once per picture: the
tokens that stand for it are put into each prompt about it, and compared with the processor's own tokens for
the first prompt of every new layout (and for all prompts where they differ).
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.cache import cache_folder
from trainers.data.examples import TrainExample, image_key
from trainers.data.pixels import Arrays, MappedStore, Pixels, PixelStore, sweep
from trainers.machine.watch import Watch
from trainers.models.base import Base
from trainers.recipe import TrainRecipe

Ids = NDArray[np.int64]

# Prepared pictures of past trainings are kept up to so many bytes: at a byte a number a million of the nano's
# (112 px), or three thousand that are cut into 17 tiles of 512 px.
_CACHE_BYTES = 40 * 2**30


@dataclass(frozen=True)
class Encoded:
    """One example as tokens.

    ids: prompt, then completion. prompt_length: how many of them are not trained on. picture: key of its
    pixels, or None. aligned: further inputs with one value per prompt token. images: how many pictures it
    has; cells: numbers in their pixels.
    """

    id: str
    ids: Ids
    prompt_length: int
    picture: str | None = None
    aligned: Mapping[str, Ids] = field(default_factory=dict)
    images: int = 0
    cells: int = 0

    @property
    def trained(self) -> Ids:
        """The tokens that the loss is computed on."""
        return self.ids[self.prompt_length :]

    @property
    def cost(self) -> tuple[int, int]:
        """What decides how long a forward pass takes: pixels, then tokens."""
        return self.cells, len(self.ids)


@dataclass(frozen=True)
class EncodedData:
    """Examples as tokens, and where their pixels are. dropped: id → why an example is not among them."""

    rows: Sequence[Encoded]
    pixels: Pixels
    dropped: Mapping[str, str]


class ExampleEncoder:
    """Turns examples into tokens with a checkpoint's processor and chat template."""

    def __init__(self, processor: Any, *, end_ids: Iterable[int], max_tokens: int) -> None:
        self._processor = processor
        self._tokenizer = getattr(processor, "tokenizer", processor)
        self._end_ids = frozenset(end_ids)
        self._max_tokens = max_tokens
        self._image_token: str | None = getattr(processor, "image_token", None)
        self._own = threading.local()
        self._pieces: dict[str, list[int]] = {}
        self._checked: dict[bytes, bool] = {}

    def texts(self, example: TrainExample) -> tuple[str, str]:
        """The prompt as the server sees it, and the completion with the end token; ValueError otherwise."""
        if not example.completion.strip():
            raise ValueError("the completion is empty")
        messages = chat_messages(example)
        prompt = self._render(messages[:-1], generate=True)
        whole = self._render(messages, generate=False)
        if not whole.startswith(prompt):
            raise ValueError(
                "the chat template writes a conversation with its answer differently from the prompt alone: "
                f"{whole[: len(prompt)][-60:]!r} against {prompt[-60:]!r}; mend chat_template.jinja"
            )
        return prompt, whole[len(prompt) :]

    def encode(
        self,
        examples: Sequence[TrainExample],
        store: PixelStore,
        progress: Callable[[int, int], None] | None = None,
    ) -> EncodedData:
        """All examples that can be trained on; the others are in `dropped`, with the reason."""
        dropped: dict[str, str] = {}
        pixels = store.filled([example.images for example in examples], self._prepared, progress)
        rows: list[Encoded] = []
        for example in examples:
            try:
                row = self._row(example, pixels)
            except ValueError as error:
                dropped[example.id] = str(error)
                continue
            if len(row.ids) > self._max_tokens:
                dropped[example.id] = f"{len(row.ids)} tokens, and {self._max_tokens} are allowed"
            else:
                rows.append(row)
        return EncodedData(rows, pixels, dropped)

    def _render(self, messages: list[dict[str, Any]], *, generate: bool) -> str:
        rendered = self._processor.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=generate
        )
        return str(rendered)

    def _row(self, example: TrainExample, pixels: Pixels) -> Encoded:
        prompt, completion = self.texts(example)
        picture = pixels.key(example.images) if example.images else None
        if picture is not None and pixels.mistakes.get(picture):
            raise ValueError(pixels.mistakes[picture])
        prompt_ids, aligned = self._prompt_ids(example, prompt, picture, pixels)
        completion_ids = self._completion_ids(completion)
        return Encoded(
            example.id,
            np.concatenate([prompt_ids, completion_ids]),
            len(prompt_ids),
            picture,
            aligned,
            len(example.images),
            0 if picture is None else pixels.cells(picture),
        )

    def _completion_ids(self, completion: str) -> Ids:
        """The completion's tokens, up to and including the first end token."""
        ids = self._tokenizer(completion, add_special_tokens=False)["input_ids"]
        end = next((place for place, token in enumerate(ids) if token in self._end_ids), None)
        if end is None:
            raise ValueError(
                "the chat template ends the answer with none of the model's end tokens, so the model would "
                "never learn to stop; mend chat_template.jinja or generation_config.json"
            )
        return np.array(ids[: end + 1], dtype=np.int64)

    def _prompt_ids(
        self, example: TrainExample, prompt: str, picture: str | None, pixels: Pixels
    ) -> tuple[Ids, dict[str, Ids]]:
        if picture is None:
            return np.array(self._piece(prompt), dtype=np.int64), {}
        placeholders = prompt.count(self._image_token) if self._image_token else 0
        if placeholders != len(example.images):
            raise ValueError(
                f"the prompt has {placeholders} places for {len(example.images)} images (is the image token "
                f"{self._image_token!r} in the text?)"
            )
        if placeholders != 1:
            return self._whole(example, prompt)
        tokens = pixels.tokens(picture)
        layout = hashlib.sha256(tokens["input_ids"].tobytes()).digest()
        spliced = self._spliced(prompt, tokens)
        if layout not in self._checked:
            whole = self._whole(example, prompt)
            self._checked[layout] = all(
                np.array_equal(spliced[1].get(name, spliced[0]), value)
                for name, value in {"input_ids": whole[0], **whole[1]}.items()
            )
        return spliced if self._checked[layout] else self._whole(example, prompt)

    def _spliced(self, prompt: str, tokens: Arrays) -> tuple[Ids, dict[str, Ids]]:
        before, _, after = prompt.partition(str(self._image_token))
        left, right = self._piece(before), self._piece(after)
        ids = np.concatenate([left, tokens["input_ids"], right]).astype(np.int64)
        aligned = {
            name: np.concatenate([np.zeros(len(left)), value, np.zeros(len(right))]).astype(np.int64)
            for name, value in tokens.items()
            if name != "input_ids"
        }
        return ids, aligned

    def _piece(self, text: str) -> list[int]:
        if text not in self._pieces:
            if len(self._pieces) > 100_000:  # prompts that differ in every example would fill the memory
                self._pieces.clear()
            self._pieces[text] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._pieces[text]

    def _whole(self, example: TrainExample, prompt: str) -> tuple[Ids, dict[str, Ids]]:
        tokens, _ = self._processed(prompt, example.images)
        return tokens["input_ids"], {name: tokens[name] for name in tokens if name != "input_ids"}

    def _prepared(self, images: tuple[Path, ...]) -> tuple[Arrays, Arrays]:
        """A picture's tokens and pixels, without a text; of several pictures, their pixels."""
        return self._processed(str(self._image_token) * len(images), images)

    def _processed(self, text: str, images: tuple[Path, ...]) -> tuple[Arrays, Arrays]:
        """(values per token, pixels) as the processor makes them; attention over all tokens is left out."""
        if not hasattr(self._own, "processor"):
            # A fast tokenizer used by two threads at once raises "Already borrowed".
            self._own.processor = copy.deepcopy(self._processor)
        made = self._own.processor(
            text=[text],
            images=[[read_image(path) for path in images]],
            return_tensors="np",
            add_special_tokens=False,
        )
        length = made["input_ids"].shape
        tokens: Arrays = {}
        pixels: Arrays = {}
        for name, value in made.items():
            if value.shape == length:
                tokens[name] = np.asarray(value[0], dtype=np.int64)
            else:
                pixels[name] = np.asarray(value)
        tokens.pop("attention_mask", None)
        return tokens, pixels


def encode(recipe: TrainRecipe, examples: Sequence[TrainExample], base: Base, watch: Watch) -> EncodedData:
    """Examples as tokens with their pictures prepared; ValueError when none is left."""
    limit = base.context_length
    if recipe.max_tokens and limit and recipe.max_tokens > limit:
        raise ValueError(f"max_tokens: {recipe.max_tokens} are more than the base's context of {limit}")
    encoder = ExampleEncoder(
        base.processor, end_ids=base.end_ids, max_tokens=recipe.max_tokens or limit or 2**31
    )
    folder = cache_folder("pixels")
    digest = pictures_digest(examples, base.processor_digest)
    store = MappedStore(folder, digest, limit=None if recipe.image.cache else 0)
    made = encoder.encode(examples, store, watch.preparing)
    sweep(folder, _CACHE_BYTES)
    if not made.rows:
        raise ValueError(f"no example can be trained on: {reasons(made.dropped) or 'there are none'}")
    return made


def reasons(dropped: Mapping[str, str]) -> str:
    """Why examples were left out, with counts: numbers in a reason do not make it another."""
    counts: dict[str, int] = {}
    for reason in dropped.values():
        kind = "too long" if reason.endswith("are allowed") else reason
        counts[kind] = counts.get(kind, 0) + 1
    listed = sorted(counts.items(), key=lambda item: -item[1])
    return "; ".join(f"{count} {reason}" for reason, count in listed[:5])


def chat_messages(example: TrainExample) -> list[dict[str, Any]]:
    """An example as chat messages: pictures before the prompt, as the harness asks."""
    content: list[dict[str, Any]] = [{"type": "image"} for _ in example.images]
    content.append({"type": "text", "text": example.prompt})
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if example.system:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": example.system}]})
    messages.append({"role": "assistant", "content": [{"type": "text", "text": example.completion}]})
    return messages


def read_image(path: Path) -> Any:
    """The picture in RGB; ValueError when it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them trip over
        raise ValueError(f"image {path.name} cannot be read: {error}") from None


def pictures_digest(examples: Iterable[TrainExample], processor_digest: str) -> str:
    """Names the prepared pictures of these examples: the processor's settings and the pictures' bytes."""
    keys = sorted({"+".join(map(image_key, example.images)) for example in examples if example.images})
    return hashlib.sha256(json.dumps([processor_digest, keys]).encode()).hexdigest()
