"""Tasks are found by name, by file and by folder, from anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import bench.declarations.task_files
from bench.declarations.catalog import all_tasks, builtin_tasks, find_task
from bench.declarations.task_files import task_versions
from bench.errors import RequestError

CHART_VQA = Path(__file__).parents[3] / "tasks" / "chart_vqa" / "task.yaml"


def test_our_tasks_are_listed_by_name() -> None:
    names = builtin_tasks()
    assert "chart_vqa" in names
    assert list(names) == sorted(names)
    assert tuple(spec.name for spec in all_tasks()) == names


def test_versions_are_those_of_the_declarations() -> None:
    assert task_versions() == {spec.name: spec.version for spec in all_tasks()}


def test_our_tasks_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_task("chart_vqa").name == "chart_vqa"


def test_a_folder_with_our_task_s_name_does_not_stand_in_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chart_vqa").mkdir()
    assert find_task("chart_vqa").name == "chart_vqa"


@pytest.mark.parametrize("given", ["mine/task.yaml", "./mine/task.yaml", "mine", "mine/", "mine/other.yml"])
def test_the_user_s_task_is_found_by_file_or_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(CHART_VQA, folder / "task.yaml")
    shutil.copy(CHART_VQA, folder / "other.yml")

    assert find_task(given) == find_task("chart_vqa")
    assert find_task(str(tmp_path / given)) == find_task("chart_vqa")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RequestError) as raised:
        find_task("chart_vq")

    said = str(raised.value)
    assert said.startswith("task 'chart_vq' is not one of ")
    assert "; did you mean 'chart_vqa'?" in said
    assert said.endswith("give the path of its YAML file, such as ./my_task.yaml")
    assert raised.value.exit_code == 2


def test_a_folder_without_a_declaration(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"holds no task\.yaml; give the path of the YAML file"):
        find_task(str(tmp_path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no file .*gone\.yaml"):
        find_task(str(tmp_path / "gone.yaml"))


def test_the_mistakes_of_all_files_are_reported_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = CHART_VQA.read_text(encoding="utf-8")
    for name, text in {
        "one": good.replace("version: 1-A", "version: one"),
        "two": good.replace("summary:", "sumary:"),
        "three": good,
        "chart_vqa": good,
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "task.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(bench.declarations.task_files, "_home", lambda: tmp_path)

    with pytest.raises(RequestError) as raised:
        all_tasks()

    lines = str(raised.value).splitlines()
    assert len(lines) == 4
    assert f"{tmp_path}/one/task.yaml:3: version: 'one' is not allowed" in lines[0]
    assert (
        f"{tmp_path}/three/task.yaml:1: name: 'chart_vqa' is not the name of its place, 'three'" in lines[1]
    )
    assert all(f"{tmp_path}/two/task.yaml:" in line for line in lines[2:])
