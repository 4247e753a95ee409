"""Tiny random models of architectures that only transformers serves: completed in batches, options scored."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessage,
    ChatMessageUser,
    ContentImage,
    ContentText,
    GenerateConfig,
    ModelOutput,
)
from inspect_ai.util._display import init_display_type
from PIL import Image

from bench.errors import RequestError
from bench.running.request import RunRequest
from bench.running.run import run
from bench.serving.transformers_engine.provider import TransformersAPI
from solvers.option_likelihood import _data_uri

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# transformers 5.19's Mllama calls its own layers by an old name.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.hidden_state. is deprecated")]

GENERATING = ("mllama", "kosmos2")
GREEDY = GenerateConfig(max_tokens=8, temperature=0)
WORDS = ["arlen", "bruck holm", "d"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    writers = runpy.run_path(str(Path(__file__).parents[3] / "transformers_checkpoints.py"))["WRITERS"]
    home = tmp_path_factory.mktemp("architectures")
    for name, write in writers.items():
        write(home / name)
    return {name: home / name for name in writers}


@pytest.fixture(scope="module")
def pictures(scienceqa_folder: Path) -> list[Path]:
    return [scienceqa_folder / "test" / f"test-{topic}-0" / "image.png" for topic in ("geography", "physics")]


@pytest.fixture(scope="module", params=GENERATING)
def api(request: pytest.FixtureRequest, made: dict[str, Path]) -> Iterator[TransformersAPI]:
    api = TransformersAPI(str(made[request.param]), device="cpu", max_wait=0.3)
    yield api
    api.close()


def chat(picture: Path | None, text: str) -> list[ChatMessage]:
    parts = [ContentImage(image=_data_uri(str(picture)))] if picture else []
    return [ChatMessageUser(content=[*parts, ContentText(text=text)])]


def ask(api: TransformersAPI, *chats: list[ChatMessage]) -> list[str]:
    async def main() -> list[ModelOutput]:
        return await asyncio.gather(*(api.generate(one, [], "none", GREEDY) for one in chats))

    return [output.completion for output in asyncio.run(main())]


def test_a_batch_answers_as_one_by_one(api: TransformersAPI, pictures: list[Path]) -> None:
    chats = [chat(pictures[i % 2], "which town is farthest north " * (1 + i % 3)) for i in range(6)]
    together = ask(api, *chats)
    assert together == [ask(api, one)[0] for one in chats]
    assert len(set(together)) > 2, "the model must tell the prompts apart"


def test_scores_of_texts_depend_on_the_picture_and_not_on_the_batch(
    api: TransformersAPI, pictures: list[Path]
) -> None:
    async def scores(picture: Path | None, words: list[str]) -> list[float]:
        found = await api.score_texts(chat(picture, "which town is farthest north"), words)
        return [one.logprob for one in found]

    first, second, blind = (asyncio.run(scores(p, WORDS)) for p in (*pictures, None))
    assert len({tuple(first), tuple(second), tuple(blind)}) == 3
    assert first == pytest.approx([asyncio.run(scores(pictures[0], [word]))[0] for word in WORDS], abs=1e-4)
    assert all(score < 0 for score in (*first, *second, *blind))


def test_mllama_s_scores_are_its_own_logits(made: dict[str, Path], pictures: list[Path]) -> None:
    processor = transformers.AutoProcessor.from_pretrained(made["mllama"])
    model = transformers.AutoModelForImageTextToText.from_pretrained(made["mllama"]).eval()
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "which town"}]}]
    prompt = processor.apply_chat_template(turn, add_generation_prompt=True)
    picture = [Image.open(pictures[0]).convert("RGB")]
    # Its template writes the beginning of the text itself.
    options = {"images": picture, "return_tensors": "pt", "add_special_tokens": False}
    start = processor(text=prompt, **options)["input_ids"].shape[1]
    inputs = processor(text=prompt + "arlen", **options)
    with torch.inference_mode():
        logprobs = model(**inputs).logits.log_softmax(-1)[0]
    ids = inputs["input_ids"][0]
    expected = sum(float(logprobs[place - 1, ids[place]]) for place in range(start, len(ids)))
    api = TransformersAPI(str(made["mllama"]), device="cpu")
    (score,) = asyncio.run(api.score_texts(chat(pictures[0], "which town"), ["arlen"]))
    api.close()
    assert score.logprob == pytest.approx(expected, abs=1e-3)
    assert (score.prompt_tokens, score.tokens) == (start, len(ids) - start)


def test_vilt_scores_a_text_by_masking_its_tokens_in_turn(
    made: dict[str, Path], pictures: list[Path]
) -> None:
    processor = transformers.AutoProcessor.from_pretrained(made["vilt"])
    model = transformers.ViltForMaskedLM.from_pretrained(made["vilt"]).eval()
    picture = Image.open(pictures[0]).convert("RGB")
    expected = 0.0
    for masked, gold in (("[MASK] holm", "bruck"), ("bruck [MASK]", "holm")):
        inputs = processor(images=picture, text=f"which town {masked}", return_tensors="pt")
        place = inputs["input_ids"][0].tolist().index(processor.tokenizer.mask_token_id)
        with torch.inference_mode():
            row = model(**inputs).logits[0, place].log_softmax(-1)
        expected += float(row[processor.tokenizer.convert_tokens_to_ids(gold)])
    api = TransformersAPI(str(made["vilt"]), device="cpu")
    score, long = asyncio.run(api.score_texts(chat(pictures[0], "which town"), ["bruck holm", "a b c d e"]))
    assert score.logprob == pytest.approx(expected, abs=1e-4) and score.tokens == 2
    (cut,) = asyncio.run(api.score_texts(chat(pictures[0], "which town is north " * 20), ["bruck holm"]))
    api.close()
    assert long.tokens == 5 and long.cut == 0
    # 40 tokens in all: two around, two of the option, the first 36 of the prompt's 80.
    assert (cut.prompt_tokens, cut.cut) == (38, 44)


def test_an_encoder_says_how_it_can_be_scored(made: dict[str, Path], pictures: list[Path]) -> None:
    api = TransformersAPI(str(made["vilt"]), device="cpu")
    with pytest.raises(ValueError, match="add --solver option_likelihood"):
        ask(api, chat(pictures[0], "which town"))
    api.close()


@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning")
@pytest.mark.parametrize(
    ("name", "task", "solver"),
    [
        ("mllama", "scienceqa", None),
        ("kosmos2", "scienceqa", None),
        ("vilt", "scienceqa_full", "option_likelihood"),
        ("mllama", "scienceqa_full", {"option_likelihood": {"normalise": "prior"}}),
    ],
)
def test_the_command_runs_each_kind(
    made: dict[str, Path],
    scienceqa_folder: Path,
    tmp_path: Path,
    quiet: Any,
    name: str,
    task: str,
    solver: Any,
) -> None:
    init_display_type("none")
    request = RunRequest(
        tasks=(task,),
        models=(f"transformers/{made[name]}",),
        log_dir=tmp_path,
        max_tokens=8,
        dataset_args={
            "path": str(scienceqa_folder),
            "check_counts": False,
            **({"solver": solver} if solver else {}),
        },
    )
    (done,) = run(request, quiet)
    assert not done.unscored, done.unscored
    assert len(done.outcomes) == (18 if task == "scienceqa_full" else 14)
    if solver:
        assert all(outcome.answered for outcome in done.outcomes)
        readings = done.outcomes.numbers
        assert {"raw", "length", "prior", "length and prior"} <= set(readings)
        # Four questions have no picture, so no prior without it.
        assert sum(value == value for value in readings["prior"]) == 14
        main = "prior" if isinstance(solver, dict) else "length"
        for outcome, value in zip(done.outcomes, readings[main], strict=True):
            assert value != value or value == outcome.value


def test_code_of_a_checkpoint_runs_only_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path
) -> None:
    """As Moondream: an architecture that comes as Python in the checkpoint's own folder."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    folder = tmp_path / "own"
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_checkpoint)
    tokenizer.save_pretrained(folder)
    (folder / "own_model.py").write_text(
        "from transformers import LlamaConfig, LlamaForCausalLM\n\n\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own_words'\n\n\n"
        "class OwnForCausalLM(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    said = json.loads((folder / "config.json").read_text())
    said |= {
        "model_type": "own_words",
        "architectures": ["OwnForCausalLM"],
        "auto_map": {"AutoConfig": "own_model.OwnConfig", "AutoModelForCausalLM": "own_model.OwnForCausalLM"},
    }
    (folder / "config.json").write_text(json.dumps(said))
    refused = TransformersAPI(str(folder), device="cpu")
    with pytest.raises(RequestError, match="--trust-remote-code"):
        asyncio.run(refused.start())
    assert not [name for name in sys.modules if "own_model" in name]
    trusted = TransformersAPI(str(folder), device="cpu", trust_remote_code=True)
    assert ask(trusted, chat(None, "which town")) != []
    trusted.close()
