"""Examples a second in training: ours against plain TRL, on the same data, model, batch and precision.

    .venv/bin/python benchmarks/training.py                 all models, alternating
    .venv/bin/python benchmarks/training.py --models nano --repeats 3 --steps 40

Contenders take turns, each in a process of its own. `trl` is SFTTrainer as it comes (it recomputes
activations by default); `trl, faster` is the same without recomputing, the harder one to beat. Speeds are of
the steps after the first two, by the clock and by the process's CPU time. `start` is what comes before the
end of the first step: loading and, for ours, preparing the pictures, which the second repeat finds on disk.

`256m` trains all weights; `256m-frozen` the text model alone, as the recipe `svrd` does, in three passes over
12 examples: ours encodes each picture once, in the first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTENDERS = ("trl", "trl, faster", "ours, not grouped", "ours")
SKIPPED = 2
SHAPES = {
    # batch, examples, steps
    "nano": (32, 960, 30),
    "256m": (2, 24, 8),
    "256m-frozen": (2, 12, 18),
}
FROZEN = {"256m-frozen": ["vision", "connector"]}


def smolvlm_256m(folder: Path) -> Path:
    """Random weights in the shape of SmolVLM-256M, one tile of 512 px, with the nano's own tokenizer."""
    import shutil

    import torch
    from transformers import AutoTokenizer, GenerationConfig, Idefics3Config, Idefics3ForConditionalGeneration

    from trainers.models.untrained_nano import write_untrained

    if (folder / "config.json").is_file():
        return folder
    shutil.copytree(write_untrained(folder.with_name("nano-files")), folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in ("<image>", "<pad>", "<|im_start|>")}
    special = {"pad_token_id": ids["<pad>"], "bos_token_id": ids["<|im_start|>"]}
    config = Idefics3Config(
        image_token_id=ids["<image>"],
        pad_token_id=ids["<pad>"],
        tie_word_embeddings=True,
        scale_factor=4,
        vision_config={
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 512,
            "patch_size": 16,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": 49_280,
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "max_position_embeddings": 8192,
            "eos_token_id": tokenizer.eos_token_id,
            "tie_word_embeddings": True,
            **special,
        },
    )
    torch.manual_seed(0)
    model = Idefics3ForConditionalGeneration(config)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, **special)
    model.save_pretrained(folder)
    preprocessor = json.loads((folder / "preprocessor_config.json").read_text())
    edge = {"longest_edge": 512}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**preprocessor, "size": edge, "max_image_size": edge})
    )
    processor = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").write_text(json.dumps({**processor, "image_seq_len": 64}))
    return folder


def records(count: int) -> list[dict[str, Any]]:
    from tasks.chart_vqa.records import charts

    return charts("train", size=count, seed=11, charts="bar,pie,line")


def settings(model: str, steps: int) -> dict[str, Any]:
    batch, count, _ = SHAPES[model]
    rate = 1e-3 if model == "nano" else 1e-4
    return {"batch": batch, "count": count, "steps": steps, "rate": rate}


class Clock:
    """Wall and CPU time at the end of every step."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.losses: list[float] = []

    def step(self) -> None:
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())

    def measured(self, batch: int) -> dict[str, float]:
        examples = batch * (len(self.wall) - SKIPPED)
        return {
            "start": self.wall[0] - self.began,
            "per_second": examples / (self.wall[-1] - self.wall[SKIPPED - 1]),
            "cpu_ms": 1000 * (self.cpu[-1] - self.cpu[SKIPPED - 1]) / examples,
            "loss": statistics.fmean(self.losses[-max(3, len(self.losses) // 5) :]),
            "first_loss": self.losses[0],
        }


def run_ours(model: str, base: Path, steps: int, *, grouped: bool) -> dict[str, float]:
    from trainers.data.examples import TrainData, TrainExample
    from trainers.loop.curve import Curve
    from trainers.recipe import TrainRecipe
    from trainers.training import train

    given = settings(model, steps)
    clock = Clock()
    ended = Curve.on_step_end

    def on_step_end(self: Any, *arguments: Any, **options: Any) -> None:
        ended(self, *arguments, **options)
        clock.step()

    Curve.on_step_end = on_step_end  # type: ignore[method-assign]
    rows = [
        TrainExample(str(r["id"]), (Path(str(r["image"])),), str(r["question"]), answer(r))
        for r in records(given["count"])
    ]
    recipe = TrainRecipe.model_validate(
        {
            "name": "benchmark",
            "summary": "Examples a second.",
            "base": {"checkpoint": str(base)},
            "data": {"task": "chart_vqa"},
            "target": {"form": "answer_only"},
            "optimizer": {"learning_rate": given["rate"]},
            "schedule": {"warmup_steps": 2},
            "batch": {"size": given["batch"], "grouped": grouped},
            "precision": "bfloat16",
            "frozen": FROZEN.get(model, []),
            "steps": steps,
            "save": {"every": 10**6},
            "log_every": 1,
        }
    )
    clock.began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        made = train(recipe, TrainData(rows), base=base, out=Path(folder) / "run")
    clock.losses = [point["loss"] for point in made.points]
    return clock.measured(given["batch"])


def run_trl(model: str, base: Path, steps: int, *, faster: bool) -> dict[str, float]:
    import datasets
    from transformers import AutoModelForImageTextToText, AutoProcessor, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    given = settings(model, steps)
    clock = Clock()

    class Steps(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.step()

        def on_log(self, *_: Any, logs: Mapping[str, float], **__: Any) -> None:
            if "loss" in logs:
                clock.losses.append(float(logs["loss"]))

    content = [
        {
            "images": [str(r["image"])],
            "prompt": [
                {"role": "user", "content": [{"type": "image", "text": None}, part(str(r["question"]))]}
            ],
            "completion": [{"role": "assistant", "content": [part(answer(r))]}],
        }
        for r in records(given["count"])
    ]
    rows = datasets.Dataset.from_list(content).cast_column("images", datasets.List(datasets.Image()))
    clock.began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"gradient_checkpointing": False} if faster else {}
        student = AutoModelForImageTextToText.from_pretrained(base, dtype="float32")
        for name in FROZEN.get(model, []):
            getattr(student.model, {"vision": "vision_model"}.get(name, name)).requires_grad_(False)
        trainer = SFTTrainer(
            model=student,
            processing_class=AutoProcessor.from_pretrained(base),
            args=SFTConfig(
                output_dir=folder,
                per_device_train_batch_size=given["batch"],
                max_steps=steps,
                learning_rate=given["rate"],
                lr_scheduler_type="cosine",
                warmup_steps=2,
                max_length=None,
                bf16=True,
                use_cpu=True,
                logging_steps=1,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=0,
                **options,
            ),
            train_dataset=rows,
            callbacks=[Steps()],
        )
        trainer.train()
    return clock.measured(given["batch"])


def part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def answer(record: Mapping[str, Any]) -> str:
    target = record["target"]
    return f"\\boxed{{{target[0] if isinstance(target, list) else target}}}"


def one(contender: str, model: str, base: Path, steps: int) -> None:
    if contender.startswith("ours"):
        found = run_ours(model, base, steps, grouped=contender == "ours")
    else:
        found = run_trl(model, base, steps, faster=contender == "trl, faster")
    print("\n" + json.dumps(found))


def measure(contender: str, model: str, base: Path, steps: int, cache: Path) -> dict[str, float]:
    said = subprocess.run(
        [
            sys.executable,
            __file__,
            "--one",
            contender,
            "--models",
            model,
            "--base",
            base,
            "--steps",
            str(steps),
        ],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "TUNEBENCH_CACHE": str(cache),
            "OMP_WAIT_POLICY": "passive",
            "HF_HUB_OFFLINE": "1",
        },
        check=False,
    )
    if said.returncode:
        raise SystemExit(said.stderr)
    found: dict[str, float] = json.loads(said.stdout.strip().splitlines()[-1])
    return found


def compare(model: str, steps: int, repeats: int, cache: Path, contenders: list[str]) -> None:
    from trainers.models.untrained_nano import write_untrained

    base = cache / f"base-{model}"
    base = smolvlm_256m(base) if model.startswith("256m") else write_untrained(base)
    os.environ["TUNEBENCH_CACHE"] = str(cache)
    records(SHAPES[model][1])  # drawn before anything is timed
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for turn in range(repeats):
        for name in contenders:
            found[name].append(measure(name, model, base, steps, cache))
            print(turn, name, {key: round(value, 3) for key, value in found[name][-1].items()}, flush=True)
    print(f"\n{model}: {steps} steps of {SHAPES[model][0]} examples, {repeats} alternating repeats, medians")
    print("| | examples/s | CPU ms/example | start, s | loss first | loss last |\n|---|---|---|---|---|---|")
    for name, rows in found.items():
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        print(
            f"| {name} | {middle['per_second']:.2f} | {middle['cpu_ms']:.1f} | {middle['start']:.1f} | "
            f"{middle['first_loss']:.3f} | {middle['loss']:.3f} |"
        )
    for name in contenders:
        if name.startswith("trl") and "ours" in found:
            by_clock = [
                o["per_second"] / t["per_second"] for o, t in zip(found["ours"], found[name], strict=True)
            ]
            by_cpu = [t["cpu_ms"] / o["cpu_ms"] for o, t in zip(found["ours"], found[name], strict=True)]
            print(
                f"ours / {name}: {statistics.median(by_clock):.2f} by the clock "
                f"({min(by_clock):.2f} to {max(by_clock):.2f}), {statistics.median(by_cpu):.2f} by CPU time "
                f"({min(by_cpu):.2f} to {max(by_cpu):.2f})"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=CONTENDERS)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    if given.one:
        one(given.one, given.models[0], given.base, given.steps)
        return
    cache = given.cache or Path(tempfile.mkdtemp(prefix="training-"))
    for model in given.models:
        compare(model, given.steps or SHAPES[model][2], given.repeats, cache, given.contenders)


if __name__ == "__main__":
    main()
