"""Samples per second of `bench run` against vLLM's own offline `LLM.generate`, same samples and settings.

    python benchmarks/throughput.py [--samples 500] [--repeats 5] [--lm-eval] [--json FILE]

Each measurement is a process of its own with a fresh engine, and the contenders take turns, so that a
machine that slows down slows all of them. Two figures per contender: from the first request to the last
answer (for `bench run`: scored, log written and read back), and from the start of the process to its end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# One set of engine arguments for every contender.
ENGINE: dict[str, Any] = {
    "enforce_eager": True,
    "gpu_memory_utilization": 0.3,
    "max_model_len": 1024,
    "max_num_seqs": 128,
    "limit_mm_per_prompt": {"image": 1},
    "dtype": "bfloat16",
    "seed": 0,
}
NEW_TOKENS = 32


def main() -> None:
    """Parse arguments, alternate the contenders, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", help="checkpoint folder; the untrained nano when not given")
    parser.add_argument(
        "--lm-eval", action="store_true", help="lm-eval's vllm-vlm as well (pip install lm-eval)"
    )
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--records", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        print("RESULT " + json.dumps(CONTENDERS[arguments.contender](arguments.records, arguments.model)))
        return
    contenders = ["bare", "bench", *(["lm_eval"] if arguments.lm_eval else [])]
    with tempfile.TemporaryDirectory() as folder:
        records = write_records(Path(folder), arguments.samples)
        model = arguments.model or str(untrained(Path(folder)))
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for repeat in range(arguments.repeats):
            for name in contenders if repeat % 2 == 0 else reversed(contenders):
                measured[name].append(one_process(name, records, model))
                row = measured[name][-1]
                print(
                    f"{repeat + 1}/{arguments.repeats} {name:8} {row['samples_per_second']:7.1f}/s",
                    flush=True,
                )
    report(measured, arguments.samples)
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n")


def write_records(folder: Path, samples: int) -> Path:
    """Charts, one question each, as the JSONL and task.yaml that every contender reads."""
    from tasks.chart_vqa.records import charts

    rows = [
        {
            "id": r["id"],
            "image": str(r["image"]),
            "question": r["question"],
            "target": r["target"],
            "kind": r["kind"],
        }
        for r in charts(size=samples, seed=7, questions_per_chart=1, width=512, height=384)
    ]
    records = folder / "records.jsonl"
    records.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "task.yaml").write_text(
        "name: throughput\nversion: 1-A\nsummary: The same charts for every contender.\n"
        "dataset: {jsonl: records.jsonl}\n"
        'prompt: "{question} Put the answer inside \\\\boxed{{}}."\n'
        f"scorer: boxed\ngeneration: {{temperature: 0, max_tokens: {NEW_TOKENS}}}\n"
    )
    return records


def untrained(folder: Path) -> Path:
    """The built-in model with random weights."""
    from trainers.models.untrained_nano import write_untrained

    return write_untrained(folder / "nano")


def one_process(name: str, records: Path, model: str) -> dict[str, float]:
    """Run one contender in a process of its own; its figures and the process's whole time."""
    command = [sys.executable, __file__, "--contender", name, "--records", str(records), "--model", model]
    environment = {**os.environ, "VLLM_LOGGING_LEVEL": "ERROR", "OMP_WAIT_POLICY": "passive"}
    environment.update(VLLM_CPU_KVCACHE_SPACE="2", VLLM_WORKER_MULTIPROC_METHOD="spawn")
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        sys.exit(f"{name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return {**json.loads(line.removeprefix("RESULT ")), "whole": time.perf_counter() - started}


def run_bare(records: Path, model: str) -> dict[str, float]:
    """vLLM's offline API: all prompts in one `LLM.generate`, images opened as they are handed over."""
    from PIL import Image
    from transformers import AutoTokenizer
    from vllm import LLM, SamplingParams

    llm = LLM(model, **ENGINE, disable_log_stats=True)
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    settings = SamplingParams(temperature=0, max_tokens=NEW_TOKENS)

    def prompt(row: dict[str, str]) -> dict[str, Any]:
        text = row["question"] + " Put the answer inside \\boxed{}."
        content = [{"type": "image"}, {"type": "text", "text": text}]
        rendered = tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        return {"prompt": rendered, "multi_modal_data": {"image": Image.open(row["image"])}}

    llm.generate([prompt(row) for row in rows[:4]], settings, use_tqdm=False)
    started, before = time.perf_counter(), cpu_seconds()
    outputs = llm.generate([prompt(row) for row in rows], settings, use_tqdm=False)
    return figures(len(rows), started, before, sum(len(o.outputs[0].token_ids) for o in outputs))


def run_bench(records: Path, model: str) -> dict[str, float]:
    """`bench run` on the task.yaml: completions, scores, log on disk, outcomes read back."""
    from inspect_ai.util._display import init_display_type
    from rich.console import Console

    from bench.commands.terminal import TerminalShow
    from bench.running.request import RunRequest
    from bench.running.run import named_task, run_one
    from bench.serving.model import ModelRequest, resolve_model

    init_display_type("none")

    async def measure() -> dict[str, float]:
        folder = records.parent
        task = named_task(str(folder / "task.yaml"), {})
        arguments = {name: value for name, value in ENGINE.items() if name != "seed"}
        served = resolve_model(ModelRequest(model, arguments=arguments, log_file=folder / "engine.log"))
        show = TerminalShow(Console(stderr=True), bar=True, quiet=True)
        warm_up = RunRequest(("throughput",), (model,), log_dir=folder / "warm-up", limit=4)
        await run_one(warm_up, task, served, show)
        started, before = time.perf_counter(), cpu_seconds()
        run = await run_one(
            RunRequest(("throughput",), (model,), log_dir=folder / "logs"), task, served, show
        )
        done = figures(len(run.outcomes), started, before, sum(o.output_tokens for o in run.outcomes))
        await served.model.api.aclose()
        return done

    return asyncio.run(measure())


def run_lm_eval(records: Path, model: str) -> dict[str, float]:
    """lm-eval's `vllm-vlm` through its `simple_evaluate`, on a task of the same prompts."""
    import datasets
    from lm_eval import simple_evaluate
    from lm_eval.api.task import ConfigurableTask
    from PIL import Image

    rows = [json.loads(line) for line in records.read_text().splitlines()]
    table = datasets.Dataset.from_list(
        [{"question": r["question"], "target": str(r["target"]), "path": r["image"]} for r in rows]
    )
    task = ConfigurableTask(
        config={
            "task": "throughput",
            "custom_dataset": lambda **_: {"test": table},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_image": lambda doc: [Image.open(doc["path"])],
            "doc_to_text": lambda doc: "<image>" + doc["question"] + " Put the answer inside \\boxed{}.",
            "doc_to_target": "target",
            "generation_kwargs": {"until": [], "max_gen_toks": NEW_TOKENS, "temperature": 0.0},
            "metric_list": [{"metric": "exact_match"}],
        }
    )
    from lm_eval.models.vllm_vlms import VLLM_VLM

    engine = {
        name: value for name, value in ENGINE.items() if name not in ("limit_mm_per_prompt", "max_model_len")
    }
    lm = VLLM_VLM(
        pretrained=model, max_model_len=ENGINE["max_model_len"], max_images=1, batch_size="auto", **engine
    )
    started, before = time.perf_counter(), cpu_seconds()
    simple_evaluate(model=lm, tasks=[task], apply_chat_template=True, log_samples=True, bootstrap_iters=0)
    return figures(len(rows), started, before, len(rows) * NEW_TOKENS)


def cpu_seconds() -> dict[str, float]:
    """CPU seconds so far of this process and of the engine's."""
    import psutil

    own = psutil.Process()
    children = own.children(recursive=True)
    return {
        "front": sum(own.cpu_times()[:2]),
        "engine": sum(sum(child.cpu_times()[:2]) for child in children),
    }


def figures(samples: int, started: float, before: dict[str, float], tokens: int) -> dict[str, float]:
    """Rates since ``started``, and the CPU milliseconds a sample took in each process."""
    seconds = time.perf_counter() - started
    after = cpu_seconds()
    return {
        "seconds": seconds,
        "samples_per_second": samples / seconds,
        "tokens": tokens,
        **{f"{name}_cpu_ms": 1000 * (after[name] - before[name]) / samples for name in after},
    }


def report(measured: dict[str, list[dict[str, float]]], samples: int) -> None:
    """Medians, and each contender's rate as a share of the bare engine's in the same repeat."""
    print(
        f"\n{samples} samples, {NEW_TOKENS} new tokens, {platform.processor() or platform.machine()}, ",
        end="",
    )
    print(f"{os.cpu_count()} cores, {len(measured['bare'])} repeats, medians")
    heads = ("samples/s", "of bare", "front ms", "engine ms", "whole s", "of bare")
    print(f"{'':9}" + "".join(f" {head:>9}" for head in heads))
    for name, rows in measured.items():

        def median(key: str, rows: list[dict[str, float]] = rows) -> float:
            return statistics.median(row[key] for row in rows)

        def ratio(key: str, rows: list[dict[str, float]] = rows) -> float:
            pairs = zip(rows, measured["bare"], strict=True)
            return statistics.median(row[key] / bare[key] for row, bare in pairs)

        print(
            f"{name:9} {median('samples_per_second'):9.1f} {ratio('samples_per_second'):9.2f}"
            f" {median('front_cpu_ms'):9.1f} {median('engine_cpu_ms'):9.1f}"
            f" {median('whole'):9.1f} {ratio('whole'):9.2f}"
        )


CONTENDERS: dict[str, Callable[[Path, str], dict[str, float]]] = {
    "bare": run_bare,
    "bench": run_bench,
    "lm_eval": run_lm_eval,
}

if __name__ == "__main__":
    main()
