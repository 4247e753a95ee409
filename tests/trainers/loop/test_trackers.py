"""Trackers: what tensorboard is really sent, and what is said of one that cannot be used."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from trainers.data.examples import TrainData, TrainExample
from trainers.loop.trackers import missing, open_trackers
from trainers.training import TrainingStopped, train

pytestmark = pytest.mark.slow


@pytest.fixture
def data(examples: list[TrainExample], held_back: list[TrainExample]) -> TrainData:
    return TrainData(examples[:8], held_back[:3])


def test_tensorboard_has_the_curve_with_its_validation(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    open_trackers(["tensorboard"])
    short = recipe(steps=2, validation={"every": 1})
    made = train(short, data, base=tiny_checkpoint, out=tmp_path / "run", report_to=["tensorboard"])

    [folder] = (made.folder / "runs").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    for tag, key in (
        ("train/loss", "loss"),
        ("train/learning_rate", "learning_rate"),
        ("eval/loss", "validation_loss"),
        ("eval/exact", "validation_exact"),
    ):
        sent = {event.step: event.value for event in events.Scalars(tag)}
        assert sent == pytest.approx({p["step"]: p[key] for p in made.points if key in p}), tag
        assert sent.keys() == {1, 2}


def test_a_tracker_that_fails_is_named_and_not_taken_for_a_mistake_in_the_recipe(
    tiny_checkpoint: Path, data: TrainData, recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "file").touch()
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(TrainingStopped, match=r"--report-to tensorboard: .*no checkpoint was written yet"):
        train(recipe(steps=2), data, base=tiny_checkpoint, out=tmp_path / "run", report_to=["tensorboard"])


def test_a_tracker_without_a_login_or_a_server_is_refused_before_anything_is_prepared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their libraries are too large for a test; what is asked of them is one call each."""

    def login() -> None:
        raise RuntimeError("No API key configured. Use `wandb login` to log in.\nMore.")

    wandb = ModuleType("wandb")
    wandb.login = login  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    with pytest.raises(ValueError, match=r"--report-to wandb: No API key configured\. .* to log in\.$"):
        open_trackers(["wandb"])

    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:./runs")
    open_trackers(["mlflow"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ConnectionError, match=r"nothing answers at http://127\.0\.0\.1:\d+ .*start the"):
            open_trackers(["mlflow"])


def test_a_broken_install_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing("no_such_tracker") and not missing("json")
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(ValueError, match="--report-to trackio: import of trackio halted"):
        open_trackers(["trackio"])
