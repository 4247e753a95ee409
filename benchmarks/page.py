"""How long the leaderboard's page takes to write and to open, and what it weighs, at full size.

Synthetic logs, 20 checkpoints x 5 tasks x 2,000 samples with pictures and completions, are written once to a
folder (`--logs`, kept when it is there). Opening is measured in headless Chromium where there is one.

    .venv/bin/python benchmarks/page.py [--checkpoints 20] [--tasks 5] [--samples 2000]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from PIL import Image

HOME = Path(__file__).parent.parent
sys.path[:0] = [str(HOME), str(HOME / "tests" / "results")]

from browser import Browser, chromium  # type: ignore[import-not-found]  # noqa: E402

from results.board.standings import leaderboard  # noqa: E402
from results.chosen.folder import read_runs  # noqa: E402
from results.page.leaderboard_page import page  # noqa: E402

WORDS = (
    *("the", "bar", "of", "this", "chart", "shows", "that", "letter", "value", "is", "higher"),
    *("than", "each", "other", "and", "so", "we", "read", "it", "next"),
)
PER_PICTURE = 4
WHEN = "2026-11-21T12:00:00+00:00"


def picture(number: int) -> str:
    """A PNG of 512 x 384 with as much detail as a chart, as a data URI."""
    generator = np.random.default_rng(number)
    pixels = np.full((384, 512, 3), 255, dtype=np.uint8)
    for bar in range(12):
        height = int(generator.integers(40, 340))
        pixels[360 - height : 360, 30 + bar * 38 : 56 + bar * 38] = generator.integers(0, 220, 3)
    pixels[generator.integers(0, 384, 300), generator.integers(0, 512, 300)] = 90
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def completion(generator: random.Random, answer: str) -> str:
    """About 900 characters of reasoning and a boxed answer."""
    return " ".join(generator.choices(WORDS, k=190)) + f"\n\n\\boxed{{{answer}}}"


def write_log(file: Path, task: int, checkpoint: int, samples: int, pictures: list[str]) -> None:
    """One finished inspect log with what the reader uses of it."""
    generator = random.Random(f"{task} {checkpoint}")
    name = f"synthetic_{task}"
    ids = [f"s{number:05d}" for number in range(samples)]
    header = {
        "version": 2, "status": "success",
        "eval": {
            "created": WHEN, "task": name, "task_version": "1-A", "model": "none",
            "run_id": "r", "task_id": "t",
            "dataset": {"name": name, "samples": samples, "sample_ids": ids}, "config": {},
            "scorers": [{"name": "boxed"}],
            "metadata": {
                "identity": {"task_version": "1-A", "data_hash": f"d{task}", "prompt_hash": "p"},
                "report": {"by": ["group"], "cluster": "image"},
                "model": {
                    "model": f"checkpoints/run/step-{checkpoint}", "parameters": 1_200_000,
                    "weights_digest": hashlib.sha256(str(checkpoint).encode()).hexdigest(),
                },
            },
        },
        "plan": {"config": {"temperature": 0}},
    }  # fmt: skip
    summaries = []
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for number, own in enumerate(ids):
            hard = random.Random(f"{task} {number}").random()
            right = 0.7 * hard + 0.3 * generator.random() < 0.3 + 0.03 * checkpoint
            target = str(number % 50)
            answer = target if right else str(generator.randrange(50))
            metadata = {
                "question": f"What is the value of bar {number} in this synthetic chart?",
                "group": f"group {number % 10}", "image": f"{task}-{number // PER_PICTURE}",
            }  # fmt: skip
            flags = {"no_answer": False, "truncated": False, "anywhere": right}
            score = {"value": "C" if right else "I", "answer": answer, "metadata": flags}
            summary = {
                "id": own, "epoch": 1, "target": target, "metadata": metadata, "scores": {"boxed": score},
                "started_at": WHEN, "completed_at": "2026-11-21T12:00:30+00:00",
                "model_usage": {"m": {"output_tokens": 200}},
            }  # fmt: skip
            summaries.append(summary)
            text = completion(generator, answer)
            sample = {
                **summary,
                "input": [{"role": "user", "content": [
                    {"type": "image", "image": "attachment://a"},
                    {"type": "text", "text": metadata["question"]},
                ]}],
                "output": {"choices": [{"message": {"role": "assistant", "content": text}}]},
                "attachments": {"a": pictures[(number // PER_PICTURE) % len(pictures)]},
            }  # fmt: skip
            archive.writestr(f"samples/{own}_epoch_1.json", json.dumps(sample))
        archive.writestr("summaries.json", json.dumps(summaries))
        archive.writestr("header.json", json.dumps(header))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoints", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=5)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--logs", type=Path, default=Path(tempfile.gettempdir()) / "tunebench-page-logs")
    given = parser.parse_args()
    folder = given.logs / f"{given.checkpoints}-{given.tasks}-{given.samples}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for task in range(given.tasks):
            pictures = [picture(task * 1000 + n) for n in range(given.samples // PER_PICTURE)]
            for checkpoint in range(given.checkpoints):
                write_log(folder / f"{task}-{checkpoint}.eval", task, checkpoint, given.samples, pictures)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{given.checkpoints} x {given.tasks} x {given.samples} samples, {size / 1e6:,.0f} MB of logs")

    start, cpu = time.perf_counter(), time.process_time()
    runs = read_runs([folder]).runs
    read, cpu_read = time.perf_counter(), time.process_time()
    board = leaderboard(runs)
    built, cpu_built = time.perf_counter(), time.process_time()
    made = page(board)
    written, cpu_written = time.perf_counter(), time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    file = folder.parent / f"{folder.name}.html"
    file.write_text(made.text, encoding="utf-8")
    print(f"reading {read - start:.1f} s, leaderboard {built - read:.1f} s, page {written - built:.1f} s")
    steps = (cpu_read - cpu, cpu_built - cpu_read, cpu_written - cpu_built)
    print("of CPU:", ", ".join(f"{step:.1f} s" for step in steps))
    print(f"peak memory {peak:,.0f} MiB; page: {made.summary}")

    executable = chromium()
    if executable is None:
        print("no Chromium here: opening was not measured")
        return
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(executable, Path(profile))
        try:
            times = sorted(browser.open(file) for _ in range(5))
            print(f"opened and drawn: median {times[2]:.2f} s ({times[0]:.2f} to {times[-1]:.2f})")
            sort = browser.run(_timed("document.querySelector('#leaderboard th button').click()"))
            turn = browser.run(_timed("document.querySelectorAll('#tasks button')[2].click()"))
            search = browser.run(_timed(
                "(() => { const box = document.querySelector('#samples input[type=checkbox]'); box.click();"
                "const s = document.querySelector('#samples input[type=search]'); s.value = 'bar 199';"
                "s.dispatchEvent(new Event('input')) })()"
            ))  # fmt: skip
            print(f"sorting {sort:.0f} ms, another task {turn:.0f} ms, search over a task {search:.0f} ms")
            memory = browser.run("performance.memory.usedJSHeapSize / 1e6")
            print(f"script memory {memory:.0f} MB; errors: {browser.errors or 'none'}")
        finally:
            browser.close()


def _timed(expression: str) -> str:
    return f"(() => {{ const t = performance.now(); {expression}; return performance.now() - t }})()"


if __name__ == "__main__":
    main()
