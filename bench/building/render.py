"""``bench render``: a few samples as pictures and prompts, solved examples too, to look at."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.building.shots import Shots, with_overrides
from bench.declarations.catalog import find_task
from bench.declarations.task_spec import TaskSpec
from bench.records.loading import Record, image_files, load_records


def render_samples(task: str, dataset_args: Mapping[str, Any], n: int, out: Path) -> list[dict[str, Any]]:
    """Write the first ``n`` samples' images, prompts and an index.html; what was written, row by row.

    A row's ``turns`` are what the model is sent: each solved example with its answer, then the question, each
    with its own pictures.
    """
    spec, args = with_overrides(find_task(task), dataset_args)
    shots = Shots.drawn(spec, args)
    records = load_records(spec, args)[:n]
    out.mkdir(parents=True, exist_ok=True)
    shown: dict[Path, str] = {}
    rows = [_row(spec, record, shots, out, shown) for record in records]
    (out / "samples.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "index.html").write_text(_page(spec.name, rows), encoding="utf-8")
    return rows


def _row(spec: TaskSpec, record: Record, shots: Shots, out: Path, shown: dict[Path, str]) -> dict[str, Any]:
    """One sample's files. shown: where the pictures of solved examples are already."""
    if "unreadable" in record:
        return {"id": record["id"], "unreadable": record["unreadable"], "target": "", "prompt_file": "–"}
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(record["id"]))
    turns: list[dict[str, Any]] = []
    for shot in shots.before(spec, record):
        for image in image_files(spec, shot):
            if image not in shown:
                shown[image] = _copy(image, out / f"shot-{len(shown) + 1}")
        images = [shown[image] for image in image_files(spec, shot)]
        answer = spec.shots.answer.format_map(shot)
        turns.append({"prompt": spec.render(shot), "images": images, "answer": answer})
    images = [
        _copy(image, out / f"{name}{f'-{number}' if number else ''}")
        for number, image in enumerate(image_files(spec, record))
    ]
    turns.append({"prompt": spec.render(record), "images": images, "answer": None})
    prompt_file = out / f"{name}.txt"
    prompt_file.write_text(_text(spec, turns), encoding="utf-8")
    return {
        "id": record["id"],
        "target": record[spec.dataset.target],
        "prompt_file": str(prompt_file),
        "images": images,
        "system": spec.system,
        "turns": turns,
    }


def _copy(image: Path, to: Path) -> str:
    copy = to.with_name(to.name + image.suffix)
    shutil.copyfile(image, copy)
    return str(copy)


def _text(spec: TaskSpec, turns: list[dict[str, Any]]) -> str:
    """The prompt alone where there is nothing else; else each message under its role."""
    if len(turns) == 1 and not spec.system:
        return f"{turns[0]['prompt']}\n"
    said = [("system", spec.system)] if spec.system else []
    for turn in turns:
        pictures = "".join(f"[{Path(image).name}]\n" for image in turn["images"])
        said.append(("user", pictures + turn["prompt"]))
        if turn["answer"] is not None:
            said.append(("assistant", turn["answer"]))
    return "\n\n".join(f"--- {role} ---\n{text}" for role, text in said) + "\n"


def _page(task: str, rows: list[dict[str, Any]]) -> str:
    return (
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(task)}</title><style>:root{{color-scheme:light dark}}"
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;"
        "display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1.5rem}"
        "figure{margin:0;border:1px solid #8884;border-radius:8px;padding:1rem}"
        "section{border-left:3px solid #8884;padding-left:.7rem;margin:.6rem 0}"
        "section img{max-width:70%}"
        "img{max-width:100%;background:#fff}pre{white-space:pre-wrap;font-size:13px}</style>"
        + "".join(map(_card, rows))
    )


def _card(row: dict[str, Any]) -> str:
    if "unreadable" in row:
        shown = f"<pre>{html.escape(str(row['unreadable']))}</pre>"
    else:
        system = f"<pre>{html.escape(row['system'])}</pre>" if row["system"] else ""
        shown = system + "".join(map(_turn, row["turns"]))
    return (
        f"<figure><figcaption><b>{html.escape(str(row['id']))}</b>{shown}"
        f"target <code>{html.escape(str(row['target']))}</code></figcaption></figure>"
    )


def _turn(turn: dict[str, Any]) -> str:
    pictures = "".join(f'<img src="{html.escape(Path(image).name)}" alt="">' for image in turn["images"])
    prompt = f"{pictures}<pre>{html.escape(turn['prompt'])}</pre>"
    if turn["answer"] is None:
        return prompt
    return f"<section>{prompt}<pre><b>{html.escape(turn['answer'])}</b></pre></section>"
