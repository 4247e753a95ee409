"""Texts of several contestants on the same samples, and the pairs of them that a judge is shown.

Read from logs, kept in one JSON file: the judging is a registered task over that file, so that inspect finds
all of it again, and a file with verdicts in it is a set of anchors.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import mimetypes
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import IncompleteRunError, NotComparableError, RequestError
from bench.records.identity import image_digest
from bench.records.images import image_file
from results.compared.comparable import identity_problems
from results.logs.log_file import local_path
from results.logs.logged_run import Run, short_name
from results.logs.outcomes import Outcome
from results.logs.sample_file import LoggedSample, SampleFile
from results.shown.natural_order import natural_order
from results.verdicts.judging import GOLDEN, VerdictWord
from tasks.cache import cache_folder

Order = Literal["ab", "ba"]
Progress = Callable[[], None]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contestant(_Kept):
    """Who wrote one text of each sample. key: its name in tables; identity: as its log has it."""

    key: str
    log: str | None = None
    identity: dict[str, Any] = {}


class Item(_Kept):
    """One sample: what was asked, its pictures, and the text of each contestant that has one.

    pictures: files or data: URIs, None for one that is not to be had; none where nothing was to be seen.
    data: what the record says is in the picture, for rules; no model sees it.
    """

    id: str
    asked: str
    pictures: tuple[str | None, ...]
    cluster: str
    groups: dict[str, str]
    texts: dict[str, str]
    data: Any = None


class Recorded(_Kept):
    """Verdicts of an earlier judging: by judge sample id. bound: the least share that must agree."""

    judge: str
    prompt: str
    bound: float
    verdicts: dict[str, VerdictWord]


class PairSet(_Kept):
    """What is to be judged. meetings: who meets whom, as keys. left_out: reason → texts
    without a counterpart. golden_teachers: the models that wrote golden texts, as their records name them.
    """

    tunebench_pairs: Literal[1] = 1
    task: str
    identity: dict[str, Any]
    by: tuple[str, ...]
    contestants: tuple[Contestant, ...]
    meetings: tuple[tuple[str, str], ...]
    reference: str | None
    text_only: bool
    left_out: dict[str, int]
    golden_teachers: tuple[dict[str, str], ...] = ()
    items: tuple[Item, ...]
    recorded: Recorded | None = None

    def shown(self) -> Iterator[tuple[str, Item, str, str, Order]]:
        """Every call: judge sample id, item, the pair's a and b, and which of them is shown first."""
        places = {one.key: str(place) for place, one in enumerate(self.contestants, start=1)}
        for item in self.items:
            for a, b in self.meetings:
                if a in item.texts and b in item.texts:
                    yield f"{item.id}:{places[a]}-{places[b]}", item, a, b, "ab"
                    yield f"{item.id}:{places[b]}-{places[a]}", item, a, b, "ba"

    def digest(self) -> str:
        """SHA-256 over every text, picture and pairing, wherever the pictures lie."""
        content = [
            (sample_id, item.asked, item.texts[a], item.texts[b], order, item.cluster, item.groups)
            for sample_id, item, a, b, order in self.shown()
        ]
        pictures = [
            [None if picture is None else image_digest(Path(picture)) for picture in item.pictures]
            for item in self.items
        ]
        said = json.dumps([content, pictures, self.reference], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def pair_up(
    runs: Sequence[Run],
    *,
    golden: bool,
    reference: Run | None,
    text_only: bool,
    limit: int | None,
    advance: Progress,
    golden_text: Callable[[str], str],
) -> PairSet:
    """The pairs of these runs of one task, by sample id.

    golden: the target is a contestant, and the one that the others meet. reference: so is this run. Without
    either every two runs meet. limit: only the first samples. golden_text: what is shown of a target.
    RequestError where nothing can be shown, NotComparableError where the runs were not asked the same.
    """
    everyone = [*runs, *([reference] if reference else [])]
    _check_same(everyone)
    keys = _keys(everyone)
    against = GOLDEN if golden else keys[-1] if reference else None
    items: dict[str, Item] = {}
    left_out: Counter[str] = Counter()
    taught: set[str] = set()
    silent: set[tuple[str, str]] = set()
    for run, key in zip(everyone, keys, strict=True):
        if (further := len(run.outcomes) - len(set(run.outcomes.ids))) > 0:
            left_out[f"of {key}'s further epochs, the first is judged"] += further
        for outcome, sample in _samples(run, advance):
            if not sample.replied:
                left_out[f"{key} has no text (unscored in its log)"] += 1
                silent.add((outcome.id, key))
                continue
            if outcome.id not in items:
                items[outcome.id] = _item(outcome, sample, text_only=text_only)
                if golden and (text := golden_text(sample.target[0]) if sample.target else "").strip():
                    items[outcome.id].texts[GOLDEN] = text
                    taught |= {str(sample.metadata["teacher"])} if sample.metadata.get("teacher") else set()
            items[outcome.id].texts[key] = sample.completion
    own = keys[:-1] if reference else keys
    meetings = [(key, against) for key in own] if against else list(itertools.combinations(own, 2))
    left_out += Counter(_unpaired(items.values(), meetings, silent))
    paired = [
        items[one]
        for one in sorted(items, key=natural_order)
        if any({a, b} <= items[one].texts.keys() for a, b in meetings)
    ][:limit]
    if not paired:
        raise RequestError(
            f"no sample has two texts to be compared ({_said(left_out) or 'the logs hold none'}); judge logs "
            "of the same task and samples"
        )
    if all(None in item.pictures for item in paired):
        raise RequestError(
            f"{everyone[0].location}: no sample has its picture, in the log or where the run read it, and a "
            "judge must see what the texts describe; run with --log-images, or judge with --text-only"
        )
    contestants = [
        Contestant(key=key, log=str(local_path(run.location).absolute()), identity=_identity(run))
        for run, key in zip(everyone, keys, strict=True)
    ]
    if golden:
        contestants.append(Contestant(key=GOLDEN, identity={"model": GOLDEN}))
    said = everyone[0].identity
    return PairSet(
        task=everyone[0].task,
        identity={name: said.get(name) for name in ("task_version", "data_hash", "prompt_hash")},
        by=everyone[0].report_by,
        contestants=tuple(contestants),
        meetings=tuple(meetings),
        reference=against,
        text_only=text_only,
        left_out=dict(left_out),
        golden_teachers=tuple({"model": name} for name in sorted(taught)),
        items=tuple(paired),
    )


def write_pairs(pairs: PairSet, file: Path | None = None, *, embed: bool = False) -> Path:
    """Write a pair set as JSON; into the cache, named for its content, where no file is given.

    embed: pictures inside the file, for one that travels.
    """
    if embed:
        items = tuple(
            item.model_copy(update={"pictures": tuple(map(_embedded, item.pictures))}) for item in pairs.items
        )
        pairs = pairs.model_copy(update={"items": items})
    content = pairs.model_dump_json(indent=1 if embed else None) + "\n"
    if file is None:
        name = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        file = cache_folder("judging") / f"{name}.json"
        if file.is_file():
            return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(file.name + ".part")
        part.write_text(content, encoding="utf-8", errors="surrogatepass")
        part.replace(file)
    except OSError as error:
        raise IncompleteRunError(
            f"{file}: cannot be written ({error.strerror}); give another place"
        ) from error
    return file


def read_pairs(file: Path) -> PairSet:
    """Read a pair set back; pictures embedded in it become files. RequestError when it is none."""
    try:
        pairs = PairSet.model_validate_json(file.read_text(encoding="utf-8", errors="surrogatepass"))
    except FileNotFoundError:
        raise RequestError(f"{file}: no such file; `bench judge … --save-anchors FILE` writes one") from None
    except (ValidationError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RequestError(f"{file}: no file of pairs to judge ({reason})") from error
    items = tuple(
        item.model_copy(update={"pictures": tuple(_filed(one, file.parent) for one in item.pictures)})
        for item in pairs.items
    )
    return pairs.model_copy(update={"items": items})


def _filed(picture: str | None, folder: Path) -> str | None:
    """The file of a picture; None where there is none."""
    if picture is None:
        return None
    try:
        return str(image_file(picture, folder))
    except ValueError:
        # The judging counts the sample as one whose picture is not to be had.
        return None


def _check_same(runs: Sequence[Run]) -> None:
    first = runs[0]
    for run in runs[1:]:
        ours = {name: value for name, value in first.identity.items() if name != "metric"}
        theirs = {name: value for name, value in run.identity.items() if name != "metric"}
        problems = [] if run.task == first.task else [f"tasks {first.task} and {run.task} differ"]
        problems += identity_problems(run.task, ours, theirs)
        if problems:
            raise NotComparableError("\n".join(problems))


def _keys(runs: Sequence[Run]) -> list[str]:
    """Names that tell the runs apart; two runs of one model get numbers."""
    names = [short_name(run).removeprefix("completions:") for run in runs]
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(f"{name} #{seen[name]}" if names.count(name) > 1 else name)
    if GOLDEN in keys:
        raise RequestError(f"a model is called {GOLDEN!r}, as the target is here; rename its folder")
    return keys


def _identity(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.identity.items() if name not in ("metric", "metrics")}


def _samples(run: Run, advance: Progress) -> Iterator[tuple[Outcome, LoggedSample]]:
    """The samples of a run's first epoch."""
    first = min(run.outcomes.epochs.tolist(), default=1)
    with SampleFile(run.location) as file:
        for outcome in run.outcomes:
            if outcome.epoch == first:
                yield outcome, file.read(outcome.id, outcome.epoch)
                advance()


def _unpaired(
    items: Iterable[Item], meetings: Sequence[tuple[str, str]], silent: Set[tuple[str, str]]
) -> Iterator[str]:
    """Texts without a counterpart, but for those whose counterpart is known to be missing."""
    for item in items:
        for pair in meetings:
            for here, there in (pair, pair[::-1]):
                if here in item.texts and there not in item.texts and (item.id, there) not in silent:
                    yield f"in {here}, not in {there}"


def _item(outcome: Outcome, sample: LoggedSample, *, text_only: bool) -> Item:
    pictures = () if text_only else tuple(_filed(one, Path.cwd()) for one in sample.asked_pictures)
    return Item(
        id=outcome.id,
        asked=sample.asked or sample.question,
        pictures=pictures,
        cluster=outcome.cluster or outcome.id,
        groups=dict(outcome.groups),
        texts={},
        data=sample.metadata.get("chart_data"),
    )


def _embedded(picture: str | None) -> str | None:
    if picture is None:
        return None
    path = Path(picture)
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
