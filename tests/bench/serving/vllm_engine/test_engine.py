"""The provider over the real vLLM: what comes back, and that it is what the checkpoint says."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import psutil
import pytest
from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    ModelOutput,
)
from PIL import Image

from bench.errors import IncompleteRunError, RequestError
from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from bench.serving.checkpoint import find_checkpoint
from bench.serving.model import ModelRequest, ServedModel, resolve_model
from bench.serving.vllm_engine.engine import EngineSettings, _new_llm
from bench.serving.vllm_engine.provider import _chat, _Images
from results.logs.logged_run import read_run
from tasks.chart_vqa.records import charts

pytest.importorskip("vllm")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

GREEDY = GenerateConfig(temperature=0, max_tokens=24)


@pytest.fixture(scope="module")
def questions() -> list[tuple[Path, str]]:
    records = charts("test", size=12, seed=3, workers=1)
    return [(Path(str(record["image"])), str(record["question"])) for record in records]


def asked(image: Path, question: str) -> list[ChatMessage]:
    return [
        ChatMessageSystem(content="Answer briefly."),
        ChatMessageUser(content=[ContentImage(image=data_uri(image)), ContentText(text=question)]),
    ]


def data_uri(image: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()}"


def complete(
    served: ServedModel, drive: Any, messages: list[ChatMessage] | str, config: GenerateConfig = GREEDY
) -> ModelOutput:
    if isinstance(messages, str):
        messages = [ChatMessageUser(content=messages)]
    output: ModelOutput = drive(served.model.api.generate(messages, [], "none", config))
    return output


def token_ids(served: ServedModel, drive: Any, image: Path, question: str) -> tuple[list[int], list[int]]:
    """(prompt tokens, completion tokens) as the engine has them."""
    assert served.local is not None
    chat = _chat(asked(image, question), _Images())
    assert served.local.engine is not None
    request = drive(served.local.engine.generate(chat, GREEDY))
    return list(request.prompt_token_ids), list(request.outputs[0].token_ids)


class Reference:
    """The same checkpoint in transformers, in float32."""

    def __init__(self, checkpoint: Path, adapter: Path | None = None) -> None:
        from transformers import AutoProcessor, Idefics3ForConditionalGeneration

        self.processor = AutoProcessor.from_pretrained(checkpoint)
        self.model = Idefics3ForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
        if adapter is not None:
            from peft import PeftModel

            self.model = PeftModel.from_pretrained(self.model, adapter).merge_and_unload().eval()

    def token_ids(self, image: Path, question: str) -> tuple[list[int], list[int]]:
        messages = [
            {"role": "system", "content": "Answer briefly."},
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]},
        ]
        text = self.processor.apply_chat_template(messages, add_generation_prompt=True)
        with Image.open(image) as picture:
            inputs = self.processor(text=text, images=[picture.convert("RGB")], return_tensors="pt")
        with torch.inference_mode():
            ids = self.model.generate(**inputs, do_sample=False, max_new_tokens=24)[0].tolist()
        prompt = inputs["input_ids"].shape[1]
        return ids[:prompt], ids[prompt:]


@pytest.fixture(scope="module")
def reference(tiny_checkpoint: Path) -> Reference:
    return Reference(tiny_checkpoint)


def test_a_completion_has_text_usage_and_the_reason_it_ended(served: ServedModel, drive: Any) -> None:
    output = complete(served, drive, "How many bars are there?", GenerateConfig(temperature=0, max_tokens=8))
    assert output.stop_reason == "max_tokens"
    assert output.usage is not None
    assert output.usage.output_tokens == 8
    assert output.usage.input_tokens > 8
    assert output.usage.total_tokens == output.usage.input_tokens + 8
    assert output.completion
    assert output.time is not None


def test_a_stop_text_ends_the_completion_before_it(served: ServedModel, drive: Any) -> None:
    whole = complete(served, drive, "Count.").completion
    middle = whole[len(whole) // 2 :][:3]
    output = complete(served, drive, "Count.", GREEDY.merge(GenerateConfig(stop_seqs=[middle])))
    assert output.stop_reason == "stop"
    assert output.completion == whole[: whole.index(middle)]


def test_a_seed_reproduces_a_sampled_completion(served: ServedModel, drive: Any) -> None:
    def sampled(seed: int) -> str:
        config = GenerateConfig(temperature=1.0, top_p=0.95, top_k=200, seed=seed, max_tokens=24)
        return complete(served, drive, "Say something.", config).completion

    assert sampled(1) == sampled(1)
    assert sampled(1) != sampled(2)


def test_a_seed_draws_the_same_in_any_company(
    served: ServedModel, drive: Any, questions: list[tuple[Path, str]]
) -> None:
    """Long prompts together are read in several steps, which seeds on a CPU do not survive in vLLM alone."""
    prompts = [asked(image, f"{question} " * 40) for image, question in questions]

    def drawing(seed: int) -> GenerateConfig:
        return GenerateConfig(temperature=1, top_p=0.9, seed=seed, max_tokens=16)

    async def all_at_once() -> list[ModelOutput]:
        api = served.model.api
        made: list[Any] = await asyncio.gather(
            *(api.generate(prompt, [], "none", drawing(place)) for place, prompt in enumerate(prompts))
        )
        return made

    together = [output.completion for output in drive(all_at_once())]
    alone = [complete(served, drive, one, drawing(place)).completion for place, one in enumerate(prompts)]
    assert together == alone
    assert len(set(together)) > len(prompts) // 2


def test_logprobs_come_for_every_token(served: ServedModel, drive: Any) -> None:
    config = GREEDY.merge(GenerateConfig(logprobs=True, top_logprobs=3))
    logprobs = complete(served, drive, "Count.", config).choices[0].logprobs
    assert logprobs is not None
    assert len(logprobs.content) == 24
    for token in logprobs.content:
        assert token.logprob <= 0
        assert token.top_logprobs is not None
        assert len(token.top_logprobs) == 3
        # Greedy: the token taken is the likeliest one.
        assert token.top_logprobs[0].logprob == token.logprob
    assert complete(served, drive, "Count.").choices[0].logprobs is None


def test_prompts_and_greedy_completions_equal_transformers(
    served: ServedModel, drive: Any, reference: Reference, questions: list[tuple[Path, str]]
) -> None:
    for image, question in questions:
        prompt, completion = token_ids(served, drive, image, question)
        expected_prompt, expected_completion = reference.token_ids(image, question)
        assert prompt == expected_prompt
        assert completion == expected_completion


def test_different_pictures_give_different_completions(
    served: ServedModel, drive: Any, tmp_path: Path
) -> None:
    """A provider that lost the picture, or mixed two up, would still pass every test of text."""
    config = GREEDY.merge(GenerateConfig(logprobs=True))
    seen = set()
    for colour in ("white", "black", "red", "white"):
        Image.new("RGB", (112, 84), colour).save(tmp_path / "plain.png")
        output = complete(served, drive, asked(tmp_path / "plain.png", "Colour?"), config)
        assert output.choices[0].logprobs is not None
        seen.add(output.choices[0].logprobs.content[0].logprob)
    assert len(seen) == 3


def test_many_requests_at_once_give_what_each_gives_alone(
    served: ServedModel, drive: Any, questions: list[tuple[Path, str]]
) -> None:
    async def together() -> list[ModelOutput]:
        return await asyncio.gather(
            *(served.model.api.generate(asked(*q), [], "none", GREEDY) for q in questions * 6)  # type: ignore[arg-type]
        )

    outputs = drive(together())
    alone = [complete(served, drive, asked(*question)).completion for question in questions]
    assert [output.completion for output in outputs] == alone * 6


def test_questions_about_one_picture_may_overtake_each_other(served: ServedModel, drive: Any) -> None:
    # vLLM's sender cache drops one request in about sixty here: it fails whatever comes before its picture.
    pictures = sorted({Path(str(record["image"])) for record in charts("train", size=240, seed=11)})[:60]

    async def together() -> list[ModelOutput]:
        api = served.model.api
        return await asyncio.gather(
            *(
                api.generate(asked(picture, f"Question {n}?"), [], "none", GenerateConfig(max_tokens=4))
                for picture in pictures
                for n in range(3)
            )
        )

    outputs = drive(together())
    assert len(outputs) == 3 * len(pictures)
    assert {output.stop_reason for output in outputs} <= {"max_tokens", "stop"}


def test_a_prompt_over_the_context_is_refused_with_both_lengths(served: ServedModel, drive: Any) -> None:
    with pytest.raises(ValueError, match=r"2048") as refused:
        complete(served, drive, "7 " * 3000)
    assert "\n" not in str(refused.value)
    assert "input tokens" in str(refused.value)


def test_a_picture_that_breaks_off_is_refused(served: ServedModel, drive: Any, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(buffer, "PNG")
    (tmp_path / "half.png").write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(ValueError, match="the image cannot be decoded"):
        complete(served, drive, asked(tmp_path / "half.png", "What?"))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK"])
def test_pictures_of_every_mode_are_served(
    served: ServedModel, drive: Any, tmp_path: Path, mode: str
) -> None:
    file = tmp_path / ("picture.tiff" if mode == "CMYK" else "picture.png")
    Image.new("RGB", (50, 40), "red").convert(mode).save(file)
    assert complete(served, drive, asked(file, "Colour?")).usage is not None


def test_an_unknown_engine_argument_is_refused_with_the_near_one(tiny_checkpoint: Path) -> None:
    settings = EngineSettings(str(tiny_checkpoint), arguments={"max_num_seq": 3})
    with pytest.raises(RequestError, match=r"max_num_seq.*did you mean 'max_num_seqs'"):
        _new_llm(settings)


def test_folders_that_hold_no_model_are_refused(tmp_path: Path, tiny_checkpoint: Path) -> None:
    with pytest.raises(RequestError, match=r"neither config.json"):
        resolve_model(ModelRequest(str(tmp_path)))
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "./gone", "r": 4}')
    with pytest.raises(RequestError, match="gone"):
        resolve_model(ModelRequest(str(tmp_path)))
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(RequestError, match=r"adapter_config\.json"):
        resolve_model(ModelRequest(str(tmp_path)))
    with pytest.raises(RequestError, match="give the folder"):
        resolve_model(ModelRequest(str(tiny_checkpoint / "config.json")))


@pytest.fixture(scope="module")
def adapter(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter on the text model whose B is not 0, as after training."""
    from peft import LoraConfig, get_peft_model
    from transformers import Idefics3ForConditionalGeneration

    base = Idefics3ForConditionalGeneration.from_pretrained(tiny_checkpoint, dtype=torch.float32)
    config = LoraConfig(
        r=4, target_modules=r".*text_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|down_proj)"
    )
    model = get_peft_model(base, config)
    generator = torch.Generator().manual_seed(5)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            weights.data.copy_(torch.randn(weights.shape, generator=generator) * 0.2)
    folder = tmp_path_factory.mktemp("adapters") / "lora"
    model.save_pretrained(folder)
    return folder


def engine_processes() -> set[psutil.Process]:
    """vLLM's processes below this one."""
    below = psutil.Process().children(recursive=True)
    return {process for process in below if "VLLM" in " ".join(process.cmdline())}


def test_an_adapter_is_served_as_its_merged_model_would_be_until_its_engine_dies(
    served: ServedModel,
    drive: Any,
    quiet: Any,
    tiny_checkpoint: Path,
    adapter: Path,
    questions: list[tuple[Path, str]],
    tmp_path: Path,
) -> None:
    """One engine for both, started by its first request: a run that loses it ends at once and says why."""
    assert find_checkpoint(str(adapter)).folder == tiny_checkpoint
    merged = Reference(tiny_checkpoint, adapter)
    with_adapter = resolve_model(
        ModelRequest(
            str(adapter),
            arguments={"max_num_seqs": 4, "dtype": "float32"},
            log_file=tmp_path / "engine.log",
        )
    )
    assert with_adapter.identity()["weights_digest"] != served.identity()["weights_digest"]
    others = engine_processes()
    try:
        complete(with_adapter, drive, "How many bars are there?")
        for image, question in questions[:4]:
            prompt, completion = token_ids(with_adapter, drive, image, question)
            assert (prompt, completion) == merged.token_ids(image, question)
            assert completion != token_ids(served, drive, image, question)[1]

        own = engine_processes() - others
        (core,) = (process for process in own if "EngineCore" in " ".join(process.cmdline()))
        asked = RunRequest(
            tasks=("chart_vqa",), models=(with_adapter.name,), log_dir=tmp_path / "logs", max_tokens=120,
            dataset_args={"size": 32, "workers": 1},
        )  # fmt: skip

        async def lose_it() -> IncompleteRunError:
            task = named_task("chart_vqa", asked.dataset_args)
            running = asyncio.ensure_future(run_one(asked, task, with_adapter, quiet))
            while quiet.advanced < 4 and not running.done():
                await asyncio.sleep(0.005)
            core.kill()
            with pytest.raises(IncompleteRunError) as ended:
                await asyncio.wait_for(running, 30)
            return ended.value

        ended = drive(lose_it())
        assert ended.exit_code == 4
        for said in ("died; its last lines:", str(tmp_path / "engine.log"), "--resume"):
            assert said in str(ended)
        assert not psutil.wait_procs(list(own), timeout=20)[1]
    finally:
        drive(with_adapter.model.api.aclose())
    # What was finished is on disk, in the log or in the journal beside it.
    (log,) = (tmp_path / "logs").glob("*.eval")
    part = read_run(log)
    assert (part.status, part.expected) == ("cancelled", 32)
    (journal,) = (tmp_path / "logs" / ".journal").iterdir()
    assert 4 <= sum(1 for line in journal.read_text().splitlines() if line) < 32
