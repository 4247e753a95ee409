"""The pairs that a judge is shown, kept in one JSON file: the judging is a registered task over that file, so
that inspect finds all of it again, and a file with verdicts in it is a set of anchors.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import IncompleteRunError, RequestError, first_line
from bench.records.identity import image_digest
from bench.records.images import image_file
from results.verdicts.judging import VerdictWord
from tasks.cache import cache_folder

Order = Literal["ab", "ba"]


class _Kept(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Contestant(_Kept):
    """Who wrote one text of each sample. key: its name in tables; identity: as its log has it."""

    key: str
    log: str | None = None
    identity: dict[str, Any] = {}


class JudgedSample(_Kept):
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
    items: tuple[JudgedSample, ...]
    recorded: Recorded | None = None

    def shown(self) -> Iterator[tuple[str, JudgedSample, str, str, Order]]:
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
        reason = first_line(error)
        raise RequestError(f"{file}: not a file of pairs to judge ({reason})") from error
    items = tuple(
        item.model_copy(update={"pictures": tuple(picture_path(one, file.parent) for one in item.pictures)})
        for item in pairs.items
    )
    return pairs.model_copy(update={"items": items})


def picture_path(picture: str | None, folder: Path) -> str | None:
    """The file of a picture; None where there is none."""
    if picture is None:
        return None
    try:
        return str(image_file(picture, folder))
    except ValueError:
        # The judging counts the sample as one whose picture is not to be had.
        return None


def _embedded(picture: str | None) -> str | None:
    if picture is None:
        return None
    path = Path(picture)
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
