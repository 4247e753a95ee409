"""Where texts come from, and the split they belong to."""

import sys
from collections import Counter
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace

import pytest

from tasks.chart_vqa import sentences
from tasks.chart_vqa.text_splits import drawable_letters, split_of_text
from tasks.chart_vqa.texts import LONGEST_TEXT, TextSource, cut, read_file, tidy
from tasks.splits import SPLITS


def test_the_grammar_gives_thousands_of_distinct_texts() -> None:
    rng = Random(0)
    texts = [sentences.text(rng) for _ in range(3000)]
    assert len(set(texts)) == len(texts)
    assert not any("{" in text or "  " in text for text in texts)


def test_splits_have_their_shares_and_every_text_has_one() -> None:
    rng = Random(0)
    counts = Counter(split_of_text(sentences.text(rng)) for _ in range(4000))
    assert {split: round(counts[split] / 4000, 1) for split in SPLITS} == pytest.approx(
        {"train": 0.7, "validation": 0.15, "test": 0.15}, abs=0.06
    )


def test_texts_that_give_the_same_bars_are_in_one_split() -> None:
    rng = Random(1)
    texts = [text for text in (sentences.text(rng) for _ in range(300)) if drawable_letters(text)]
    assert len(texts) > 200
    for text in texts:
        shuffled = list(text)
        rng.shuffle(shuffled)
        assert split_of_text("".join(shuffled)) == split_of_text(text)


def test_a_source_gives_texts_of_its_split_only(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    rng = Random(2)
    path.write_text("\n".join(sentences.text(rng) for _ in range(300)), encoding="utf-8")
    pools = {}
    for split in SPLITS:
        for name in ("builtin", str(path)):
            source = TextSource(name, split, 1)
            drawn = {source.draw(Random(i)) for i in range(50)} | set(source.pool)
            assert {split_of_text(text) for text in drawn} == {split}
        pools[split] = set(TextSource(str(path), split, 1).pool)
    assert sum(map(len, pools.values())) == 300


def test_a_file_is_read_by_paragraphs_or_else_by_lines(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("\ufeffone\ntwo\n\n three\n", encoding="utf-8")
    assert tidy(read_file(path)) == ["one two", "three"]
    path.write_text("one\ntwo\ntwo\n", encoding="utf-8")
    assert tidy(read_file(path)) == ["one", "two"]


def test_long_texts_are_cut_between_sentences() -> None:
    text = " ".join(f"Sentence number {i} is here." for i in range(60))
    pieces = cut(text)
    assert " ".join(pieces) == text
    assert all(len(piece) <= LONGEST_TEXT and piece.endswith(".") for piece in pieces)
    assert max(map(len, cut("word " * 300 + "x" * 900))) <= LONGEST_TEXT
    assert cut("") == []


def test_a_missing_file_says_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt' is not a file; allowed are 'builtin'"):
        TextSource(str(tmp_path / "nowhere.txt"), "test", 1)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("caf\u00e9 au lait".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8"):
        TextSource(str(path), "test", 1)


def test_a_file_without_texts_in_the_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has 0 texts, none of them in the split 'test'"):
        TextSource(str(path), "test", 1)


class _Rows:
    column_names = ("answer", "question")

    def __getitem__(self, column: str) -> list[str]:
        return [f"{column} {i}: how many plums are in basket {i}?" for i in range(60)]


def test_a_hub_data_set_is_read_by_its_text_column(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = ModuleType("datasets")
    calls = []

    def load(*args: object, **kwargs: object) -> _Rows:
        calls.append((args, kwargs))
        return _Rows()

    hub.__dict__.update(get_dataset_config_names=lambda *_, **__: ["socratic", "main"], load_dataset=load)
    monkeypatch.setitem(sys.modules, "datasets", hub)
    assert all(text.startswith("question") for text in TextSource("hf:openai/gsm8k", "train", 1).pool)
    assert calls == [(("openai/gsm8k", "main"), {"split": "train", "revision": None})]
    assert all(text.startswith("answer") for text in TextSource("hf:o/d@v2:socratic:answer", "train", 1).pool)
    assert calls[1] == (("o/d", "socratic"), {"split": "train", "revision": "v2"})
    with pytest.raises(ValueError, match="has no column 'text'; it has answer, question"):
        TextSource("hf:o/d:main:text", "train", 1)


def test_an_unreachable_hub_is_reported_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("offline")

    monkeypatch.setitem(
        sys.modules, "datasets", SimpleNamespace(get_dataset_config_names=refuse, load_dataset=refuse)
    )
    with pytest.raises(ValueError, match=r"could not be read from the hub \(ConnectionError: offline\)"):
        TextSource("hf:openai/gsm8k", "test", 1)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match="needs the package datasets"):
        TextSource("hf:openai/gsm8k", "test", 1)
