"""What reading logs costs: a leaderboard of 100 logs, a comparison of two large ones, inspect's own table.

    python benchmarks/reading.py [--logs 100] [--samples 2000] [--large 200000]

One log is made by inspect from a scored task with pictures; the others hold its rows again, under other
names, with as many members as such a log has. Each figure is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

HOME = Path(__file__).parent.parent
sys.path.insert(0, str(HOME))

import zipfile_zstd  # noqa: E402, F401  teaches zipfile zstandard


def seed_log(folder: Path, samples: int) -> Path:
    """A real log: chart_vqa with completions that answer about 70% of it, scored by its scorer."""
    records = subprocess.run(
        [sys.executable, "-c", _ORACLE, str(samples)], capture_output=True, text=True, check=True, cwd=HOME
    ).stdout
    completions = folder / "completions.jsonl"
    completions.write_text(records, encoding="utf-8")
    _bench("score", "chart_vqa", completions, "-T", f"size={samples}", "--log-dir", folder / "seed")
    (log,) = (folder / "seed").glob("*.eval")
    return log


_ORACLE = """
import json, random, sys
if __name__ == "__main__":
    from bench.registry import TASKS
    draw = random.Random(1)
    for sample in TASKS["chart_vqa"](size=int(sys.argv[1])).dataset:
        answer = sample.target if draw.random() < 0.7 else draw.randrange(9)
        print(json.dumps({"id": str(sample.id), "completion": f"It is \\\\boxed{{{answer}}}."}))
"""


def repeated(log: Path, made: Path, samples: int, name: str, flipped: int = 0) -> None:
    """A log of this many samples with the rows of another, its model called ``name``, some answers turned."""
    with ZipFile(log) as archive:
        header = json.loads(archive.read("header.json"))
        rows = json.loads(archive.read("summaries.json"))
        member = next(entry for entry in archive.namelist() if entry.startswith("samples/"))
        body = archive.read(member)
    known = header["eval"]["metadata"]["model"]
    known.update(model=name, completions_hash=name)
    header["eval"]["metadata"]["identity"]["records"] = samples
    grown = []
    for number in range(samples):
        row = json.loads(json.dumps(rows[number % len(rows)])) if number >= len(rows) else rows[number]
        turn = number // len(rows)
        row["id"] = f"{row['id']}-{turn}"
        row["metadata"]["cluster"] = f"{row['metadata']['cluster']}-{turn}"
        if number % 100 < flipped:
            row["scores"]["boxed"]["value"] = "I"
        grown.append(row)
    header["eval"]["dataset"].update(samples=samples, sample_ids=[row["id"] for row in grown])
    with ZipFile(made, "w", ZIP_STORED) as archive:
        for row in grown:
            archive.writestr(f"samples/{row['id']}_epoch_1.json", body[:2000])
        archive.writestr("summaries.json", json.dumps(grown), compress_type=93)
        archive.writestr("header.json", json.dumps(header), compress_type=93)


Measured = tuple[float, float, float]


def _bench(*arguments: object, cache: Path | None = None) -> Measured:
    """Seconds, CPU seconds and MiB of a command, which may end with the code of a verdict."""
    return _measured([sys.executable, "-m", "bench", *map(str, arguments)], cache)


# A process of its own between: what a child has used at most includes what its parent held when it forked.
_WATCH = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


def _measured(command: list[str], cache: Path | None = None) -> Measured:
    environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
    # As an installed package is: compiled once.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if cache is not None:
        environment["TUNEBENCH_CACHE"] = str(cache)
    watched = [sys.executable, "-c", _WATCH, *command]
    said = subprocess.run(watched, cwd=HOME, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    code, seconds, cpu, kilobytes = json.loads(said.stdout)
    if code not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: exit code {code}")
    return seconds, cpu, kilobytes / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--logs", type=int, default=100)
    parser.add_argument("--samples", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seed = seed_log(folder, given.samples)
        many = folder / "many"
        many.mkdir()
        for number in range(given.logs):
            repeated(seed, many / f"log-{number:03}.eval", given.samples, f"model-{number:03}", number % 20)
        for number in range(2):
            repeated(seed, folder / f"large-{number}.eval", given.large, f"large-{number}", 2 * number)
        print("| | s | CPU s | MiB |\n|---|---|---|---|")
        for run in range(given.repeats):
            cache = folder / f"cache-{run}"
            _row(
                f"leaderboard, {given.logs} × {given.samples:,}, cold",
                _bench("leaderboard", many, cache=cache),
            )
            _row("the same, warm", _bench("leaderboard", many, cache=cache))
            pair = (folder / "large-0.eval", folder / "large-1.eval")
            _row(f"compare, 2 × {given.large:,}, cold", _bench("compare", *pair, cache=cache))
            _row("the same, warm", _bench("compare", *pair, cache=cache))
            shutil.rmtree(cache)
        frame = (
            f"from inspect_ai.analysis import samples_df; print(len(samples_df({str(many)!r}, quiet=True)))"
        )
        _row(
            f"inspect's samples_df, {given.logs} × {given.samples:,}",
            _measured([sys.executable, "-c", frame]),
        )


def _row(name: str, measured: Measured) -> None:
    print(f"| {name} | {measured[0]:.1f} | {measured[1]:.1f} | {measured[2]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
