"""Each architecture from training to a score: trained in small, served by the real vLLM, compared, scored.

One engine start per architecture, so one test does it all.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any, Protocol

import pytest

pytest.importorskip("vllm")
torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from inspect_ai import eval_async  # noqa: E402
from inspect_ai.model import (  # noqa: E402 - after the check that there is something to test
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
)
from PIL import Image, ImageDraw  # noqa: E402

from bench.errors import RequestError  # noqa: E402
from bench.running.run import QUIET, named_task  # noqa: E402
from bench.serving.model import ModelRequest, ServedModel, resolve_model  # noqa: E402
from bench.serving.vllm_engine.adapter import engine_arguments  # noqa: E402
from bench.serving.vllm_engine.provider import _chat, _Images  # noqa: E402
from bench.training.training_run import TrainRequest, run_training  # noqa: E402
from results.board.standings import mean_score  # noqa: E402
from results.logs.logged_run import read_run  # noqa: E402
from trainers.models.adapters import merge  # noqa: E402
from trainers.models.video_stand_in import stand_in_for_video  # noqa: E402

pytestmark = pytest.mark.slow

SIZES = ((96, 64), (64, 150), (200, 120))


class RandomCheckpoint(Protocol):
    def __call__(self, architecture: str) -> Path: ...


class Silent:
    def say(self, line: str) -> None: ...

    def preparing(self, done: int, total: int) -> None: ...

    def records(self, done: int, total: int) -> None: ...

    def point(self, point: Any) -> None: ...


def trained(base: Path, folder: Path, **changes: object) -> Path:
    """A checkpoint of three real steps on charts."""
    placed: dict[str, object] = {
        "base.checkpoint": str(base),
        "data.args": {"size": 12, "seed": 0, "charts": "bar,pie"},
        "validation.size": 0,
        "optimizer.learning_rate": 1e-3,
        "batch.size": 4,
        **changes,
    }
    request = TrainRequest("chart_answer_only", placed, out=folder, max_steps=3)
    return run_training(request, Silent()).folder


def pictures() -> list[Image.Image]:
    made = []
    for number, size in enumerate(SIZES):
        picture = Image.new("RGB", size, "white")
        ImageDraw.Draw(picture).rectangle((10, 10, 30 + 10 * number, 50), ("navy", "teal", "maroon")[number])
        made.append(picture)
    return made


def served_ids(
    served: ServedModel, drive: Any, question: str, tokens: int
) -> list[tuple[list[int], list[int]]]:
    """(prompt tokens, completion tokens) of each picture, as the engine has them."""
    assert served.local is not None and served.local.engine is not None
    found = []
    for picture in pictures():
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        uri = f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
        messages = [ChatMessageUser(content=[ContentImage(image=uri), ContentText(text=question)])]
        config = GenerateConfig(temperature=0, max_tokens=tokens)
        request = drive(served.local.engine.generate(_chat(messages, _Images()), config))
        found.append((list(request.prompt_token_ids), list(request.outputs[0].token_ids)))
    return found


def expected_ids(
    base: Path, adapter: Path | None, question: str, tokens: int
) -> list[tuple[list[int], list[int]]]:
    """The same from transformers, in float32."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    stand_in_for_video()
    processor = AutoProcessor.from_pretrained(base)
    model = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32).eval()
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter)).eval()
    content = [{"type": "image"}, {"type": "text", "text": question}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    found = []
    for picture in pictures():
        inputs = processor(text=[text], images=[[picture]], return_tensors="pt")
        with torch.inference_mode():
            ids = model.generate(**inputs, do_sample=False, max_new_tokens=tokens)[0].tolist()
        length = inputs["input_ids"].shape[1]
        found.append((ids[:length], ids[length:]))
    return found


def check_scored(served: ServedModel, drive: Any, logs: Path) -> None:
    """Every sample of a task has a score: random weights write no box, which is wrong and counted as such."""
    task = named_task("chart_vqa", {"size": 4, "charts": "bar", "width": 320, "height": 240})
    [log] = drive(
        eval_async(task, model=served.model, log_dir=str(logs), max_tokens=8, max_samples=4, **QUIET),
        timeout=300,
    )
    run = read_run(log.location)
    score = mean_score(run.outcomes)
    assert (run.status, run.expected, dict(run.unscored)) == ("success", 4, {})
    assert score is not None and (score.n, score.mean) == (4, 0.0)


def check_served(checkpoint: Path, base: Path, adapter: Path | None, drive: Any, tmp_path: Path) -> None:
    """Greedy tokens in vLLM equal those in transformers, picture by picture; and a run gives a score."""
    served = resolve_model(
        ModelRequest(
            str(checkpoint),
            arguments={"max_num_seqs": 4, "dtype": "float32", "max_model_len": 1024},
            log_file=tmp_path / "engine.log",
        )
    )
    assert served.local is not None
    drive(served.local.start(), timeout=580)
    try:
        found = served_ids(served, drive, "How many bars?", 16)
        assert found == expected_ids(base, adapter, "How many bars?", 16)
        # Pictures differ, so a picture that got lost would show.
        assert len({tuple(completion) for _, completion in found}) > 1
        check_scored(served, drive, tmp_path / "logs")
    finally:
        drive(served.model.api.aclose())


@pytest.mark.engine
def test_smolvlm2_trained_in_full(random_checkpoint: RandomCheckpoint, drive: Any, tmp_path: Path) -> None:
    checkpoint = trained(random_checkpoint("smolvlm2"), tmp_path / "checkpoint")
    check_served(checkpoint, checkpoint, None, drive, tmp_path)


@pytest.mark.engine
def test_qwen2_5_vl_as_an_adapter_on_its_base(
    random_checkpoint: RandomCheckpoint, drive: Any, tmp_path: Path
) -> None:
    base = random_checkpoint("qwen2_5_vl")
    adapter = trained(base, tmp_path / "adapter", adapter={"kind": "lora", "r": 8, "alpha": 64})
    check_served(adapter, base, adapter, drive, tmp_path)


@pytest.mark.engine
def test_llava_next_as_a_merged_dora(random_checkpoint: RandomCheckpoint, drive: Any, tmp_path: Path) -> None:
    base = random_checkpoint("llava_next")
    adapter = trained(base, tmp_path / "adapter", adapter={"kind": "dora", "r": 8, "alpha": 64})
    merged = merge(adapter, base, tmp_path / "merged")
    check_served(merged, base, adapter, drive, tmp_path)


def test_an_adapter_that_vllm_does_not_serve_is_refused_before_the_engine_starts(
    random_checkpoint: RandomCheckpoint, tmp_path: Path
) -> None:
    base = random_checkpoint("idefics3")
    adapter = trained(base, tmp_path / "adapter", adapter={"kind": "dora", "r": 8, "alpha": 8})
    with pytest.raises(RequestError, match=r"does not yet support DoRA.*bench merge"):
        engine_arguments(str(adapter))
