"""A request that runs is not resumed, whatever ended the runs before it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import RequestError
from bench.running.run_lock import run_lock

KEY = "0123456789abcdef" * 4
HOLD = """
import sys
from pathlib import Path
from bench.running.run_lock import run_lock
with run_lock(Path(sys.argv[1]), sys.argv[2], "task × model", alone=sys.argv[3] == "alone"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def elsewhere(folder: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the request until its input ends."""
    command = [sys.executable, "-c", HOLD, str(folder), KEY, how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.communicate()


@pytest.mark.process
def test_a_live_run_is_not_resumed_and_a_killed_one_is(tmp_path: Path) -> None:
    with elsewhere(tmp_path, "shared") as process:
        with (
            pytest.raises(RequestError, match=r"task × model: the same request is running already.*--resume"),
            run_lock(tmp_path, KEY, "task × model", alone=True),
        ):
            raise AssertionError("both would go on from one log")
        with run_lock(tmp_path, KEY, "task × model", alone=False):
            pass  # two fresh runs have logs of their own
        with run_lock(tmp_path, KEY[::-1], "other × model", alone=True):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with run_lock(tmp_path, KEY, "task × model", alone=True):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.process
def test_a_resumed_run_is_alone(tmp_path: Path) -> None:
    with elsewhere(tmp_path, "alone"):
        for alone, remedy in ((True, "leave out --resume"), (False, "another --log-dir")):
            with pytest.raises(RequestError, match=remedy), run_lock(tmp_path, KEY, "x", alone=alone):
                raise AssertionError("it is being resumed elsewhere")


def test_the_last_of_those_who_share_it_removes_it(tmp_path: Path) -> None:
    with run_lock(tmp_path, KEY, "x", alone=False):
        with run_lock(tmp_path, KEY, "x", alone=False):
            pass
        assert len(list(tmp_path.iterdir())) == 1
        with pytest.raises(RequestError), run_lock(tmp_path, KEY, "x", alone=True):
            raise AssertionError("the first still runs")
    assert not list(tmp_path.iterdir())
