"""The transformers provider on a tiny random Idefics3: batching must not show in what is answered."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentText,
    GenerateConfig,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
from inspect_ai.util._display import init_display_type
from PIL import Image, ImageDraw

from bench.errors import RequestError
from bench.serving.transformers_engine.provider import TransformersAPI

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.slow

GREEDY = GenerateConfig(max_tokens=16, temperature=0)
COLOURS = ("red", "blue", "green", "black")


def picture(number: int, side: int = 40) -> Image.Image:
    image = Image.new("RGB", (side + 5 * number, side), "white")
    ImageDraw.Draw(image).rectangle((4, 4, 10 + 4 * number, 30), fill=COLOURS[number % 4])
    return image


def data_uri(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def question(text: str, *images: str) -> list[ChatMessage]:
    content: list[Content] = [*(ContentImage(image=image) for image in images), ContentText(text=text)]
    return [ChatMessageUser(content=content)]


def questions(count: int = 8) -> list[list[ChatMessage]]:
    """Prompts of different lengths, each about a picture of its own."""
    return [question("What is it? " * (i + 1), data_uri(picture(i))) for i in range(count)]


def ask(
    api: TransformersAPI, chats: Sequence[list[ChatMessage]], *configs: GenerateConfig
) -> list[ModelOutput | BaseException]:
    """Ask at once, in an event loop of its own; one config for all, or one each."""
    each = configs * len(chats) if len(configs) == 1 else configs

    async def main() -> list[ModelOutput | BaseException]:
        return await asyncio.gather(
            *(api.generate(chat, [], "none", config) for chat, config in zip(chats, each, strict=True)),
            return_exceptions=True,
        )

    return asyncio.run(main())


def outputs(answers: Sequence[ModelOutput | BaseException]) -> list[ModelOutput]:
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if isinstance(answer, ModelOutput)]


def said(answers: Sequence[ModelOutput | BaseException]) -> list[tuple[str, int, int, str]]:
    """What was answered, without what differs from run to run."""
    return [
        (o.completion, o.usage.input_tokens, o.usage.output_tokens, o.stop_reason)
        for o in outputs(answers)
        if o.usage
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The untrained nano with its layers made louder, so that it does not just repeat its last token."""
    from trainers.models.untrained_nano import write_untrained

    made = write_untrained(tmp_path_factory.mktemp("models") / "nano", seed=3)
    model = transformers.AutoModelForImageTextToText.from_pretrained(made)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed" not in name:
                weight.mul_(6)
    model.save_pretrained(made)
    return made


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[TransformersAPI]:
    api = TransformersAPI(str(folder), device="cpu", max_wait=0.5)
    asyncio.run(api.start())
    yield api
    api.close()


@pytest.fixture
def batches(api: TransformersAPI, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that reach the model."""
    sizes: list[int] = []
    model = api._loaded.model  # type: ignore[union-attr]
    original = model.generate

    def counted(**arguments: Any) -> Any:
        sizes.append(len(arguments["input_ids"]))
        return original(**arguments)

    monkeypatch.setattr(model, "generate", counted)
    return sizes


def altered(folder: Path, target: Path, file: str, **changes: object) -> Path:
    """A copy of a checkpoint with changes to one of its JSON files."""
    shutil.copytree(folder, target)
    (target / file).write_text(json.dumps({**json.loads((target / file).read_text()), **changes}))
    return target


def test_a_batch_answers_as_one_by_one(api: TransformersAPI, batches: list[int]) -> None:
    chats = questions()
    together = said(ask(api, chats, GREEDY))
    assert batches == [8]
    alone = [said(ask(api, [chat], GREEDY))[0] for chat in chats]
    assert batches == [8] + [1] * 8
    assert together == alone
    assert len({text for text, *_ in together}) > 4, "the model must tell the prompts apart"
    assert len({count for _, count, *_ in together}) == 8, "input tokens are counted without padding"


def greedy(folder: Path, text: str, image: Image.Image) -> tuple[list[int], str, int]:
    """transformers' own answer: its tokens, its text, and how many tokens the prompt had."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    chat = [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": text}]}]
    inputs = processor.apply_chat_template(
        chat,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        processor_kwargs={"return_tensors": "pt"},
    )
    length = inputs["input_ids"].shape[1]
    tokens = model.generate(**inputs, max_new_tokens=16, do_sample=False)[0, length:].tolist()
    return tokens, processor.decode(tokens, skip_special_tokens=True), length


def test_it_answers_as_transformers_does(api: TransformersAPI, folder: Path) -> None:
    _, text, length = greedy(folder, "What is it?", picture(2))
    (answer,) = outputs(ask(api, [question("What is it?", data_uri(picture(2)))], GREEDY))
    assert answer.completion == text
    assert answer.usage is not None and answer.usage.input_tokens == length


def test_the_picture_matters(api: TransformersAPI) -> None:
    red, blue = outputs(ask(api, [question("What?", data_uri(picture(i))) for i in (0, 1)], GREEDY))
    assert red.completion != blue.completion


def test_requests_with_and_without_pictures_go_apart(api: TransformersAPI, batches: list[int]) -> None:
    chats = [*questions(3), question("What is it?"), [ChatMessageUser(content="What is it?")]]
    answers = said(ask(api, chats, GREEDY))
    assert sorted(batches) == [2, 3]
    assert answers[3] == answers[4], "a text and a list with one text are the same message"
    assert answers == [said(ask(api, [chat], GREEDY))[0] for chat in chats]


def test_different_settings_go_apart(api: TransformersAPI, batches: list[int]) -> None:
    configs = [GenerateConfig(max_tokens=4 + 4 * (i % 2), temperature=0, seed=i) for i in range(6)]
    answers = said(ask(api, questions(6), *configs))
    assert batches == [3, 3], "a seed means nothing to a greedy request"
    assert [tokens for _, _, tokens, _ in answers] == [4, 8] * 3


def test_a_seed_decides_what_is_drawn_in_any_company(api: TransformersAPI, batches: list[int]) -> None:
    chat = questions(1)[0]
    drawn = [GenerateConfig(max_tokens=12, temperature=2, top_p=0.99, seed=seed) for seed in (1, 2, 1)]
    before = torch.random.get_rng_state()
    first, second, again = said(ask(api, [chat] * 3, *drawn))
    assert torch.equal(before, torch.random.get_rng_state())
    assert batches == [1, 1, 1]
    assert first == again != second
    assert first == said(ask(api, [*questions(3), chat], *[GREEDY] * 3, drawn[0]))[-1]


def test_unseeded_draws_share_a_batch(api: TransformersAPI, batches: list[int]) -> None:
    answers = said(ask(api, [questions(1)[0]] * 6, GenerateConfig(max_tokens=12, temperature=2)))
    assert batches == [6]
    assert len({text for text, *_ in answers}) > 1


def test_top_k_of_one_is_greedy(api: TransformersAPI) -> None:
    chats = questions(2)
    drawn = ask(api, chats, GREEDY.model_copy(update={"temperature": 5.0, "top_k": 1, "seed": 4}))
    assert said(drawn) == said(ask(api, chats, GREEDY))


def test_bad_requests_fail_alone(api: TransformersAPI) -> None:
    chats = questions(5)
    broken = [*chats[:2], question("?", "data:image/png;base64,AAAA"), question("far " * 3000), *chats[2:]]
    answers = ask(api, broken, GREEDY)
    image, long = answers.pop(2), answers.pop(2)
    assert isinstance(image, ValueError) and "cannot be decoded" in str(image)
    assert isinstance(long, ValueError) and "the model's context 2048" in str(long)
    assert said(answers) == said(ask(api, chats, GREEDY))


def test_a_prompt_over_the_context_does_not_touch_its_batch(api: TransformersAPI) -> None:
    chats = [*questions(3), question("far " * 3000, data_uri(picture(1)))]
    answers = ask(api, chats, GREEDY)
    assert isinstance(answers.pop(), ValueError)
    assert said(answers) == said(ask(api, chats[:3], GREEDY))


def test_a_request_that_breaks_the_model_fails_alone(
    api: TransformersAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = api._loaded.model  # type: ignore[union-attr]
    original = model.generate
    lengths: list[int] = []

    def breaking(**arguments: Any) -> Any:
        lengths.append(int(arguments["attention_mask"].sum(dim=1).max()))
        if lengths[-1] == max(lengths):
            raise IndexError("index out of range in self")
        return original(**arguments)

    chats = questions(3)
    expected = said(ask(api, chats, GREEDY))
    monkeypatch.setattr(model, "generate", breaking)
    answers = ask(api, chats, GREEDY)
    assert isinstance(answers.pop(), ValueError)
    assert said(answers) == expected[:2]


def test_out_of_memory_halves_the_batch(
    api: TransformersAPI, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = said(ask(api, questions(), GREEDY))
    batches.clear()
    model = api._loaded.model  # type: ignore[union-attr]
    counted = model.generate
    most = 2

    def narrow(**arguments: Any) -> Any:
        if len(arguments["input_ids"]) > most:
            batches.append(-len(arguments["input_ids"]))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return counted(**arguments)

    monkeypatch.setattr(model, "generate", narrow)
    assert said(ask(api, questions(), GREEDY)) == expected
    assert batches == [-8, -4, 2, 2, -4, 2, 2]
    most = 0
    (refused,) = ask(api, questions(1), GREEDY)
    assert isinstance(refused, ValueError) and "memory of cpu" in str(refused)


def test_stop_strings_end_and_cut(api: TransformersAPI) -> None:
    chats = questions(4)
    whole = outputs(ask(api, chats, GREEDY))
    stop = whole[0].completion[3:5]
    answers = outputs(ask(api, chats, GREEDY.model_copy(update={"stop_seqs": [stop]})))
    for before, after in zip(whole, answers, strict=True):
        assert after.completion == before.completion.partition(stop)[0]
        assert after.stop_reason == ("stop" if stop in before.completion else "max_tokens")
    assert answers[0].usage is not None and 0 < answers[0].usage.output_tokens < 16


def test_end_tokens_of_the_checkpoint_end(api: TransformersAPI, folder: Path, tmp_path: Path) -> None:
    chats = questions(4)
    whole = outputs(ask(api, chats, GREEDY))
    # What the model says sixth is made an end token of the checkpoint.
    end = greedy(folder, "What is it? ", picture(0))[0][5]
    changed = TransformersAPI(
        str(altered(folder, tmp_path / "ends", "generation_config.json", eos_token_id=[2, end])), device="cpu"
    )
    answers = outputs(ask(changed, chats, GREEDY))
    alone = [outputs(ask(changed, [chat], GREEDY))[0] for chat in chats]
    changed.close()
    assert said(answers) == said(alone)
    assert answers[0].stop_reason == "stop"
    assert answers[0].usage is not None and answers[0].usage.output_tokens <= 6
    assert whole[0].completion.startswith(answers[0].completion)


def test_room_to_the_context_is_each_requests_own(api: TransformersAPI, batches: list[int]) -> None:
    chats = [question("What is it?"), question("far " * 1000)]
    config = GenerateConfig(max_tokens=60, temperature=0)
    alone = [said(ask(api, [chat], config))[0] for chat in chats]
    batches.clear()
    together = said(ask(api, chats, config))
    assert together == alone
    assert batches == [2, 1], "the short prompt had more room, and is completed alone"
    (_, far, tokens, reason) = together[1]
    assert far < 2048 and (far + tokens == 2048 or reason == "stop")


def test_the_checkpoints_sampling_defaults_are_not_used(
    api: TransformersAPI, folder: Path, tmp_path: Path
) -> None:
    changed = altered(
        folder,
        tmp_path / "defaults",
        "generation_config.json",
        do_sample=True,
        temperature=3.0,
        top_k=5,
        repetition_penalty=5.0,
        max_length=20,
    )
    other = TransformersAPI(str(changed), device="cpu")
    assert said(ask(other, questions(3), GREEDY)) == said(ask(api, questions(3), GREEDY))
    other.close()


def test_close_frees_the_model_and_a_later_request_loads_it_again(folder: Path) -> None:
    api = TransformersAPI(str(folder), device="cpu", dtype="bfloat16")
    assert (api.device, api.dtype) == ("cpu", None)
    first = said(ask(api, questions(2), GREEDY))
    assert api.dtype == "bfloat16"
    asyncio.run(api.aclose())
    gc.collect()
    assert api.dtype is None
    assert said(ask(api, questions(2), GREEDY)) == first
    api.close()


def test_a_cancelled_request_ends_its_generation(tmp_path: Path) -> None:
    from trainers.models.untrained_nano import write_untrained

    # As it is written it repeats its last token, on any processor, and never ends.
    api = TransformersAPI(str(write_untrained(tmp_path / "nano")), device="cpu", max_wait=0.5)

    async def main() -> tuple[float, str]:
        await api.start()
        endless = asyncio.create_task(
            api.generate(questions(1)[0], [], "none", GenerateConfig(max_tokens=1900, temperature=0))
        )
        await asyncio.sleep(1)
        if endless.done():
            return 0.0, str(endless.result())
        endless.cancel()
        began = time.monotonic()
        await api.generate(question("?"), [], "none", GenerateConfig(max_tokens=1))
        return time.monotonic() - began, ""

    waited, ended = asyncio.run(main())
    api.close()
    assert ended == "", "the event loop ran meanwhile"
    assert waited < 1.5


def test_an_adapter_is_put_on_its_base(folder: Path, api: TransformersAPI, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    torch.manual_seed(0)
    adapted = peft.get_peft_model(
        model,
        peft.LoraConfig(
            r=4, target_modules=r".*text_model.*\.(q_proj|v_proj)", init_lora_weights=False, lora_alpha=64
        ),
    )
    adapted.peft_config["default"].base_model_name_or_path = str(folder)
    adapted.save_pretrained(tmp_path / "adapter")
    with_adapter = TransformersAPI(str(tmp_path / "adapter"), device="cpu")
    assert with_adapter.checkpoint.adapter == tmp_path / "adapter"
    answers = said(ask(with_adapter, questions(3), GREEDY))
    with_adapter.close()
    adapted.merge_and_unload().save_pretrained(tmp_path / "merged")
    for file in folder.iterdir():
        if not (tmp_path / "merged" / file.name).exists():
            shutil.copy(file, tmp_path / "merged")
    merged = TransformersAPI(str(tmp_path / "merged"), device="cpu")
    assert answers == said(ask(merged, questions(3), GREEDY))
    assert answers != said(ask(api, questions(3), GREEDY))
    merged.close()


def test_an_adapter_without_peft_names_the_extra(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(folder)}))
    monkeypatch.setitem(sys.modules, "peft", None)
    (refused,) = ask(TransformersAPI(str(tmp_path), device="cpu"), questions(1), GREEDY)
    assert isinstance(refused, RequestError) and "tunebench[train]" in str(refused)


def test_a_text_model_answers_texts_and_refuses_pictures(folder: Path, tmp_path: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        eos_token_id=2,
        bos_token_id=1,
        pad_token_id=0,
        initializer_range=0.5,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    api = TransformersAPI(str(tmp_path), device="cpu")
    chats = [question("What is it?"), question("How many bars are there?"), *questions(1)]
    *texts, refused = ask(api, chats, GREEDY)
    assert isinstance(refused, ValueError) and "reads no images" in str(refused)
    assert said(texts) == [said(ask(api, [chat], GREEDY))[0] for chat in chats[:2]]
    api.close()


def test_missing_weights_are_refused_once_for_all(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path / "torn")
    file = tmp_path / "torn" / "model.safetensors"
    weights = load_file(file)
    weights.pop(next(name for name in weights if "q_proj" in name))
    save_file(weights, file, metadata={"format": "pt"})
    api = TransformersAPI(str(tmp_path / "torn"), device="cpu", batch_size=1)
    first, second = ask(api, questions(2), GREEDY)
    assert first is second, "the second batch does not load again"
    assert isinstance(first, RequestError) and "1 weights are not in its files" in str(first)
    api.close()


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    api = TransformersAPI(str(folder), device="cuda:99")
    with pytest.raises(RequestError, match="device 'cuda:99'"):
        asyncio.run(api.start())
    api.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batchsize": 4}, "did you mean 'batch_size'"),
        ({"dtype": "float8"}, "not one of auto, float32"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": True}, "batch_size=True"),
        ({"max_wait": -1}, "max_wait=-1"),
        ({"trust_remote_code": "yes"}, "trust_remote_code=yes"),
    ],
)
def test_wrong_arguments_are_refused(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        TransformersAPI(str(folder), **arguments)


@pytest.mark.parametrize(
    "config",
    [GenerateConfig(frequency_penalty=1), GenerateConfig(logprobs=True), GenerateConfig(num_choices=2)],
)
def test_settings_that_are_not_applied_are_refused(api: TransformersAPI, config: GenerateConfig) -> None:
    (refused,) = ask(api, questions(1), config)
    assert isinstance(refused, RequestError)


def test_connections_keep_batches_full(folder: Path) -> None:
    api = TransformersAPI(str(folder), batch_size=5)
    assert api.max_connections() == 20
    assert not api.should_retry(RuntimeError())


# inspect leaves its own streams to the garbage collector, which therefore runs within this test.
@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
def test_an_evaluation_runs_on_it(folder: Path, tmp_path: Path) -> None:
    init_display_type("none")
    samples = []
    for number in range(4):
        picture(number).save(tmp_path / f"{number}.png")
        message = ChatMessageUser(
            content=[ContentImage(image=str(tmp_path / f"{number}.png")), ContentText(text="What is it?")]
        )
        samples.append(Sample(id=number, input=[message], target=""))
    model = get_model(f"transformers/{folder}", device="cpu", memoize=False)
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes(), config=GREEDY)
    (log,) = eval(task, model=model, log_dir=str(tmp_path / "logs"))
    gc.collect()
    assert log.status == "success", log.error
    assert log.samples is not None
    api = TransformersAPI(str(folder), device="cpu")
    expected = outputs(ask(api, [question("What is it?", data_uri(picture(i))) for i in range(4)], GREEDY))
    api.close()
    assert [sample.output.completion for sample in log.samples] == [o.completion for o in expected]


@pytest.mark.process
def test_importing_it_loads_no_torch() -> None:
    code = (
        "import sys, bench.serving.transformers_engine.provider; "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
