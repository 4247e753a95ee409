"""The page of a comparison, in the file and in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from results.chosen.folder import read_runs
from results.compared.comparison import Rules, compare
from results.compared.comparison_page import write_comparison


@pytest.fixture(scope="session")
def compared(checkpoint_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """base → tuned on both tasks: counts gains 12 of 24, letters loses 6 of 12."""
    runs = read_runs([checkpoint_logs]).runs
    base, tuned = ([run for run in runs if run.model == f"checkpoints/{name}"] for name in ("base", "tuned"))
    page = tmp_path_factory.mktemp("comparison") / "deep" / "page.html"
    write_comparison(compare(base, tuned, Rules(by=("chart",))), page)
    return page


@pytest.fixture
def opened(browser: Any, compared: Path) -> Iterator[Any]:
    browser.open(compared)
    yield browser
    assert browser.errors == []


def test_the_file_needs_nothing_else(compared: Path) -> None:
    text = compared.read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;" in text
    assert text.count("<script") == 1
    assert "http://" not in text
    assert "https://" not in text
    assert "<i>How</i>" not in text
    assert "&lt;i&gt;How&lt;/i&gt; many" in text


def test_verdicts_and_groups_are_shown(opened: Any) -> None:
    headings = opened.texts("h2")
    assert headings[0].startswith("counts: improved")
    assert headings[1].startswith("letters: ")
    assert opened.texts("table:first-of-type tbody tr td:first-child")[:2] == ["counts", "letters"]
    assert "by chart" in opened.texts("h3")


def test_the_filter_leaves_one_kind(opened: Any) -> None:
    shown = "[...document.querySelectorAll('section')[1].querySelectorAll('article:not([hidden])')].length"
    everything = opened.run(shown)
    opened.run("document.querySelectorAll('nav')[1].querySelector('[data-kind=lost]').click()")
    lost = opened.run(shown)
    opened.run("document.querySelectorAll('nav')[1].querySelector('[data-kind=gained]').click()")
    assert lost > 0
    assert lost + opened.run(shown) == everything


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_it_fits_its_window_in_both_themes(browser: Any, compared: Path, width: int, dark: bool) -> None:
    browser.open(compared, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
    background, text = (
        browser.run(f"getComputedStyle(document.documentElement).{name}") for name in ("colorScheme", "color")
    )
    assert background == "light dark"
    assert text == ("rgb(255, 255, 255)" if dark else "rgb(0, 0, 0)")
    assert browser.errors == []
