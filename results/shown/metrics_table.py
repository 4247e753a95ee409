"""A run's numbers as tables: one line per number, and the main ones of each group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table
from rich.text import Text

from results.logs.logged_run import Run
from results.numbers.metrics import Metric, run_metrics
from results.shown.words import score_text, shown

_PARTS = ("precision", "recall")
# Whether a text was longer than the encoder takes: a count beside the scores, and none of them.
_CUT = "bertscore_cut"


def metrics_table(title: Text, metrics: Sequence[Metric]) -> Table:
    """One line per number, its precision and recall beside it, all in percent. Fits 80 columns."""
    table = _titled(title)
    table.add_column("", overflow="fold")
    parts = {metric.name: metric for metric in metrics}
    split = any(f"{metric.name}_precision" in parts for metric in metrics)
    for heading in ("n", "score ±95%", *(("precision ±95%", "recall ±95%") if split else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for metric in _whole(metrics):
        beside = [parts.get(f"{metric.name}_{part}") for part in _PARTS] if split else []
        cells = [score_text(part.interval if part else None, missing="") for part in beside]
        n = metric.interval.n if metric.interval else 0
        table.add_row(metric.label, str(n), score_text(metric.interval), *cells)
    return table


def _titled(title: Text) -> Table:
    """A table under its title: as a heading, a long one would take the room of the numbers."""
    return Table(
        box=None, pad_edge=False, header_style="bold", title=title, title_justify="left", title_style="bold"
    )


def _main(metrics: Sequence[Metric]) -> list[Metric]:
    """Those that stand for the rest in a narrow table: corpus scores, F1 of the others, no faults."""
    corpus = {metric.name for metric in metrics if metric.corpus}
    whole = [metric for metric in _whole(metrics) if not metric.lower]
    return [metric for metric in whole if metric.corpus or metric.name not in corpus]


def _whole(metrics: Sequence[Metric]) -> list[Metric]:
    return [metric for metric in metrics if not metric.name.endswith(_PARTS) and metric.name != _CUT]


def cut_note(metrics: Sequence[Metric]) -> str | None:
    """How many samples had a text that was cut for BERTScore; None where none had."""
    cut = next((metric.interval for metric in metrics if metric.name == _CUT), None)
    if cut is None or not cut.mean:
        return None
    count = f"{round(cut.mean * cut.n)} of {cut.n} samples"
    return f"bertscore: {count} have a text longer than the encoder takes; it was cut"


def group_metrics_tables(run: Run, field: str, per_table: int = 3) -> list[Table]:
    """The main numbers of each group of a field, a few columns a table."""
    labels = run.outcomes.groups[field]
    groups = {"all": run_metrics(run)}
    for code in sorted(range(len(labels.names)), key=lambda place: labels.names[place]):
        groups[labels.names[code]] = run_metrics(run, np.flatnonzero(labels.codes == code))
    columns = _main(groups["all"])
    tables: list[Table] = []
    for start in range(0, len(columns), per_table):
        table = _titled(shown(f"{run.task} by {field}"))
        table.add_column("", overflow="fold")
        block = slice(start, start + per_table)
        for heading in ("n", *(metric.label for metric in columns[block])):
            table.add_column(heading, justify="right", no_wrap=True)
        for group, metrics in groups.items():
            own = _main(metrics)
            n = own[0].interval.n if own and own[0].interval else 0
            table.add_row(shown(group), str(n), *(score_text(metric.interval) for metric in own[block]))
        tables.append(table)
    return tables
