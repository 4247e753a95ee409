"""The records as a whole: contract, balance, determinism, splits, cache."""

import hashlib
import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from tasks.chart_vqa import drawing, plans, sentences
from tasks.chart_vqa.questions import FAMILIES
from tasks.chart_vqa.records import CHARTS, charts, rationale
from tasks.chart_vqa.texts import TextSource
from tasks.splits import SPLITS, canonical

# Whole sets of charts are drawn.
pytestmark = pytest.mark.slow

Records = list[dict[str, Any]]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def records(folder: Path) -> Records:
    return charts("test", size=340, cache_dir=folder)


@pytest.fixture(scope="module")
def by_split(folder: Path, records: Records) -> dict[str, Records]:
    others = {
        split: charts(split, size=340, seed=seed, cache_dir=folder)
        for split, seed in [("train", 1), ("validation", 8)]
    }
    return {"test": records, **others}


def test_the_contract(records: Records) -> None:
    assert len(records) == 340
    assert len({record["id"] for record in records}) == 340
    for record in records:
        assert set(record) == {
            "id", "image", "question", "target", "kind", "tolerance", "chart", "family", "data", "text_sha",
        }  # fmt: skip
        assert isinstance(record["image"], Path) and record["image"].is_file()
        targets = record["target"] if isinstance(record["target"], list) else [record["target"]]
        # Trap 4: an empty answer was a substring of every gold.
        assert targets and all(isinstance(target, str) and target.strip() for target in targets)
        assert record["kind"] in ("number", "text", "boolean")
        assert record["family"] in FAMILIES[record["chart"]]
        assert record["id"].startswith(record["chart"]) and record["id"].endswith(record["family"])
        assert json.loads(json.dumps(record["data"])) == record["data"]
        assert len(record["text_sha"]) == 64
        expected = {"mean_frequency": 0.01, "median_frequency": 0.01, "share_of_rank": 0.1}
        assert record["tolerance"] == expected.get(record["family"], 0.0)


def answer(record: Mapping[str, Any]) -> set[str]:
    """The answers, derived from the data once more and in another way."""
    data, asked = record["data"], record["data"]["asked"]
    letters = sorted(data.get("letters", {}).items(), key=lambda item: -item[1])
    match record["family"]:
        case "number_of_letters":
            return {str(len(letters))}
        case "frequency_of_rank":
            return {str(letters[asked["rank"] - 1][1])}
        case "mean_frequency":
            return {f"{statistics.fmean(count for _, count in letters) + 1e-9:.2f}"}
        case "median_frequency":
            return {f"{statistics.median(count for _, count in letters):.2f}"}
        case "letter_of_rank":
            return {letter for letter, count in letters if count == letters[asked["rank"] - 1][1]}
        case "share_of_rank":
            total = sum(count for _, count in letters)
            return {f"{100 * letters[asked['rank'] - 1][1] / total + 1e-9:.1f}"}
        case "number_of_words":
            return {str(len({word for word, _, _ in data["words"]}))}
        case "word_of_rank":
            sizes = sorted((size for _, _, size in data["words"]), reverse=True)
            return {word for word, _, size in data["words"] if size == sizes[asked["rank"] - 1]}
        case "word_present":
            return {str(any(word == asked["word"] for word, _, _ in data["words"]))}
        case "value_at_time":
            return {str(dict(zip(data["times"], data["values"], strict=True))[asked["time"]])}
        case "time_of_maximum":
            return {t for t, v in zip(data["times"], data["values"], strict=True) if v >= max(data["values"])}
        case "largest_rise":
            values = data["values"]
            return {str(max(values[i + 1] - values[i] for i in range(len(values) - 1)))}
        case "points_above":
            return {str(len([value for value in data["values"] if value > asked["threshold"]]))}
        case "cell_value":
            table = {
                g: dict(zip(data["series"], row, strict=True))
                for g, row in zip(data["groups"], data["values"], strict=True)
            }
            return {str(table[asked["group"]][asked["series"]])}
        case "group_total":
            return {str(sum(data["values"][data["groups"].index(asked["group"])]))}
        case "largest_series":
            totals = {name: sum(row[i] for row in data["values"]) for i, name in enumerate(data["series"])}
            return {name for name, total in totals.items() if total == max(totals.values())}
    raise AssertionError(record["family"])


def test_every_target_follows_from_the_data(by_split: dict[str, Records]) -> None:
    seen = set()
    for record in (record for records in by_split.values() for record in records):
        target = record["target"]
        assert answer(record) == (set(target) if isinstance(target, list) else {target}), record
        seen.add((record["chart"], record["family"]))
    assert seen == {(chart, family) for chart, families in FAMILIES.items() for family in families}


def test_the_rationale_always_ends_with_an_accepted_answer_in_a_box(by_split: dict[str, Records]) -> None:
    for record in (record for records in by_split.values() for record in records):
        steps = rationale(record)
        boxed = steps.rsplit("\\boxed{", 1)[1].removesuffix("}.")
        assert boxed in answer(record)
        assert steps.count("\\boxed{") == 1 and len(steps.splitlines()) >= 2


def test_pie_families_keep_their_own_kind_of_answer(by_split: dict[str, Records]) -> None:
    """Trap 5: all pie questions were scored as counts."""
    kinds = {
        record["family"]: record["kind"]
        for records in by_split.values()
        for record in records
        if record["chart"] == "pie"
    }
    assert kinds == {"number_of_letters": "number", "letter_of_rank": "text", "share_of_rank": "number"}


def test_any_beginning_is_balanced(records: Records) -> None:
    """Trap 3: the test split was an unshuffled tail with one kind of chart."""
    for size in (5, 17, 50, 123, 340):
        counts = Counter(record["chart"] for record in records[:size])
        assert set(counts) == set(CHARTS) and max(counts.values()) - min(counts.values()) <= 1
        for chart in CHARTS:
            families = Counter(record["family"] for record in records[:size] if record["chart"] == chart)
            assert (
                max(families.values())
                - min([*families.values(), *[0] * (len(families) < len(FAMILIES[chart]))])
                <= 1
            )
    assert {(record["chart"], record["family"]) for record in records[:20]} == {
        (chart, family) for chart, families in FAMILIES.items() for family in families
    }


def test_a_smaller_size_is_a_beginning_of_a_larger_one(records: Records, folder: Path) -> None:
    for size in (11, 47, 50):
        assert charts("test", size=size, cache_dir=folder) == records[:size]


def test_yes_and_no_alternate(by_split: dict[str, Records]) -> None:
    """Trap 2: all "is the word present" answers were False."""
    for records in by_split.values():
        answers = [record["target"] for record in records if record["family"] == "word_present"]
        assert len(answers) >= 20
        assert all(one != other for one, other in pairwise(answers))


def test_words_asked_about_are_drawn_or_really_absent(by_split: dict[str, Records]) -> None:
    asked_present, asked_absent = set(), set()
    for record in (record for records in by_split.values() for record in records):
        if record["family"] == "word_present":
            word, drawn = record["data"]["asked"]["word"], [word for word, _, _ in record["data"]["words"]]
            if record["target"] == "True":
                assert word in drawn
                asked_present.add(word)
            else:
                assert not any(word in other or other in word for other in drawn)
                asked_absent.add(word)
    drawn_anywhere = {
        word
        for records in by_split.values()
        for record in records
        for word, *_ in record["data"].get("words", ())
    }
    assert len(asked_absent & drawn_anywhere) > len(asked_absent) / 2, (
        "absent words are words of other clouds"
    )


def test_no_answer_is_right_for_most_questions_of_a_family(by_split: dict[str, Records]) -> None:
    for chart, families in FAMILIES.items():
        for family in families:
            targets = Counter(
                str(record["target"])
                for records in by_split.values()
                for record in records
                if (record["chart"], record["family"]) == (chart, family)
            )
            assert targets.most_common(1)[0][1] <= 0.55 * targets.total(), (chart, family, targets)


def test_splits_share_no_picture_and_no_text(by_split: dict[str, Records]) -> None:
    pictures, texts, data = {}, {}, {}
    for split, records in by_split.items():
        pictures[split] = {hashlib.sha256(record["image"].read_bytes()).hexdigest() for record in records}
        texts[split] = {record["text_sha"] for record in records}
        data[split] = {canonical({k: v for k, v in r["data"].items() if k != "asked"}) for r in records}
        assert len(pictures[split]) == len({record["image"] for record in records}), "all pictures differ"
    for one, other in [("train", "validation"), ("train", "test"), ("validation", "test")]:
        assert not pictures[one] & pictures[other]
        assert not texts[one] & texts[other]
        assert not data[one] & data[other]


@pytest.mark.slow
def test_splits_share_no_data_over_many_seeds() -> None:
    found: dict[str, dict[str, set[str]]] = {split: {chart: set() for chart in CHARTS} for split in SPLITS}
    for split in SPLITS:
        for seed in range(3):
            source = TextSource("builtin", split, seed)
            for chart in CHARTS:
                seen: set[str] = set()
                for index in range(30):
                    plans.plan(chart, index, [], source, seen)
                found[split][chart] |= seen
    for chart in CHARTS:
        sets = [found[split][chart] for split in SPLITS]
        assert sum(map(len, sets)) == len(set.union(*sets))
    # A pie and a bar chart of the same letters are in one split as well.
    letters = [found[split]["bar"] | found[split]["pie"] for split in SPLITS]
    assert sum(map(len, letters)) == len(set.union(*letters))


_DIGEST = """
import hashlib, json, sys
from pathlib import Path
from tasks.chart_vqa.records import charts
records = charts("test", size=45, seed=4, cache_dir=Path(sys.argv[1]))
digest = hashlib.sha256()
for record in records:
    digest.update(record.pop("image").read_bytes())
    digest.update(json.dumps(record).encode())
print(digest.hexdigest())
"""


def _start(folder: Path, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _DIGEST, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.process
def test_processes_agree_byte_for_byte_and_may_share_a_cache(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    running = [
        _start(shared, PYTHONHASHSEED="1", LC_ALL="C"),
        _start(shared, PYTHONHASHSEED="2", LC_ALL="de_DE.UTF-8", TZ="Asia/Tokyo"),
        _start(own, PYTHONHASHSEED="3"),
    ]
    digests = [process.communicate(timeout=120)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(digests[0]) == 64 and len(set(digests)) == 1
    assert not list(tmp_path.rglob("*.part"))
    assert [path.name for path in sorted(shared.rglob("*.*"))] == [
        path.name for path in sorted(own.rglob("*.*"))
    ]


def test_records_of_a_seed_never_change_silently() -> None:
    """A new value here means new data: raise the task's version with it.

    Clouds are left out, as their layout belongs to the versions of the libraries.
    """
    source = TextSource("builtin", "test", 1)
    seen: set[str] = set()
    planned = [
        plans.plan(chart, index, [], source, seen)
        for chart in CHARTS
        if chart != "cloud"
        for index in range(20)
    ]
    content = json.dumps([[one.data, one.style, one.text_sha] for one in planned])
    assert hashlib.sha256(content.encode()).hexdigest()[:16] == "d6641d0a5fe0d8a1"


def test_a_pool_of_processes_draws_the_same(tmp_path: Path) -> None:
    one = charts("train", size=30, cache_dir=tmp_path / "one", workers=1)
    two = charts("train", size=30, cache_dir=tmp_path / "two", workers="2")
    for first, second in zip(one, two, strict=True):
        assert first["id"] == second["id"]
        assert cast(Path, first["image"]).read_bytes() == cast(Path, second["image"]).read_bytes()


def test_a_warm_cache_draws_nothing(records: Records, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(recipe: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(drawing, "render", refuse)
    assert charts("test", size=340, cache_dir=folder) == records


@pytest.mark.parametrize("broken", [b"", b"\x89PNG\r\n\x1a\n", b"half"])
def test_broken_files_are_drawn_again(broken: bytes, tmp_path: Path) -> None:
    first = charts("test", size=10, cache_dir=tmp_path)
    content = {cast(Path, record["image"]): cast(Path, record["image"]).read_bytes() for record in first}
    for path in content:
        path.write_bytes(broken or content[path][:0])
        path.with_suffix(".json").write_bytes(broken)
    assert charts("test", size=10, cache_dir=tmp_path) == first
    assert {path: path.read_bytes() for path in content} == content


def test_a_truncated_picture_is_drawn_again(tmp_path: Path) -> None:
    record = charts("test", size=1, cache_dir=tmp_path)[0]
    path = cast(Path, record["image"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    charts("test", size=1, cache_dir=tmp_path)
    assert path.read_bytes() == whole


def test_the_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path))
    image = cast(Path, charts(size=1)[0]["image"])
    assert image.is_relative_to(tmp_path / "charts")


def test_arguments_may_be_strings(folder: Path, records: Records) -> None:
    found = charts(
        "test", size="9", seed="1", charts="bar, pie", families="number_of_letters,share_of_rank",
        questions_per_chart="1", cache_dir=str(folder), workers="1", width="512", height="384",
    )  # fmt: skip
    assert Counter((record["chart"], record["family"]) for record in found) == {
        ("bar", "number_of_letters"): 5,
        ("pie", "number_of_letters"): 2,
        ("pie", "share_of_rank"): 2,
    }
    assert len({record["image"] for record in found}) == 9


def test_progress_counts_pictures(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    charts(
        size=30,
        charts=("bar", "line"),
        cache_dir=tmp_path,
        progress=lambda done, of: calls.append((done, of)),
    )
    assert calls[0] == (0, 10) and calls[-1] == (10, 10)
    assert [done for done, _ in calls] == list(range(11))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"charts": "bars"},
            "charts: 'bars' is not one of bar, pie, cloud, line, grouped; did you mean 'bar'?",
        ),
        ({"charts": ""}, "charts is empty; give one or more of bar"),
        ({"families": "mean_frequenzy"}, "did you mean 'mean_frequency'?"),
        (
            {"charts": "pie", "families": "median_frequency"},
            "'median_frequency' is not one of number_of_letters, le",
        ),
        ({"split": "tests"}, "split: 'tests' is not one of train, validation, test; did you mean 'test'?"),
        ({"size": 0}, "size must be at least 1, not 0"),
        ({"size": "many"}, "size must be a whole number, not 'many'"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"width": 100}, "width must be from 320 to 4096, not 100"),
        ({"questions_per_chart": 0}, "questions_per_chart must be at least 1"),
        ({"workers": 0}, "workers must be at least 1"),
    ],
)
def test_what_is_not_allowed_is_said(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        charts(**{"cache_dir": tmp_path, **arguments})
    assert message in str(error.value)


def test_a_text_file_gives_charts_until_it_runs_out(tmp_path: Path) -> None:
    path = tmp_path / "stories.txt"
    rng = Random(5)
    path.write_text("\n\n".join(sentences.text(rng) for _ in range(1500)), encoding="utf-8")
    for split in SPLITS:
        found = charts(split, size=30, text=str(path), cache_dir=tmp_path)
        assert len({record["image"] for record in found}) >= 10
    path.write_text("\n".join(sentences.text(rng) for _ in range(40)), encoding="utf-8")
    with pytest.raises(ValueError, match=r"gives only \d+ different bar charts for the split 'train'"):
        charts("train", size=500, charts="bar", text=str(path), cache_dir=tmp_path)


@pytest.mark.process
def test_importing_the_records_loads_no_drawing_library() -> None:
    code = (
        "import sys, tasks.chart_vqa.records; "
        "print(sorted({'matplotlib', 'wordcloud', 'PIL', 'numpy', 'datasets'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"
