"""The page: what is in the file, and what happens when somebody opens it in a real browser."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from results.board.confusion import NONE, OTHER, confusions
from results.board.published import published_tables
from results.board.standings import leaderboard
from results.chosen.folder import read_runs
from results.logs.sample_file import SampleFile
from results.page.leaderboard_page import embedded, page
from results.page.page_samples import samples_data
from results.shown.mistakes import write_mistakes
from results.shown.thumbnails import thumbnail

HOSTILE_PART = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def written(checkpoint_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of every checkpoint, with a reported table and a log that was left out."""
    board = leaderboard(read_runs([checkpoint_logs]).runs)
    made = page(board, published_tables("scienceqa"), ["x.eval: truncated <b>log</b>"], samples=16)
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(made.text, encoding="utf-8")
    return file


@pytest.fixture
def opened(browser: Any, written: Path) -> Iterator[Any]:
    """The page in a browser; nothing went wrong in it, whatever the test did."""
    browser.open(written)
    yield browser
    assert browser.errors == []


def blocks(text: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', text, re.DOTALL)
    return {name: json.loads(content) for name, content in found}


def test_the_file_needs_nothing_else(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=\s*.?(https?:)?//", text)
    assert "@import" not in text
    assert "url(" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe" not in policy[1]


def test_nothing_a_model_says_leaves_its_data_block(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert HOSTILE_PART not in text
    assert text.count("<script") == 1 + len(blocks(text))
    said = blocks(text)["samples-0"]
    assert any(HOSTILE_PART in completion for completion in said["texts"])
    assert "\u2028" not in text


@pytest.mark.parametrize(
    "value",
    [
        "</script>",
        "<!--<script>",
        "]]>",
        "\u2028\u2029",
        "\ud800 lone",
        "\x00\x1b",
        "&amp;",
        {"</script>": ["<"]},
    ],
)
def test_embedded_data_is_read_back_as_it_was(value: Any) -> None:
    text = embedded(value)
    assert not re.search("[<>&\u2028\u2029\ud800-\udfff]", text)
    assert json.loads(text) == value
    text.encode("utf-8")


def test_samples_have_every_row_and_a_bounded_choice_has_completions(checkpoint_logs: Path) -> None:
    board = leaderboard(read_runs([checkpoint_logs]).runs)
    (counts, letters), pictures = samples_data(board, 6)
    assert len(counts["ids"]) == 24
    assert len(counts["details"]) == 6
    assert len(letters["ids"]) == 12
    names = [row.name.partition("@")[0] for row in board.rows]
    states = {names[place]: own for place, own in counts["states"].items()}
    assert {name: own.count("r") for name, own in states.items()} == {
        "base": 6,
        "tuned": 18,
        "tuned-more": 20,
    }
    assert {name: own.count("n") for name, own in states.items()} == {"base": 1, "tuned": 0, "tuned-more": 0}
    # Those on which the rows disagree come first: base wrong, the others right.
    places = [counts["ids"].index(sample) for sample in counts["details"]]
    assert all(states["base"][place] != "r" and states["tuned-more"][place] == "r" for place in places)
    assert {counts["groups"]["chart"]["codes"][place] for place in places} == {0, 1}
    assert len(pictures.uris) == len(set(pictures.uris)) <= 12


def test_long_completions_lose_their_middle_and_keep_their_answer(
    checkpoint_logs: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("results.page.page_samples._LONGEST_COMPLETION", 60)
    board = leaderboard(read_runs([checkpoint_logs]).runs, ["counts"])
    (counts,), _ = samples_data(board, 24)
    cut = next(text for text in counts["texts"] if "characters left out" in text)
    assert cut.startswith("<script>alert(1)")
    assert cut.endswith("\\boxed{7}")


def test_pictures_stay_within_their_budget(checkpoint_logs: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("results.page.page_samples._PICTURES", 200)
    board = leaderboard(read_runs([checkpoint_logs]).runs)
    _, pictures = samples_data(board, 24)
    assert 1 <= len(pictures.uris) < 18
    assert pictures.left_out > 0


def data_uri(file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "LA", "CMYK"])
def test_thumbnails_are_small_whatever_the_picture(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    file = tmp_path / ("p.tiff" if mode == "CMYK" else "p.png")
    Image.fromarray(noise).convert(mode).save(file)
    made = thumbnail(data_uri(file))
    assert made is not None
    content = base64.b64decode(made.partition(",")[2])
    assert len(content) <= 6_000


@pytest.mark.parametrize(
    "uri", ["", "data:image/png;base64,", "data:image/png;base64,AAAA", "data:image/png;base64,?"]
)
def test_a_broken_picture_is_no_picture(uri: str) -> None:
    assert thumbnail(uri) is None


def test_samples_are_read_alike_from_the_archive_and_by_inspect(
    checkpoint_logs: Path, monkeypatch: Any
) -> None:
    runs = read_runs([checkpoint_logs]).runs
    log = next(run.location for run in runs if run.task == "counts" and run.model.endswith("tuned"))
    with SampleFile(log) as file:
        fast = [file.read(f"s{number}", 1) for number in (6, 1, 23)]
        monkeypatch.setattr(SampleFile, "_from_archive", lambda *_: None)
        assert [file.read(f"s{number}", 1) for number in (6, 1, 23)] == fast
    assert fast[0].question == "<i>How</i> many in 6?"
    assert HOSTILE_PART in fast[0].completion
    assert fast[0].pictures[0].startswith("data:image/png;base64,")


def test_confusion_is_over_the_whole_task_or_over_groups_of_few_targets(checkpoint_logs: Path) -> None:
    runs = [run for run in read_runs([checkpoint_logs]).runs if run.task == "counts"]
    (one,) = confusions(runs)
    assert (one.title, one.targets, one.answers) == ("all", ("7", "8", "9"), ("7", "8", "9", OTHER, NONE))
    base = one.counts[next(place for place, run in enumerate(runs) if run.model.endswith("base"))]
    assert base.sum() == 24
    assert int(np.trace(base)) == 6
    assert base[:, 3].sum() == 17
    assert base[:, 4].sum() == 1


def test_it_opens_without_errors_and_shows_every_row(opened: Any) -> None:
    rows = opened.texts("#leaderboard tbody th")
    assert [row.split("@")[0] for row in rows] == ["tuned-more", "tuned", "base"]
    assert "3 rows · 2 tasks" in opened.texts("#about")[0]
    assert opened.texts("#problems li") == ["x.eval: truncated <b>log</b>"]
    assert "ViLT" in opened.texts("#reported")[0]
    assert opened.run("document.querySelectorAll('b i, #problems b').length") == 0


def test_sorting_by_a_heading_and_back(opened: Any) -> None:
    def first() -> str:
        return str(opened.texts("#leaderboard tbody th")[0].split("@")[0])

    heading = '#leaderboard [data-key="score-1"]'
    opened.run(f"document.querySelector('{heading}').click()")
    assert first() == "base"
    sorted_by = "document.querySelector('#leaderboard th[aria-sort]').innerText.split('\\n')[0]"
    assert opened.run(sorted_by).strip() == "letters"
    opened.run(f"document.querySelector('{heading}').click()")
    assert opened.run("document.querySelector('#leaderboard th[aria-sort]').ariaSort") == "ascending"
    assert first() != "base"


def test_it_works_by_keyboard_alone(opened: Any) -> None:
    for _ in range(40):
        opened.press("Tab")
        if opened.run("document.activeElement.dataset.key ?? ''") == "name":
            break
    else:
        pytest.fail("the first heading cannot be reached")
    assert opened.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    opened.press("Enter")
    assert [row.split("@")[0] for row in opened.texts("#leaderboard tbody th")] == [
        "base",
        "tuned-more",
        "tuned",
    ]
    assert opened.run("document.activeElement.dataset.key") == "name"


def choose(opened: Any, name: str, begins: str) -> None:
    """Choose the option that begins so; with a $ at the end, the one that is so."""
    pattern = json.dumps(f"^{begins}")
    opened.run(
        f"(() => {{ const s = document.querySelector('#samples [data-name={name}] select');"
        f"s.value = [...s.options].find(o => new RegExp({pattern}).test(o.text)).value;"
        "s.dispatchEvent(new Event('change')) })()"
    )


def found(opened: Any) -> int:
    return int(opened.texts("#found")[0].split()[0])


def test_filters_find_the_samples_they_name(opened: Any) -> None:
    opened.run("document.querySelector('#samples [data-name=whole] input').click()")
    assert found(opened) == 24
    choose(opened, "kind", "wrong → right")
    choose(opened, "base", "base")
    choose(opened, "candidate", "tuned-more")
    assert found(opened) == 14
    choose(opened, "kind", "right → wrong")
    assert found(opened) == 0
    choose(opened, "kind", "no answer")
    choose(opened, "candidate", "any")
    assert found(opened) == 1
    choose(opened, "kind", "wrong$")
    choose(opened, "candidate", "tuned-more")
    assert found(opened) == 4
    choose(opened, "group", "chart: pie")
    assert found(opened) == 1
    choose(opened, "kind", "all")
    choose(opened, "group", "all")
    opened.run(
        "(() => { const s = document.querySelector('#samples input[type=search]'); s.value = 'MANY in 23';"
        "s.dispatchEvent(new Event('input')) })()"
    )
    assert found(opened) == 1
    assert opened.texts("#samples h3") == ["<i>How</i> many in 23?"]


def test_pages_turn(opened: Any) -> None:
    opened.run("document.querySelector('#samples [data-name=whole] input').click()")
    assert len(opened.texts("#samples article")) == 20
    opened.run("[...document.querySelectorAll('.pager button')].at(-1).click()")
    assert len(opened.texts("#samples article")) == 4


def test_hostile_text_is_shown_and_not_run(opened: Any) -> None:
    opened.run("document.querySelector('#samples [data-name=whole] input')?.click()")
    opened.run(
        "(() => { const s = document.querySelector('#samples input[type=search]'); s.value = 'onerror';"
        "s.dispatchEvent(new Event('input')) })()"
    )
    opened.run("document.querySelectorAll('#samples details').forEach(d => { d.open = true })")
    opened.run("new Promise(done => setTimeout(done, 50))")
    shown = [text for text in opened.texts("#samples pre") if "onerror" in text]
    assert len(shown) == 2
    for text in shown:
        assert text.startswith("<script>alert(1)</script></script><img src=x onerror=alert(1)> **bold**")
        assert "␛[31mred␛[0m" in text
        assert "⟨U+202E⟩" in text
    assert opened.run("document.querySelectorAll('#samples pre *, #samples script').length") == 0


def test_a_task_of_its_own_with_details(opened: Any) -> None:
    opened.run("document.querySelectorAll('#tasks button')[1].click()")
    cells = opened.texts("#leaderboard tbody tr:first-child td")
    assert re.fullmatch(r"83\.3 \[\d+\.\d, \d+\.\d\]", cells[0])
    assert cells[2] == "24"
    assert "best" in cells
    differences = opened.texts("#differences tbody tr")
    assert len(differences) == 2
    assert any("−58.3" in row for row in differences)
    opened.run("document.querySelector('#groups .controls .set:last-of-type button:last-child').click()")
    assert any("+58.3" in row for row in opened.texts("#groups tbody tr"))
    assert opened.run("document.querySelectorAll('#training .curve').length") == 4
    assert opened.run("document.querySelectorAll('#training .point').length") == 2
    assert len(opened.texts("#confusion tbody tr")) == 3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_a_phone_and_has_contrast_in_both_themes(
    browser: Any, written: Path, width: int, dark: bool
) -> None:
    browser.open(written, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    ground, ink = (
        browser.run(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
    )
    assert (sum(_channels(ground)) < sum(_channels(ink))) is dark
    assert _contrast(ground, ink) > 7
    dim = browser.run("getComputedStyle(document.querySelector('.note')).color")
    assert _contrast(ground, dim) > 4.5
    browser.run("document.getElementById('theme').click()")
    turned = browser.run("getComputedStyle(document.body).backgroundColor")
    assert turned != ground
    assert browser.errors == []


def _channels(colour: str) -> list[float]:
    return [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]


def _contrast(one: str, two: str) -> float:
    """WCAG 2's contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [c / 255 for c in _channels(colour)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_a_board_without_rows_or_samples_is_a_page_too(
    browser: Any, checkpoint_logs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "empty.html"
    file.write_text(page(leaderboard([]), published_tables()).text, encoding="utf-8")
    browser.open(file)
    assert browser.errors == []
    one = [run for run in read_runs([checkpoint_logs]).runs if run.model.endswith("tuned")][:1]
    file.write_text(page(leaderboard(one), samples=0).text, encoding="utf-8")
    browser.open(file)
    assert browser.errors == []


def test_the_page_of_mistakes_reads_the_same_pictures(checkpoint_logs: Path, tmp_path: Path) -> None:
    runs = read_runs([checkpoint_logs]).runs
    run = next(run for run in runs if run.model.endswith("base") and run.task == "counts")
    write_mistakes(run.location, tmp_path / "m.html", 50)
    assert tmp_path.joinpath("m.html").read_text(encoding="utf-8").count("data:image/png") == 18
