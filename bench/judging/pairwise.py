"""Logs → pairs → a judge's verdicts, through the same machinery as any run."""

from __future__ import annotations

import base64
import dataclasses
import io
import random
from collections.abc import Sequence
from pathlib import Path

from inspect_ai import Task
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, GenerateConfig

from bench.building.pair_set import JudgedSample, PairSet, Recorded, write_pairs
from bench.errors import NotComparableError, RequestError, did_you_mean
from bench.judging.pairs import pair_up
from bench.registry import judging
from bench.running.request import RunRequest, Show
from bench.running.run import run
from bench.serving.judge_rules import RuleAPI
from bench.serving.model import ServedModel
from results.logs.logged_run import Run
from results.verdicts.judged_runs import judged_runs
from results.verdicts.judging import GOLDEN, Judging, VerdictWord, read_judging
from scorers.essays.step_markers import structured_to_plain


def pairs_of(
    sides: Sequence[tuple[str, Sequence[Run]]],
    *,
    against: str | None,
    reference: Sequence[Run] | None,
    task: str | None,
    text_only: bool,
    limit: int | None,
    show: Show,
) -> PairSet:
    """The pairs of what a user named: runs of one task, one of each side.

    sides: (what was given, its runs). against: GOLDEN, or what was given for ``reference``, or None.
    NotComparableError where the sides have no task in common, RequestError where they have several.
    """
    named = _one_task([*sides, *([(str(against), reference)] if reference else [])], task)
    chosen = [_run(runs, named) for _, runs in sides]
    total = sum(len(run.outcomes) for run in chosen)
    with show.samples("reading the texts", total) as advance:
        return pair_up(
            chosen,
            golden=against == GOLDEN,
            reference=_run(reference, named) if reference else None,
            text_only=text_only,
            limit=limit,
            advance=advance,
            golden_text=structured_to_plain,
        )


def judge(pairs: PairSet, request: RunRequest, show: Show) -> list[Judging]:
    """Each judge's verdicts on the pairs. request: whose models are the judges.

    Raises what `bench.running.run.run` does, and RequestError for a judge that does not take pictures.
    """
    try:
        ready = refuse_the_blind if any(item.pictures for item in pairs.items) else None
        runs = run(request, show, [pairs_task(pairs)], ready)
    except RequestError as error:
        # The judge is a model like any other to whoever resolves it.
        raise RequestError(str(error).replace("--model ", "--judge ")) from error
    return [read_judging(one.location) for one in runs]


async def refuse_the_blind(judge: ServedModel) -> None:
    """RequestError when the judge does not take a picture: one request of one token, with a small one."""
    if isinstance(judge.model.api, RuleAPI):
        return
    picture = ContentImage(image=_small_picture())
    message = ChatMessageUser(content=[picture, ContentText(text="What colour is this?")])
    try:
        await judge.model.generate([message], config=GenerateConfig(max_tokens=1, max_retries=1, timeout=120))
    except Exception as error:  # in as many kinds as there are providers
        # inspect puts the whole request before what its provider said.
        said = error.__cause__ or error
        reason = " ".join(str(said).split())[:300] or type(said).__name__
        raise RequestError(
            f"--judge {judge.name} did not take a picture ({reason}). A judge must see the charts that the "
            "texts describe: name another judge, or use --text-only, which the result then says"
        ) from error


def _small_picture() -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "steelblue").save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def pairs_task(pairs: PairSet) -> Task:
    """The judging of the pairs as the registered task, so that inspect can make it again."""
    made: Task = judging(pairs=str(write_pairs(pairs)))
    return made


def anchors(pairs: PairSet, judged: Judging, *, size: int, bound: float, seed: int = 0) -> PairSet:
    """A drawn part of the pairs whose calls all have a verdict, with these verdicts.

    RequestError when there is none.
    """
    said: dict[str, VerdictWord] = {call.call: call.said for call in judged.calls if call.said is not None}
    calls: dict[str, list[str]] = {}
    for call, item, *_ in pairs.shown():
        calls.setdefault(item.id, []).append(call)
    whole = [item for item in pairs.items if item.id in calls and all(c in said for c in calls[item.id])]
    if not whole:
        raise RequestError(
            "--save-anchors: no pair has a verdict in both orders, so there is nothing to keep"
        )
    drawn: Sequence[JudgedSample] = random.Random(seed).sample(whole, min(size, len(whole)))
    kept = {item.id for item in drawn}
    recorded = {call: said[call] for item in drawn for call in calls[item.id]}
    return pairs.model_copy(
        update={
            "items": tuple(item for item in pairs.items if item.id in kept),
            "left_out": {},
            "recorded": Recorded(
                judge=judged.judge,
                prompt=str(judged.run.identity.get("prompt_hash")),
                bound=bound,
                verdicts=recorded,
            ),
        }
    )


def only_judges(request: RunRequest) -> RunRequest:
    """The request, its judges checked to be some. RequestError when none is named."""
    if not request.models:
        raise RequestError(
            "--judge: name who judges, such as openai/gpt-4o, ./checkpoints/judge or judge/longer; there "
            "is no default, for a model would judge its own texts"
        )
    return dataclasses.replace(request, limit=None, sample_ids=(), epochs=None)


def _one_task(sides: Sequence[tuple[str, Sequence[Run] | None]], task: str | None) -> str:
    # A win rate is a number of texts, and has no texts of its own.
    tasks = [{run.task for run in runs or () if not run.identity.get("judge")} for _, runs in sides]
    shared = sorted(set.intersection(*tasks))
    if task is not None:
        if task not in shared:
            known = ", ".join(shared) or "none"
            raise RequestError(f"--task {task}: the logs have in common {known}{did_you_mean(task, shared)}")
        return task
    if not shared:
        said = "; ".join(
            f"{given}: {', '.join(sorted(own)) or 'none'}"
            for (given, _), own in zip(sides, tasks, strict=True)
        )
        raise NotComparableError(f"no task in common ({said}); judge logs of one task")
    if len(shared) > 1:
        raise RequestError(f"{len(shared)} tasks in common, {', '.join(shared)}; say which with --task")
    return shared[0]


def _run(runs: Sequence[Run], task: str) -> Run:
    found = next(run for run in runs if run.task == task)
    if not Path(found.location.removeprefix("file://")).is_file():
        raise RequestError(
            f"{found.location}: no such log here (a baseline keeps no texts); give a log, or folder@model"
        )
    return found


def judged_against_golden(run: Run, request: RunRequest, show: Show) -> list[Run]:
    """A run's win rates against its targets, one run for each judge that the request names."""
    pairs = pairs_of(
        [(run.location, [run])],
        against=GOLDEN,
        reference=None,
        task=run.task,
        text_only=False,
        limit=None,
        show=show,
    )
    return [one for judging in judge(pairs, request, show) for one in judged_runs(judging)]
