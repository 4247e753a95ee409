"""Trackers that a training also reports to: asked before anything is prepared whether they can be used.

What they are sent, and how, is transformers' own (`transformers.integrations`).
"""

from __future__ import annotations

import importlib
import os
import traceback
import urllib.error
import urllib.request
from collections.abc import Sequence
from importlib.util import find_spec

from trainers.machine.processes import is_first

TRACKERS = ("tensorboard", "wandb", "mlflow", "trackio")

_LIBRARY = {"tensorboard": "torch.utils.tensorboard"}
_INTEGRATIONS = "transformers.integrations.integration_utils"
# What a server may take for its first answer; mlflow by itself would try for minutes.
_SECONDS = 10.0


def missing(name: str) -> bool:
    """Whether a tracker's library is not installed; looked for and not imported, which takes seconds."""
    return find_spec(name) is None


def open_trackers(names: Sequence[str]) -> None:
    """Import each tracker and log in where it wants that; ValueError when one cannot be used.

    ConnectionError when a server that the environment names does not answer.
    """
    for name in names:
        try:
            library = importlib.import_module(_LIBRARY.get(name, name))
            if name == "wandb" and is_first():
                library.login()  # asks a terminal for the key; offline and disabled it returns at once
        except Exception as error:  # each has errors of its own, and broken installs raise anything
            raise ValueError(f"--report-to {name}: {_first_line(error)}") from error
        if name == "mlflow" and is_first():
            _check_answers(os.environ.get("MLFLOW_TRACKING_URI", ""))


def close_trackers(names: Sequence[str]) -> None:
    """Close what transformers leaves open until the process ends, with its last words then."""
    if "wandb" in names and is_first():
        importlib.import_module("wandb").finish()


def tracker_failure(error: BaseException) -> str | None:
    """What a tracker raised while it was sent something, in words; None for an error of anybody else."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") == _INTEGRATIONS and "self" in frame.f_locals:
            name = type(frame.f_locals["self"]).__name__.removesuffix("Callback").casefold()
            return f"--report-to {name}: {_first_line(error)}"
    return None


def _check_answers(address: str) -> None:
    """Ask once: mlflow itself tries for minutes."""
    if not address.startswith(("http://", "https://")):
        return
    try:
        urllib.request.urlopen(address, timeout=_SECONDS).close()
    except urllib.error.HTTPError:
        return
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ConnectionError(
            f"--report-to mlflow: nothing answers at {address} ({reason}); start the server, or mend "
            "MLFLOW_TRACKING_URI"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
