"""What tests of results share: logs of several checkpoints on two tasks, and a real browser."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, StopReason
from PIL import Image

from scorers.boxed.boxed_scorer import boxed
from solvers.replay import replay

# What a model may write: markup, the end of a script, markdown, colours of a terminal, a turned direction.
HOSTILE = (
    "<script>alert(1)</script></script><img src=x onerror=alert(1)> **bold** \x1b[31mred\x1b[0m "
    "\u2028 \u202e <!-- \\boxed{7}"
)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def lineage(base: str, parent: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "recipe": "chart_sft",
        "base": base,
        "base_digest": digest(base),
        "data": {"examples": 90, "groups": {"chart": {"bar": 60, "pie": 30}}},
        "loss_history": [
            {"step": 10, "loss": 2.0},
            {"step": 20, "loss": 1.0},
            {"step": 20, "validation_loss": 1.2},
        ],
        **({"parent": parent} if parent else {}),
    }


LINEAGES: Mapping[str, dict[str, Any] | None] = {
    "base": None,
    "tuned": lineage("base"),
    "tuned-more": lineage("tuned", lineage("base")),
}


@pytest.fixture(scope="session")
def checkpoint_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real logs: base, tuned and tuned-more on ``counts`` (24 samples, 2 a picture) and ``letters`` (12).

    On counts base has 6 right, tuned 18, tuned-more 20; on letters base has 9 and the others 3. Sample s6
    of counts is answered with HOSTILE by the tuned ones.
    """
    folder = tmp_path_factory.mktemp("checkpoint logs")
    right = {"base": (6, 9), "tuned": (18, 3), "tuned-more": (20, 3)}
    tasks = []
    for name, (counts, letters) in right.items():
        tasks.append(_task(folder, name, "counts", 24, counts, [str(7 + n % 3) for n in range(24)]))
        tasks.append(_task(folder, name, "letters", 12, letters, ["ABC"[n % 3] for n in range(12)]))
    inspect_eval(
        tasks, model=None, log_dir=str(folder), display="none", log_images=True, ctl_server=False, max_tasks=6
    )
    return folder


def _task(folder: Path, name: str, task: str, n: int, right: int, targets: list[str]) -> Task:
    samples = []
    completions: dict[str, tuple[str, StopReason]] = {}
    for number in range(n):
        picture = folder / "pictures" / f"{task}-{number // 2}.png"
        if not picture.is_file():
            picture.parent.mkdir(exist_ok=True)
            Image.new("RGB", (64, 48), (number * 9, 80, 160)).save(picture)
        question = f"<i>How</i> many in {number}?" if task == "counts" else f"Which letter in {number}?"
        samples.append(
            Sample(
                id=f"s{number}",
                input=[
                    ChatMessageUser(content=[ContentImage(image=str(picture)), ContentText(text=question)])
                ],
                target=targets[number],
                metadata={
                    "question": question,
                    "chart": "pie" if number % 4 == 3 else "bar",
                    "image": f"{task}-{number // 2}",
                    "cluster": f"{task}-{number // 2}",
                },
            )
        )
        answer = targets[number] if number < right else "no" if task == "counts" else "A"
        text = "I cannot tell" if number == n - 1 and name == "base" else f"So \\boxed{{{answer}}}"
        hostile = number == 6 and task == "counts" and name != "base"
        completions[f"s{number}"] = (HOSTILE if hostile else text, "stop")
    return Task(
        name=task,
        version="1-A",
        dataset=MemoryDataset(samples),
        scorer=boxed(),
        fail_on_error=False,
        solver=replay(completions, name),
        metadata={
            "identity": {"task_version": "1-A", "data_hash": f"data of {task}", "prompt_hash": "p"},
            "report": {"by": ["chart"], "cluster": "cluster"},
            "model": {
                "model": f"checkpoints/{name}",
                "weights_digest": digest(name),
                "parameters": 1_200_000,
                "lineage": LINEAGES[name],
            },
        },
    )


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium; the test is skipped where there is none."""
    pytest.importorskip("websockets")
    spec = importlib.util.spec_from_file_location("browser", Path(__file__).with_name("browser.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    executable = module.chromium()
    if executable is None:
        pytest.skip(f"none of {', '.join(module.NAMES)} is here")
    opened = module.Browser(executable, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()
