"""The page of a training folder in a real browser: pictures load, and what rows say stays text."""

from __future__ import annotations

import importlib.util
import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bench.declarations.catalog import find_task
from bench.records.training_card import training_card
from bench.records.training_folder import read_folder, write_folder
from trainers.data.examples import TrainExample

HOSTILE = "</pre><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">&lt;b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture = tmp_path / "a.png"
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(buffer, "PNG")
    picture.write_bytes(buffer.getvalue())
    broken = tmp_path / "b.png"
    broken.write_bytes(b"not a picture")
    examples = [
        TrainExample("one", (picture, picture), "What?", HOSTILE, groups={"topic": HOSTILE}),
        TrainExample(HOSTILE, (broken,), HOSTILE, "<CONCLUSION> A </CONCLUSION>", groups={"topic": "b"}),
    ]
    row = {"asked": 2, "accepted": 2, "rejected": 0, "unscored": 0, "rate": None}
    provenance: dict[str, Any] = {
        **row, "task": "t", "task_version": "1-A", "rows": 2, "teacher": {"model": HOSTILE}, "fallbacks": 0,
        "by": {"topic": {HOSTILE: row}}, "rejected_because": {HOSTILE: 1}, "unscored_because": {},
        "attempts_refused_because": {}, "dataset_args": {}, "records": 2, "records_hash": "0",
        "data_hash": "1", "teacher_prompt_hash": None, "student_prompt_hash": "2", "generation": None,
        "teaching": None, "created": "today",
    }  # fmt: skip
    card = training_card("set", find_task("chart_vqa"), provenance)
    # A name in the card's tables cannot begin another cell or line.
    assert all(line.count("|") - line.count("\\|") in (0, 4, 7, 3) for line in card.splitlines())
    write_folder(tmp_path / "set", examples, "t", provenance, card)
    return tmp_path / "set"


def test_a_folder_is_read_back_as_it_was_written(folder: Path) -> None:
    rows, total, provenance = read_folder(folder)
    assert total == 2 and provenance["data_hash"] == "1"
    assert rows[0].completion == HOSTILE and rows[0].groups == {"topic": HOSTILE}
    assert [len(row.images) for row in rows] == [2, 1]
    assert not folder.with_name("set.unfinished").exists()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    file = Path(__file__).parents[2] / "results" / "browser.py"
    spec = importlib.util.spec_from_file_location("browser", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    executable = module.chromium()
    if executable is None:
        pytest.skip("no Chromium on the path")
    opened = module.Browser(executable, tmp_path / "profile")
    yield opened
    opened.close()


@pytest.mark.process
def test_what_rows_say_stays_text_in_a_browser(
    folder: Path, browser: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bench import cli

    monkeypatch.setattr(sys, "argv", ["bench", "distill", "--inspect", str(folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code and "2 of 2 rows" in capsys.readouterr().out
    page = folder.with_name("set.html")
    browser("Page.navigate", url=page.as_uri())
    # Lazy pictures come after the page is complete.
    until(
        lambda: browser.run("document.title === 'set' && [...document.images].every(i => i.naturalWidth > 0)")
    )
    shown = json.loads(
        browser.run(
            "JSON.stringify({title: document.title, cards: document.querySelectorAll('article').length,"
            " loaded: [...document.images].map(i => i.naturalWidth), scripts: document.scripts.length,"
            " last: [...document.querySelectorAll('pre')].map(p => p.textContent)})"
        )
    )
    assert shown["title"] == "set" and shown["cards"] == 2 and shown["scripts"] == 0
    assert shown["loaded"] == [40, 40]
    assert shown["last"] == ["What?", HOSTILE, HOSTILE, "<CONCLUSION> A </CONCLUSION>"]
    assert browser.errors == []
