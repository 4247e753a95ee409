"""Two tiny students' essays, judged by a model that the real vLLM serves, interrupted and resumed once."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task
from inspect_ai.log import read_eval_log

from bench.building.pair_set import write_pairs
from bench.judging.pairwise import pairs_of, refuse_the_blind
from bench.registry import judging as judging_task
from bench.running.request import RunRequest
from bench.running.run import named_task, run_one
from bench.serving.model import ModelRequest, ServedModel, resolve_model
from results.logs.logged_run import Run
from results.verdicts.judging import read_judging
from results.verdicts.judging_table import judging_json
from results.verdicts.win_rate import win_rates
from scorers.judges.judge_prompt import shown_texts
from scorers.judges.verdict import parse_verdict
from trainers.models.untrained_nano import write_untrained

pytest.importorskip("vllm")
pytestmark = pytest.mark.engine

SIZE = 6


def student_run(served: ServedModel, folder: Path, drive: Any, quiet: Any) -> Run:
    """The task run by a tiny model: sixteen tokens of noise for each chart."""
    asked = RunRequest(
        tasks=("ielts_essay",),
        models=("tiny",),
        log_dir=folder,
        dataset_args={"size": SIZE, "seed": 2},
        max_tokens=16,
    )
    task = named_task("ielts_essay", asked.dataset_args)
    run: Run = drive(run_one(asked, task, served, quiet))
    return run


def test_essays_of_two_students_through_the_real_engine(
    served: ServedModel, drive: Any, tmp_path: Path, quiet: Any
) -> None:
    other = resolve_model(ModelRequest(f"transformers/{write_untrained(tmp_path / 'other', seed=1)}"))
    one = student_run(served, tmp_path / "logs", drive, quiet)
    two = student_run(other, tmp_path / "logs", drive, quiet)
    drive(other.model.api.aclose())
    pairs = pairs_of(
        [(one.location, [one]), (two.location, [two])],
        against=None,
        reference=None,
        task=None,
        text_only=False,
        limit=None,
        show=quiet,
    )
    calls = 2 * SIZE
    task = judging_task(pairs=str(write_pairs(pairs)))
    assert isinstance(task, Task)
    asked = RunRequest(tasks=(), models=("tiny",), log_dir=tmp_path / "judged", max_tokens=24)
    engine = served.local
    assert engine is not None
    made: list[str] = []
    generate = engine.generate

    async def counted(input: Any, *rest: Any, **more: Any) -> Any:
        output = await generate(input, *rest, **more)
        made.append(input[-1].text)
        return output

    class CutOff(Exception):
        pass

    class Impatient(type(quiet)):  # type: ignore[misc]
        """Gives up in the middle."""

        def samples(self, label: str, total: int) -> Any:
            done = iter(range(total))

            def advance() -> None:
                if next(done) == 4:
                    raise CutOff

            return contextlib.nullcontext(advance)

    engine.generate = counted  # type: ignore[method-assign]
    try:
        with pytest.raises(CutOff):
            drive(run_one(asked, task, served, Impatient(), refuse_the_blind))
        # The small picture that shows whether a judge can see at all, and what was judged before the cut.
        assert made[0] == "What colour is this?"
        before = len(made)
        assert 5 <= before - 1 <= calls
        run = drive(run_one(replace(asked, resume=True), task, served, quiet))
    finally:
        engine.generate = generate  # type: ignore[method-assign]
    judged_texts = made[1:]
    assert len(judged_texts) == len(set(judged_texts)) == calls
    assert run.status == "success"
    assert len(list((tmp_path / "judged").glob("*.eval"))) == 1

    judging = read_judging(run.location)
    assert len(judging.calls) == calls
    assert {(c.sample, c.a, c.shown_first) for c in judging.calls} == {
        (item.id, a, shown) for item in pairs.items for a, _ in pairs.meetings for shown in ("a", "b")
    }
    # Whatever noise a tiny model writes is read as it stands, and counted.
    for sample in read_eval_log(run.location).samples or ():
        said = parse_verdict(sample.output.completion)
        call = next(c for c in judging.calls if c.call == sample.id)
        assert call.said == said
        item = next(item for item in pairs.items if item.id == sample.metadata["judged"])
        shown = shown_texts(sample.input[-1].text)  # type: ignore[union-attr]
        assert {shown["FIRST"], shown["SECOND"]} == {item.texts[call.a], item.texts[call.b]}
        assert sample.output.usage is not None
        # The picture takes part of the prompt's tokens; without it they would be text alone.
        assert any(part.type == "image" for part in sample.input[-1].content)  # type: ignore[union-attr]
    assert {call.reason for call in judging.calls} <= {None, "judge_unparsed", "truncated"}
    for rate in win_rates(judging):
        assert rate.rates.pairs == SIZE
        scored = rate.rates.win.n if rate.rates.win else 0
        assert scored + sum(rate.rates.unscored.values()) == SIZE
    # The judge is one of the students, and says so.
    assert any("judges its own texts" in line for line in judging.warnings)
    assert judging_json(judging)["warnings"]
