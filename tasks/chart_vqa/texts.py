"""Where texts come from: the built-in grammar, a text file, or a data set on the Hugging Face hub."""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from tasks.chart_vqa import sentences
from tasks.chart_vqa.letter_counts import content_words
from tasks.chart_vqa.text_splits import split_of_text
from tasks.hub import hub
from tasks.splits import Split

POOL_SIZE = 600
"""How many built-in texts the charts that need several texts at once choose from."""

LONGEST_TEXT = 400
"""Longer texts are cut between sentences, so that a chart of their letters stays legible."""

_TEXT_COLUMNS = ("question", "text", "sentence", "content")


class TextSource:
    """Texts of one split.

    `draw` gives single texts (endless for the built-in grammar); `pool` is the fixed list that word clouds
    and grouped bars sample from.
    """

    def __init__(self, name: str, split: Split, seed: int) -> None:
        """Read `name`: "builtin", "hf:owner/name", or the path of a text file.

        Raises FileNotFoundError for a missing file and ValueError for a source without texts in the split.
        """
        self.name = name
        self.split = split
        self.seed = seed
        self.texts: tuple[str, ...] | None = None
        if name != "builtin":
            found = read_hub(name.removeprefix("hf:")) if name.startswith("hf:") else read_file(Path(name))
            self.texts = tuple(text for text in tidy(found) if split_of_text(text) == split)
            if not self.texts:
                raise ValueError(
                    f"text {name!r} has {len(tidy(found))} texts, none of them in the split {split!r} "
                    "(the split of a text follows from its content): give a longer text, or text='builtin'"
                )

    def draw(self, rng: Random) -> str:
        """One text of the split."""
        if self.texts is not None:
            return rng.choice(self.texts)
        while True:
            text = sentences.text(rng)
            if split_of_text(text) == self.split:
                return text

    @cached_property
    def pool(self) -> Sequence[str]:
        """Distinct texts of the split, the same for one seed."""
        if self.texts is not None:
            return self.texts
        rng = Random(f"{self.seed}/{self.split}/pool")
        found: dict[str, None] = {}
        while len(found) < POOL_SIZE:
            found[self.draw(rng)] = None
        return tuple(found)

    @cached_property
    def pool_words(self) -> Sequence[Sequence[str]]:
        """The content words of each text in the pool."""
        return [content_words(text) for text in self.pool]

    @cached_property
    def vocabulary(self) -> Sequence[str]:
        """Content words of the pool, most frequent first (equal counts alphabetically)."""
        counts: Counter[str] = Counter()
        for words in self.pool_words:
            counts.update(words)
        return sorted(counts, key=lambda word: (-counts[word], word))

    @cached_property
    def places_of(self) -> dict[str, list[int]]:
        """For each content word, the indices of the pool's texts that have it."""
        places: dict[str, list[int]] = {}
        for index, words in enumerate(self.pool_words):
            for word in dict.fromkeys(words):
                places.setdefault(word, []).append(index)
        return places


def tidy(texts: Iterable[str]) -> list[str]:
    """Distinct texts in their order: one Unicode form, single spaces, none longer than `LONGEST_TEXT`."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in cut(" ".join(unicodedata.normalize("NFC", text).split())):
            found[piece] = None
    return list(found)


def cut(text: str) -> list[str]:
    """`text` in pieces of at most `LONGEST_TEXT` characters: whole sentences where possible, else words."""
    if len(text) <= LONGEST_TEXT:
        return [text] if text else []
    pieces: list[str] = []
    piece = ""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        for part in [sentence] if len(sentence) <= LONGEST_TEXT else sentence.split():
            part = part[:LONGEST_TEXT]
            if piece and len(piece) + 1 + len(part) > LONGEST_TEXT:
                pieces.append(piece)
                piece = part
            else:
                piece = f"{piece} {part}" if piece else part
    return [*pieces, piece] if piece else pieces


def read_file(path: Path) -> list[str]:
    """Texts of a UTF-8 file: its paragraphs, or its lines where no blank line parts paragraphs."""
    if not path.is_file():
        raise FileNotFoundError(
            f"text {str(path)!r} is not a file; allowed are 'builtin', the path of a text file, or "
            "'hf:owner/name' for a data set on the hub (as 'hf:openai/gsm8k')"
        )
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"text {str(path)!r} is not UTF-8 ({error}): save the file as UTF-8") from error
    paragraphs = [part for part in re.split(r"\n\s*\n", content) if part.strip()]
    return paragraphs if len(paragraphs) > 1 else content.splitlines()


def read_hub(name: str) -> list[str]:
    """Texts of a hub data set, `owner/name[@revision][:config[:column]]`, from its train split.

    The configuration defaults to "main" or the first; the column to question, text, sentence, content, or
    else the first one that holds text. Raises ValueError when the package or the data set is not there.
    """
    where, _, rest = name.partition(":")
    config, _, column = rest.partition(":")
    repo, _, revision = where.partition("@")
    try:
        datasets: Any = importlib.import_module("datasets")
    except ImportError as error:
        raise ValueError(
            f"text 'hf:{name}' needs the package datasets, which is not installed: "
            "pip install 'tunebench[hub]', or use text='builtin' or a text file"
        ) from error
    try:
        with hub():
            if not config:
                names: list[str] = datasets.get_dataset_config_names(repo, revision=revision or None)
                config = "main" if "main" in names else names[0]
            rows = datasets.load_dataset(repo, config, split="train", revision=revision or None)
    # The hub's client raises many unrelated types (connection, offline mode, missing repository).
    except Exception as error:
        raise ValueError(
            f"text 'hf:{name}' could not be read from the hub ({type(error).__name__}: {error}): check the "
            "name and the network, or use text='builtin' or a text file"
        ) from error
    columns: list[str] = list(rows.column_names)
    column = column or _first(columns, lambda given: given in _TEXT_COLUMNS) or columns[0]
    if column not in columns:
        raise ValueError(f"text 'hf:{name}' has no column {column!r}; it has {', '.join(columns)}")
    return [str(text) for text in rows[column] if text]


def _first(names: Iterable[str], wanted: Callable[[str], bool]) -> str | None:
    return next((name for name in names if wanted(name)), None)
