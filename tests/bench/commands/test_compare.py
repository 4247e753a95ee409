"""`bench compare`, `bless`, `baselines` on logs of the real scorer: exit codes and what is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli import main
from bench.running.replayed import score_completions

pytestmark = pytest.mark.slow

N = 120
RED = "\\text{\x1b[31mno}"
Command = Callable[..., tuple[int, str, str]]

TASK = """
name: sums
version: 1-A
summary: Add two numbers.
dataset: {jsonl: sums.jsonl, image: null}
prompt: "{question} Put the answer inside \\\\boxed{{}}."
scorer: {boxed: {kind: number}}
report: {by: [size], cluster: page}
"""


class Silent:
    def say(self, line: str) -> None:
        pass

    def samples(self, label: str, total: int):  # type: ignore[no-untyped-def]
        import contextlib

        return contextlib.nullcontext(lambda: None)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders base (80% right), same (other ones), worse (50%), formless (40% no box), short (20 rows)."""
    folder = tmp_path_factory.mktemp("sums")
    (folder / "sums.yaml").write_text(TASK)
    rows = [
        {"id": f"s{n}", "question": f"{n} + 1?", "target": str(n + 1), "page": n // 2, "size": "ab"[n % 2]}
        for n in range(N)
    ]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said: dict[str, Callable[[int], str | None]] = {
        "base": lambda n: f"\\boxed{{{n + 1 if n % 5 else 0}}}",
        "same": lambda n: f"\\boxed{{{n + 1 if (n + 1) % 5 else 0}}}",
        "worse": lambda n: f"\\boxed{{{n + 1 if n % 2 else RED}}}",
        "formless": lambda n: f"{n + 1}" if n % 5 in (1, 2) else f"\\boxed{{{n + 1 if n % 5 else 0}}}",
        "short": lambda n: f"\\boxed{{{n + 1}}}" if n < 20 else None,
    }
    for name, answer in said.items():
        made = folder / f"{name}.jsonl"
        found = [(n, text) for n in range(N) if (text := answer(n)) is not None]
        made.write_text("".join(json.dumps({"id": f"s{n}", "completion": text}) + "\n" for n, text in found))
        score_completions(str(folder / "sums.yaml"), made, None, folder / name, {}, Silent())
    return folder


@pytest.fixture
def bench(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """The command, in the folder of the logs, with its own folder of baselines: (code, stdout, stderr)."""
    monkeypatch.chdir(logs)

    def run(*arguments: str) -> tuple[int, str, str]:
        given = [one.replace("{dir}", str(tmp_path / "baselines")) for one in arguments]
        monkeypatch.setattr(sys, "argv", ["bench", *given])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_worse_ends_with_1_and_same_with_0(bench: Command) -> None:
    code, out, _ = bench("compare", "base", "worse")
    assert code == 1
    assert "sums: regressed" in out
    assert " 80.0 " in out
    assert " 50.0 " in out
    code, out, _ = bench("compare", "base", "same", "--margin", "0.2")
    assert code == 0
    assert "sums: not worse (within 20 points)" in out


def test_better_is_said(bench: Command) -> None:
    code, out, _ = bench("compare", "worse", "base")
    assert code == 0
    assert "sums: improved" in out


def test_undecided_ends_with_1_only_when_strict(bench: Command) -> None:
    assert bench("compare", "base", "same", "--margin", "0.001")[0] == 0
    code, out, _ = bench("compare", "base", "same", "--margin", "0.001", "--strict")
    assert code == 1
    assert "undecided: n too small, needs about" in out


def test_a_forgotten_format_is_named(bench: Command) -> None:
    code, out, _ = bench("compare", "base", "formless")
    assert code == 1
    assert "forgot the format: no answer 0% → 40%" in out


def test_flips_are_shown_with_their_codes_taken_out(bench: Command) -> None:
    _, out, _ = bench("compare", "base", "worse", "--show-flips", "2")
    assert out.count("lost  ") == 2
    assert out.count("gained  ") == 2
    assert "question   2 + 1?" in out
    assert "\x1b" not in out


def test_groups(bench: Command) -> None:
    _, out, _ = bench("compare", "base", "worse", "--by", "size")
    assert "sums by size" in out
    code, _, err = bench("compare", "base", "worse", "--by", "sise")
    assert code == 2
    assert "did you mean 'size'" in err


def test_json_is_all_of_stdout(bench: Command) -> None:
    code, out, _ = bench("compare", "base", "worse", "--json", "--show-flips", "1")
    (task,) = json.loads(out)
    assert code == 1
    assert (task["verdict"], task["n"], task["clusters"]) == ("regressed", N, N // 2)
    assert len(task["flips"]) == 2


def test_a_baseline_stands_for_its_log(bench: Command, logs: Path, tmp_path: Path) -> None:
    code, out, _ = bench("bless", "base", "--as", "good", "--dir", "{dir}")
    assert code == 0
    assert "sums (120 samples)" in out
    assert (tmp_path / "baselines" / "good.json").stat().st_size < 20_000
    from_log = json.loads(bench("compare", "base", "worse", "--json")[1])[0]
    from_baseline = json.loads(bench("compare", "good", "worse", "--dir", "{dir}", "--json")[1])[0]
    same = ("verdict", "difference", "low", "high", "p", "rates", "right_to_wrong")
    assert {name: from_log[name] for name in same} == {name: from_baseline[name] for name in same}
    assert "good" in bench("baselines", "--dir", "{dir}")[1]
    assert json.loads(bench("baselines", "--dir", "{dir}", "--json")[1])[0]["name"] == "good"


def test_a_baseline_is_not_replaced_by_accident(bench: Command) -> None:
    assert bench("bless", "base", "--as", "good", "--dir", "{dir}")[0] == 0
    code, _, err = bench("bless", "worse", "--as", "good", "--dir", "{dir}")
    assert code == 2
    assert "--force to replace it" in err
    assert bench("bless", "worse", "--as", "good", "--dir", "{dir}", "--force")[0] == 0
    assert bench("bless", "base", "--as", "../up", "--dir", "{dir}")[0] == 2


def test_a_wrong_name_is_2_with_what_there_is(bench: Command) -> None:
    bench("bless", "base", "--as", "good", "--dir", "{dir}")
    code, _, err = bench("compare", "goood", "worse", "--dir", "{dir}")
    assert code == 2
    assert "did you mean 'good'" in err
    code, _, err = bench("compare", "base", "worse", "--task", "sum")
    assert code == 2
    assert "did you mean 'sums'" in err


def test_other_data_is_3(bench: Command, logs: Path, tmp_path: Path) -> None:
    bench("bless", "base", "--as", "good", "--dir", "{dir}")
    file = tmp_path / "baselines" / "good.json"
    file.write_text(file.read_text().replace('"data_hash":"', '"data_hash":"beef'))
    code, out, err = bench("compare", "good", "worse", "--dir", "{dir}")
    assert code == 3
    assert "sums: data_hash differs: base beef" in err
    assert "run both with the same data" in err
    assert out == ""


def test_samples_without_a_score_are_counted(bench: Command) -> None:
    code, out, _ = bench("compare", "base", "short")
    assert "100 samples of both have no score in one of them" in " ".join(out.split())
    assert "undecided: 83% of the samples have no score" in out
    assert code == 0


def test_the_noise_of_two_runs_is_the_least_margin(bench: Command) -> None:
    out = bench("compare", "base", "same", "--noise-floor", "base,same")[1]
    assert "not worse (within 40 points)" in out
    assert "not worse (within 20 points)" in bench("compare", "base", "same", "--noise-floor", "0.2")[1]
    for wrong in ("base", "2", "base,same,worse"):
        assert bench("compare", "base", "same", "--noise-floor", wrong)[0] == 2


def test_the_page_holds_the_verdict_and_no_markup_of_models(bench: Command, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert bench("compare", "base", "worse", "--by", "size", "--html", str(page))[0] == 1
    text = page.read_text()
    assert "regressed" in text
    assert "by size" in text
    assert text.count("<article") > 30
    assert "http://" not in text
    assert "https://" not in text
