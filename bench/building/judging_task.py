"""Pairs of texts → an inspect task that shows each pair to a judge in both orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageUser, Content, ContentImage, ContentText, GenerateConfig

from bench.building.pair_set import JudgedSample, Order, PairSet, read_pairs
from bench.records.identity import image_digest
from scorers.judges.judge_prompt import RUBRIC_VERSION, Picture, pair_prompt, rubric_digest
from scorers.judges.verdict_scorer import verdict
from solvers.completion import completion

# A judge reasons in a few sentences before its verdict; a cut reply has none, and is counted.
_MAX_TOKENS = 1024
_NO_PICTURE = "the picture is neither in the log nor where the run read it"


def judging_task(file: Path) -> Task:
    """The judging of a file of pairs: one sample for each pair and order, everything in the file's words."""
    pairs = read_pairs(file)
    samples = [_sample(pairs, *shown) for shown in pairs.shown()]
    return Task(
        name=f"{pairs.task}-judged",
        version=RUBRIC_VERSION,
        dataset=MemoryDataset(samples, name=f"{pairs.task}-judged"),
        solver=completion(),
        scorer=verdict(),
        config=GenerateConfig(temperature=0.0, max_tokens=_MAX_TOKENS),
        fail_on_error=False,
        metadata={
            "identity": {
                "task": f"{pairs.task}-judged",
                "task_version": RUBRIC_VERSION,
                "data_hash": pairs.digest(),
                "prompt_hash": rubric_digest(text_only=pairs.text_only),
                "records": len(pairs.items),
                "judging": _said(pairs),
            },
            "report": {"by": list(pairs.by), "cluster": "cluster"},
        },
    )


def _said(pairs: PairSet) -> dict[str, Any]:
    """What the log's header keeps of the pairs: whose texts they are, and what could not be shown."""
    return {
        "task": pairs.task,
        "identity": pairs.identity,
        "by": list(pairs.by),
        "contestants": [one.model_dump() for one in pairs.contestants],
        "meetings": [list(pair) for pair in pairs.meetings],
        "reference": pairs.reference,
        "text_only": pairs.text_only,
        "left_out": pairs.left_out,
        "golden_teachers": list(pairs.golden_teachers),
        "anchors": pairs.recorded is not None,
    }


def _sample(pairs: PairSet, sample_id: str, item: JudgedSample, a: str, b: str, order: Order) -> Sample:
    first, second = (a, b) if order == "ab" else (b, a)
    picture: Picture = "withheld" if pairs.text_only else "shown" if item.pictures else "none"
    prompt = pair_prompt(item.asked, item.texts[first], item.texts[second], picture)
    # An image message part is a path here; the run sends its bytes.
    parts: list[Content] = [ContentImage(image=file) for file in item.pictures if file is not None]
    parts.append(ContentText(text=prompt))
    metadata: dict[str, Any] = {
        **item.groups,
        "judged": item.id,
        "text_a": a,
        "text_b": b,
        "shown_first": order[0],
        "words_a": len(item.texts[a].split()),
        "words_b": len(item.texts[b].split()),
        "cluster": item.cluster,
    }
    if None in item.pictures:
        metadata["unreadable"] = _NO_PICTURE
    elif item.pictures and item.pictures[0] is not None:
        metadata["image"] = image_digest(Path(item.pictures[0]))[:16]
        metadata["image_file"] = item.pictures[0]
    # What rules may read and no model is sent.
    message: ChatMessage = ChatMessageUser(content=parts, metadata={"data": item.data})
    return Sample(id=sample_id, input=[message], target="", metadata=metadata)


def describe_judging(task: Task, judges: Sequence[str]) -> Mapping[str, Any]:
    """What would be judged, and one whole prompt, as plain data."""
    identity = (task.metadata or {})["identity"]
    said = identity["judging"]
    samples = list(task.dataset)
    first = samples[0]
    assert not isinstance(first.input, str)
    content = first.input[0].content
    return {
        "judges": list(judges),
        "task": said["task"],
        "contestants": [one["key"] for one in said["contestants"]],
        "meetings": [f"{a} vs {b}" for a, b in said["meetings"]],
        "pairs": len(samples) // 2,
        "calls": len(samples) * len(judges),
        "left_out": said["left_out"],
        "text_only": said["text_only"],
        "data_hash": identity["data_hash"],
        "prompt_hash": identity["prompt_hash"],
        "prompt": {
            "sample": first.id,
            "parts": [
                {"picture": part.image} if isinstance(part, ContentImage) else {"text": part.text}
                for part in (content if isinstance(content, list) else [])
                if isinstance(part, ContentImage | ContentText)
            ],
        },
    }
