"""Which texts are better? Pairs of them shown to a judge, in both orders."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.commands.chosen_runs import find_runs
from bench.commands.options import Json, Limit, LogDir, ModelArgs, ModelBaseUrl, Resume, Seed, TrustRemoteCode
from bench.commands.terminal import TerminalShow, console, inspect_display, names, pairs
from bench.errors import IncompleteRunError, RequestError

if TYPE_CHECKING:
    from bench.building.pair_set import PairSet
    from bench.running.request import RunRequest
    from results.verdicts.judging import Judging


def judge(
    logs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LOG…", help="Whose texts to judge: two or more logs, or folders with @model."
        ),
    ] = None,
    judges: Annotated[
        str | None,
        typer.Option(
            "--judge", metavar="M[,M]", help="The judge, as --model in `bench run`; or a rule, judge/longer…"
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="golden|LOG", help="Compare each LOG with the golden texts, or with this LOG."),
    ] = None,
    task: Annotated[str | None, typer.Option(help="The task to judge, when the logs share several.")] = None,
    limit: Limit = None,
    text_only: Annotated[
        bool, typer.Option("--text-only", help="Judge without the pictures; the result says so.")
    ] = False,
    human: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="People's choices (id, choice, rater), to compare with."),
    ] = None,
    anchors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Judge a frozen set again; exit code 1 when too few verdicts hold."
        ),
    ] = None,
    save_anchors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Freeze a random part of these pairs and verdicts.")
    ] = None,
    anchors_size: Annotated[int, typer.Option(min=1, help="Pairs in --save-anchors.")] = 50,
    bound: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Smallest share of the frozen verdicts that must hold (0.9)."),
    ] = None,
    log_dir: LogDir = Path("logs"),
    resume: Resume = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be judged and one whole prompt; run nothing.")
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N new tokens per reply (1024).")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(min=0, help="Sampling temperature of the judge (0).")
    ] = None,
    seed: Seed = None,
    model_arg: ModelArgs = None,
    model_base_url: ModelBaseUrl = None,
    trust_remote_code: TrustRemoteCode = False,
    show: Annotated[
        Literal["bar", "plain", "none"], typer.Option(help="Progress: a bar, lines, none.")
    ] = "bar",
    as_json: Json = False,
) -> None:
    """Show a judge two texts per sample, in both orders: win rates, verdicts that change, agreement.

    Exit code 1 means that --anchors fail, 2 wrong request, 3 no task in common, 4 not completed.
    """
    from bench.judging.pairwise import judge as judge_pairs
    from bench.judging.pairwise import only_judges
    from bench.running.request import RunRequest

    inspect_display("none")
    shown = TerminalShow(console(stderr=True), bar=show == "bar", quiet=show == "none")
    request = RunRequest(
        tasks=(),
        models=names(judges, "--judge") if judges else (),
        log_dir=log_dir,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        resume=resume,
        model_args=pairs(model_arg, "-M"),
        base_url=model_base_url,
        trust_remote_code=trust_remote_code,
    )
    if not dry_run:
        request = only_judges(request)
    if save_anchors is not None and len(request.models) > 1:
        raise RequestError("--save-anchors keeps the verdicts of one judge; name one in --judge")
    if human is not None and not human.is_file():
        raise RequestError(f"--human {human}: no such file; give a CSV with the columns id and choice")
    chosen = (
        _frozen(anchors, logs, against, limit)
        if anchors
        else _paired(logs, against, task, limit, text_only, shown)
    )
    if dry_run:
        _describe(chosen, request, as_json)
        return
    judgings = judge_pairs(chosen, request, shown)
    if save_anchors is not None:
        _save(chosen, judgings, save_anchors, anchors_size, 0.9 if bound is None else bound)
    held = True
    if anchors is not None:
        held = _print_drift(chosen, judgings, bound, as_json)
    else:
        _print(judgings, human, as_json)
    if all(call.said is None for judging in judgings for call in judging.calls):
        raise IncompleteRunError("no reply had a verdict; look at them with `bench view`")
    if not held:
        sys.exit(1)


def _paired(
    logs: list[str] | None,
    against: str | None,
    task: str | None,
    limit: int | None,
    text_only: bool,
    shown: TerminalShow,
) -> PairSet:
    from bench.judging.pairwise import pairs_of
    from results.verdicts.judging import GOLDEN

    given = logs or []
    if len(given) < (1 if against else 2):
        raise RequestError(
            f"{len(given)} LOG given: name two, whose texts are compared, or one with --against golden"
        )
    if len(set(given)) < len(given):
        raise RequestError(f"{max(given, key=given.count)} is named twice; name each LOG once")
    reference = find_runs(against) if against not in (None, GOLDEN) else None
    return pairs_of(
        [(name, find_runs(name)) for name in given],
        against=against,
        reference=reference,
        task=task,
        text_only=text_only,
        limit=limit,
        show=shown,
    )


def _frozen(file: Path, logs: list[str] | None, against: str | None, limit: int | None) -> PairSet:
    from bench.building.pair_set import read_pairs

    if logs or against or limit:
        raise RequestError("--anchors FILE has its own pairs; leave out LOG, --against and --limit")
    found = read_pairs(file)
    if found.recorded is None:
        raise RequestError(f"{file}: holds pairs and no verdicts; `bench judge … --save-anchors` writes both")
    return found


def _describe(chosen: PairSet, request: RunRequest, as_json: bool) -> None:
    import yaml

    from bench.building.judging_task import describe_judging
    from bench.judging.pairwise import pairs_task

    said = describe_judging(pairs_task(chosen), request.models)
    if as_json:
        print(json.dumps(said, indent=2, ensure_ascii=False))
        return
    prompt = said["prompt"]
    plain = {name: value for name, value in said.items() if name != "prompt"}
    print(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100), end="")
    print(f"\none whole prompt, {prompt['sample']}:")
    for part in prompt["parts"]:
        print(f"\n[picture {part['picture']}]" if "picture" in part else f"\n{part['text']}")


def _print(judgings: Sequence[Judging], human: Path | None, as_json: bool) -> None:
    from results.verdicts.agreement import between, judged, krippendorff_alpha
    from results.verdicts.judging_table import agreement_json, judging_json, print_agreement, print_judgings

    rated = {judging.judge: judged(judging) for judging in judgings}
    clusters = {key: cluster for _, own in rated.values() for key, cluster in own.items()}
    judges = {name: outcomes for name, (outcomes, _) in rated.items()}
    people = _people(human, judgings[0]) if human is not None else {}
    everyone = {**judges, **people}
    found = between(everyone, clusters)
    alpha = krippendorff_alpha(list(everyone.values())) if len(everyone) > 1 else None
    if as_json:
        said: dict[str, Any] = {
            "judgings": [judging_json(judging) for judging in judgings],
            "agreement": [agreement_json(one) for one in found],
            "krippendorff_alpha": {"value": _number(alpha[0]), "n": alpha[1]} if alpha else None,
        }
        print(json.dumps(said, indent=2, ensure_ascii=False))
        return
    out = console()
    print_judgings(judgings, out)
    if found:
        print_agreement("agreement", found, alpha, out)
    out.print()
    for judging in judgings:
        out.print(f"log: {judging.run.location}", soft_wrap=True, markup=False, highlight=False)


def _number(value: float) -> float | None:
    return None if value != value else value


def _people(file: Path, judging: Judging) -> dict[str, Any]:
    from results.verdicts.agreement import read_choices

    known: dict[str, str] = {}
    for key, identity in judging.contestants.items():
        name = str(identity.get("model") or key)
        for word in (name, name.rstrip("/").rsplit("/", 1)[-1]):
            # A name that two contestants share says nothing.
            known[word] = "" if word in known else key
    known = {word: key for word, key in known.items() if key}
    samples = {call.sample for call in judging.calls}
    try:
        return dict(read_choices(file, judging.meetings, samples, known))
    except OSError as error:
        raise RequestError(f"--human {file}: {error.strerror}; give a CSV with id and choice") from error
    except ValueError as error:
        raise RequestError(f"--human {error}") from error


def _print_drift(chosen: PairSet, judgings: Sequence[Judging], bound: float | None, as_json: bool) -> bool:
    from results.verdicts.agreement import drift
    from results.verdicts.judging_table import drift_json, print_drift

    recorded = chosen.recorded
    assert recorded is not None
    least = recorded.bound if bound is None else bound
    try:
        found = [drift(judging, recorded.verdicts, least) for judging in judgings]
    except ValueError as error:
        raise IncompleteRunError(f"--anchors: {error}") from error
    if as_json:
        rows = [drift_json(judging, one) for judging, one in zip(judgings, found, strict=True)]
        print(json.dumps({"recorded_by": recorded.judge, "judges": rows}, indent=2, ensure_ascii=False))
    else:
        for judging, one in zip(judgings, found, strict=True):
            print_drift(judging, one, recorded.judge, console())
            if judging.run.identity.get("prompt_hash") != recorded.prompt:
                print("note: the rubric's words have changed since", file=sys.stderr)
    return all(one.held for one in found)


def _save(chosen: PairSet, judgings: Sequence[Judging], file: Path, size: int, bound: float) -> None:
    from bench.building.pair_set import write_pairs
    from bench.judging.pairwise import anchors

    frozen = anchors(chosen, judgings[0], size=size, bound=bound)
    write_pairs(frozen, file, embed=True)
    kept = len(frozen.recorded.verdicts) if frozen.recorded else 0
    said = f"{len(frozen.items)} samples, {kept} verdicts of {judgings[0].judge}; {bound:g} of them must hold"
    print(f"{file}: {said}; check a judge: bench judge --anchors {file} --judge …", file=sys.stderr)
