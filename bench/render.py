"""``bench render``: a few samples as pictures and prompts, to look at."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.build import image_files
from bench.catalog import find_task
from bench.records import load_records


def render_samples(task: str, dataset_args: Mapping[str, Any], n: int, out: Path) -> list[dict[str, Any]]:
    """Write the first ``n`` samples' images, prompts and an index.html; what was written, row by row."""
    spec = find_task(task)
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for record in load_records(spec, dataset_args)[:n]:
        if "unreadable" in record:
            rows.append(
                {"id": record["id"], "unreadable": record["unreadable"], "target": "", "prompt_file": "–"}
            )
            continue
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in str(record["id"]))
        prompt_file = out / f"{name}.txt"
        prompt_file.write_text(spec.render(record) + "\n", encoding="utf-8")
        images = []
        for number, image in enumerate(image_files(spec, record)):
            copy = out / f"{name}{f'-{number}' if number else ''}{image.suffix}"
            shutil.copyfile(image, copy)
            images.append(str(copy))
        target = record[spec.dataset.target]
        rows.append({"id": record["id"], "target": target, "prompt_file": str(prompt_file), "images": images})
    (out / "samples.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "index.html").write_text(_page(spec.name, rows), encoding="utf-8")
    return rows


def _page(task: str, rows: list[dict[str, Any]]) -> str:
    cards = []
    for row in rows:
        pictures = "".join(
            f'<img src="{html.escape(Path(image).name)}" alt="">' for image in row.get("images", ())
        )
        prompt = Path(row["prompt_file"]).read_text(encoding="utf-8") if row.get("images") is not None else ""
        cards.append(
            f"<figure>{pictures}<figcaption><b>{html.escape(str(row['id']))}</b>"
            f"<pre>{html.escape(prompt or row.get('unreadable', ''))}</pre>"
            f"target <code>{html.escape(str(row['target']))}</code></figcaption></figure>"
        )
    return (
        f"<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{html.escape(task)}</title><style>:root{{color-scheme:light dark}}"
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;"
        "display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1.5rem}"
        "figure{margin:0;border:1px solid #8884;border-radius:8px;padding:1rem}"
        "img{max-width:100%;background:#fff}pre{white-space:pre-wrap;font-size:13px}</style>" + "".join(cards)
    )
