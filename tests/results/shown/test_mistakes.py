"""The page of mistakes: every picture on it, nothing on it that runs but its own filter."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, StopReason
from PIL import Image

from results.shown.mistakes import Written, write_mistakes
from scorers.boxed.boxed_scorer import boxed
from solvers.replay import replay

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> \\boxed{</pre><b>7}"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Four samples: right, wrong with a hostile text, without a box, and without a completion."""
    samples = []
    for number in range(4):
        file = tmp_path / f"{number}.png"
        Image.new("RGB", (8, 6), (number * 40, 0, 0)).save(file)
        samples.append(
            Sample(
                id=f"s{number}",
                input=[
                    ChatMessageUser(content=[ContentImage(image=str(file)), ContentText(text="How many?")])
                ],
                target="7",
                metadata={
                    "question": f"<i>How</i> many in {number}?",
                    "chart": "bar" if number % 2 else "pie",
                },
            )
        )
    completions: dict[str, tuple[str, StopReason]] = {
        "s0": ("\\boxed{7}", "stop"),
        "s1": (HOSTILE, "stop"),
        "s2": ("I do not know", "max_tokens"),
    }
    (done,) = inspect_eval(
        Task(
            name="counts", dataset=MemoryDataset(samples), scorer=boxed(), fail_on_error=False,
            solver=replay(completions, "elsewhere"), metadata={"report": {"by": ["chart"]}},
        ),
        model=None, log_dir=str(tmp_path / "logs"), display="none", log_images=True, ctl_server=False,
    )  # fmt: skip
    return Path(done.location.removeprefix("file://"))


def written(log: Path, tmp_path: Path, most: int = 200) -> tuple[Tags, str, Written]:
    counts = write_mistakes(log, tmp_path / "out" / "page.html", most)
    text = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    return Tags(text), text, counts


def test_all_but_the_right_ones_are_shown(log: Path, tmp_path: Path) -> None:
    tags, text, counts = written(log, tmp_path)
    assert counts == Written(shown=3, under=2, unscored=1, not_run=0, samples=4)
    assert len(tags.all("article")) == 3
    assert "How&lt;/i&gt; many in 0" not in text
    assert "no completion with this sample" in text


def test_each_picture_is_in_the_page_itself(log: Path, tmp_path: Path) -> None:
    tags, text, _ = written(log, tmp_path)
    sources = [attributes["src"] or "" for attributes in tags.all("img")]
    assert len(sources) == len(set(sources)) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"(src|href)=.?https?:", text)


def test_no_text_of_a_model_or_record_becomes_markup(log: Path, tmp_path: Path) -> None:
    tags, text, _ = written(log, tmp_path)
    assert len(tags.all("script")) == 1
    assert tags.all("b") == tags.all("i") == []
    assert all("onerror" not in attributes for _, attributes in tags.found)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_every_filter_has_a_card_and_every_card_its_filters(log: Path, tmp_path: Path) -> None:
    tags, _, _ = written(log, tmp_path)
    filters = {button["data-kind"] for button in tags.all("button")} - {""}
    on_cards = {kind for card in tags.all("article") for kind in (card["data-kinds"] or "").split("|")}
    assert filters == on_cards
    assert filters == {"wrong answer", "no answer", "truncated", "unscored", "bar", "pie"}


def test_a_longer_list_is_cut_and_says_so(log: Path, tmp_path: Path) -> None:
    tags, text, counts = written(log, tmp_path, most=1)
    assert counts == Written(shown=1, under=2, unscored=1, not_run=0, samples=4)
    assert len(tags.all("article")) == 1
    assert "2 under the full score, 1 unscored" in text


def test_a_log_without_mistakes_is_a_page_too(log: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("results.shown.mistakes.read_run", lambda _: _Right())
    _, text, counts = written(log, tmp_path)
    assert counts == Written(0, 0, 0, 0, 0)
    assert "No mistakes." in text


class _Right:
    outcomes = ()
    unscored: ClassVar[Counter[str]] = Counter()
    task, model, created = "counts", "m", "2026-11-21"
