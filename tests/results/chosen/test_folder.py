"""Folders of logs → the runs that count; the cache; one line for each log that does not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

import results.logs.run_cache
from results.chosen.folder import read_runs
from results.logs.logged_run import Run


def change(log: Path, edit: Callable[[dict], None]) -> Path:  # type: ignore[type-arg]
    """The log with another header."""
    with ZipFile(log) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["header.json"])
    edit(header)
    with ZipFile(log, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(header) if name == "header.json" else content)
    return log


@pytest.fixture
def folder(checkpoint_logs: Path, tmp_path: Path) -> Path:
    """The logs of base on counts and letters, and of tuned on counts."""
    copied = tmp_path / "logs"
    copied.mkdir()
    for log in checkpoint_logs.glob("*.eval"):
        (run,) = read_runs([log]).runs
        name = f"{run.model.rsplit('/', 1)[-1]}-{run.task}.eval"
        if name in ("base-counts.eval", "base-letters.eval", "tuned-counts.eval"):
            shutil.copy(log, copied / name)
    return copied


def found(runs: list[Run]) -> set[str]:
    return {Path(run.location).stem for run in runs}


def test_every_log_of_a_folder_and_of_folders_in_it(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "base-letters.eval").rename(folder / "sub" / "base-letters.eval")
    (folder / ".journal").mkdir()
    (folder / ".journal" / "x.eval").write_text("not looked at")
    (folder / "baseline.json").write_text("{}")
    seen = read_runs([folder, folder / "tuned-counts.eval"])
    assert found(seen.runs) == {"base-counts", "base-letters", "tuned-counts"}
    assert len(seen.runs) == 3
    assert seen.problems == []


def test_the_newest_run_of_an_identity_counts_and_all_shows_each(folder: Path) -> None:
    again = Path(shutil.copy(folder / "base-counts.eval", folder / "again.eval"))
    change(again, lambda header: header["eval"].update(created="2099-01-01T00:00:00+00:00"))
    assert found(read_runs([folder]).runs) == {"again", "base-letters", "tuned-counts"}
    assert len(read_runs([folder], all_runs=True).runs) == 4


@pytest.mark.parametrize(
    "edit",
    [
        lambda header: header["eval"]["metadata"]["model"].update(weights_digest="0" * 64),
        lambda header: header["eval"]["metadata"]["identity"].update(data_hash="other"),
        lambda header: header["eval"]["metadata"]["identity"].update(prompt_hash="other"),
        lambda header: header["plan"]["config"].update(temperature=0.7),
        lambda header: (
            header["eval"]["config"].update(epochs=1, limit=None) or header["eval"].update(task="c2")
        ),
    ],
)
def test_another_identity_is_another_run(folder: Path, edit: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    change(Path(shutil.copy(folder / "base-counts.eval", folder / "other.eval")), edit)
    assert "other" in found(read_runs([folder]).runs)
    assert "base-counts" in found(read_runs([folder]).runs)


def test_what_cannot_count_is_one_line_and_the_rest_is_there(folder: Path) -> None:
    (folder / "cut.eval").write_bytes((folder / "base-counts.eval").read_bytes()[:5000])
    copies = {
        name: Path(shutil.copy(folder / "base-counts.eval", folder / name)) for name in ("e.eval", "o.eval")
    }
    error = {"message": "the engine died\nat noon", "traceback": "", "traceback_ansi": ""}
    change(copies["e.eval"], lambda header: header.update(status="error", error=error))
    change(copies["o.eval"], lambda h: h["eval"]["metadata"]["identity"].update(task_version="0-C"))
    with ZipFile(folder / "tuned-counts.eval") as whole, ZipFile(folder / "running.eval", "w") as part:
        part.writestr("_journal/start.json", whole.read("_journal/start.json"))
    seen = read_runs([folder, folder / "nowhere.eval"])
    assert found(seen.runs) == {"base-counts", "base-letters", "tuned-counts"}
    lines = {Path(line.partition(":")[0]).stem: line for line in seen.problems}
    assert set(lines) == {"cut", "e", "o", "running", "nowhere"}
    assert "truncated or no inspect log" in lines["cut"]
    assert "ended: error, the engine died; 24 of 24 samples" in lines["e"]
    assert "version 0-C is not comparable with version 1" in lines["o"]
    assert "did not finish; 0 of 24 samples" in lines["running"]
    assert "no such file" in lines["nowhere"]
    assert all("\n" not in line for line in seen.problems)


def test_the_catalog_may_name_a_newer_version_than_any_log(folder: Path) -> None:
    seen = read_runs([folder], versions={"counts": "2-A"})
    assert found(seen.runs) == {"base-letters"}
    assert len(seen.problems) == 2


def test_a_second_reading_comes_from_the_cache_and_says_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_runs([folder], cache=tmp_path / "cache").runs
    with monkeypatch.context() as patch:
        patch.setattr(results.logs.run_cache, "read_log", None)
        second = read_runs([folder], cache=tmp_path / "cache").runs
    assert [list(run.outcomes) for run in first] == [list(run.outcomes) for run in second]
    for one, two in zip(first, second, strict=True):
        assert (one.location, one.identity, one.created) == (two.location, two.identity, two.created)
        assert (one.expected, one.seconds, one.unscored) == (two.expected, two.seconds, two.unscored)


def test_many_new_logs_are_read_in_several_processes_and_a_broken_one_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = read_runs([folder]).runs
    for number in range(4):
        shutil.copy(folder / "base-counts.eval", folder / f"again-{number}.eval")
    (folder / "cut.eval").write_bytes((folder / "base-counts.eval").read_bytes()[:200])
    cache = tmp_path / "cache"
    monkeypatch.setattr(results.logs.run_cache, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(results.logs.run_cache.os, "cpu_count", lambda: 2)
    results.logs.run_cache.fill_cache(sorted(folder.iterdir()), cache)
    assert len(list(cache.iterdir())) == 7
    # What the processes kept is what is read: nothing is left to do here.
    monkeypatch.setattr(results.logs.run_cache, "_WORTH_PROCESSES", 10**9)
    with monkeypatch.context() as patch:
        patch.setattr(results.logs.run_cache, "read_log", None)
        seen = read_runs(
            sorted(set(folder.glob("*.eval")) - {folder / "cut.eval"}), cache=cache, all_runs=True
        )
    assert {run.task for run in seen.runs} == {run.task for run in alone}
    assert len(seen.runs) == 7
    (problem,) = read_runs([folder], cache=cache).problems
    assert problem.startswith(f"{folder / 'cut.eval'}: not read")


def test_a_log_that_changed_is_read_again(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    read_runs([folder], cache=cache)
    log = folder / "base-counts.eval"
    change(log, lambda header: header["eval"]["metadata"]["model"].update(model="another"))
    os.utime(log, ns=(1, 1))
    assert "another" in {run.model for run in read_runs([folder], cache=cache).runs}


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 40, b"\x93\x01\x02\x03"])
def test_a_damaged_cache_is_made_anew(folder: Path, tmp_path: Path, content: bytes) -> None:
    cache = tmp_path / "cache"
    before = read_runs([folder], cache=cache).runs
    for file in cache.iterdir():
        file.write_bytes(content)
    after = read_runs([folder], cache=cache).runs
    assert [list(run.outcomes) for run in before] == [list(run.outcomes) for run in after]


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(read_runs([folder], cache=blocked / "cache").runs) == 3
