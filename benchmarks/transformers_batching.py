"""Samples per second of the transformers provider: requests in batches against one by one.

    python benchmarks/transformers_batching.py [--samples 32] [--batch-size 8] [--tokens 32] [--repeats 5]
                                               [--model FOLDER] [--device cpu]

Both contenders answer the same picture questions greedily, loaded once in one process; they take turns, so
that a machine that slows down slows both. `one by one` awaits each answer before the next question and waits
for no batch. That both gave the same texts is checked, and said when it is not so. The model is the untrained
nano unless another is given.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).parent.parent))

from inspect_ai.model import ChatMessage, ChatMessageUser, ContentImage, ContentText, GenerateConfig
from PIL import Image, ImageDraw

from bench.serving.transformers_engine.provider import TransformersAPI
from trainers.models.untrained_nano import write_untrained


def questions(count: int) -> list[list[ChatMessage]]:
    """Questions of different lengths, each about a bar chart of its own."""
    chats: list[list[ChatMessage]] = []
    for number in range(count):
        image = Image.new("RGB", (224, 160), "white")
        draw = ImageDraw.Draw(image)
        for bar in range(4):
            draw.rectangle((20 + 50 * bar, 20 + (number * (bar + 3)) % 120, 50 + 50 * bar, 150), fill="navy")
        buffer = io.BytesIO()
        image.save(buffer, format="PNG")
        uri = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
        text = "How many bars are higher than the first? " * (1 + number % 3)
        chats.append([ChatMessageUser(content=[ContentImage(image=uri), ContentText(text=text)])])
    return chats


async def measure(api: TransformersAPI, chats: list[list[ChatMessage]], tokens: int, together: bool) -> Run:
    """Answer all questions, at once or each after the other."""
    config = GenerateConfig(max_tokens=tokens, temperature=0)
    began = time.perf_counter()
    if together:
        answers = await asyncio.gather(*(api.generate(chat, [], "none", config) for chat in chats))
    else:
        answers = [await api.generate(chat, [], "none", config) for chat in chats]
    return len(chats) / (time.perf_counter() - began), [answer.completion for answer in answers]


Run = tuple[float, list[str]]


async def main() -> None:
    """Parse arguments, alternate the contenders, print medians and the median of the pairs' ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--device")
    given = parser.parse_args()
    chats = questions(given.samples)
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(given.model or write_untrained(Path(scratch) / "nano"))
        batched = TransformersAPI(folder, device=given.device, batch_size=given.batch_size)
        single = TransformersAPI(folder, device=given.device, batch_size=1, max_wait=0)
        rates: dict[bool, list[float]] = {True: [], False: []}
        different = 0
        for api in (batched, single):
            await measure(api, chats[: given.batch_size], given.tokens, together=True)
        for _ in range(given.repeats):
            together, texts = await measure(batched, chats, given.tokens, together=True)
            alone, texts_alone = await measure(single, chats, given.tokens, together=False)
            rates[True].append(together)
            rates[False].append(alone)
            different = sum(a != b for a, b in zip(texts, texts_alone, strict=True))
        print(
            f"device {batched.device}, dtype {batched.dtype}, {given.tokens} tokens, {given.repeats} repeats"
        )
        batched.close()
        single.close()
    print(f"{'':<16}{'samples/s':>10}{'min':>8}{'max':>8}")
    for name, values in ((f"batches of {given.batch_size}", rates[True]), ("one by one", rates[False])):
        print(f"{name:<16}{statistics.median(values):>10.1f}{min(values):>8.1f}{max(values):>8.1f}")
    ratio = statistics.median(a / b for a, b in zip(rates[True], rates[False], strict=True))
    print(f"ratio {ratio:.2f}; different texts: {different} of {len(chats)}")


if __name__ == "__main__":
    asyncio.run(main())
