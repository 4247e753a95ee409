"""The files of a training's curve, beside its checkpoint: curve.jsonl as it runs, curve.png at the end.

A line of curve.jsonl is one point: `step`, `examples` seen, and either `loss` (mean over the trained tokens
since the last point), `learning_rate`, `grad_norm`, `tokens_per_second`, `images_per_second`, `seconds`; or
`validation_loss` (mean over the trained tokens) and `validation_exact` (share of examples that greedy
decoding would write exactly), at the end perhaps `validation_blind` (the same share without the pictures).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

JSONL = "curve.jsonl"
PNG = "curve.png"


class NotFiniteError(ArithmeticError):
    """The loss became infinite or not a number; nothing after it can be learned."""


def append_point(folder: Path, point: Mapping[str, Any]) -> None:
    """Add a point to the folder's curve."""
    with (folder / JSONL).open("a", encoding="utf-8") as file:
        file.write(json.dumps(point) + "\n")


def read_points(folder: Path) -> list[dict[str, Any]]:
    """The points of the folder's curve; a last line that a kill has cut is left out."""
    file = folder / JSONL
    if not file.is_file():
        return []
    points = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            points.append(json.loads(line))
        except ValueError:
            break
    return points


def cut_after(folder: Path, step: int) -> None:
    """Take away the points after a step: training goes on from there and will make them again."""
    kept = [point for point in read_points(folder) if point["step"] <= step]
    part = folder / f".{JSONL}"
    part.write_text("".join(json.dumps(point) + "\n" for point in kept), encoding="utf-8")
    part.replace(folder / JSONL)


def draw(points: Iterable[Mapping[str, Any]], file: Path, title: str) -> None:
    """Loss of training and validation over the steps, as a PNG."""
    from matplotlib.figure import Figure

    known = list(points)
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for key, label, style in (("loss", "training", "-"), ("validation_loss", "validation", "o-")):
        line = [(point["step"], point[key]) for point in known if key in point]
        if line:
            axes.plot(*zip(*line, strict=True), style, label=label, markersize=3, linewidth=1.2)
    exact = [
        (point["step"], 100 * point["validation_exact"]) for point in known if "validation_exact" in point
    ]
    if exact:
        right = axes.twinx()
        right.plot(*zip(*exact, strict=True), "s--", color="tab:green", markersize=3, linewidth=1)
        right.set_ylabel("validation completions exactly right, %", color="tab:green")
        right.set_ylim(0, 100)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss per trained token")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(loc="upper right")
    figure.savefig(file)
