"""A page of a training folder's rows: picture, prompt and completion of each, in one file without a network.

Whatever stands in a row reaches the page as text; the page's policy allows pictures inside it and its own
style, and no script at all.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

from bench.records.training_folder import FolderRow
from results.shown.acceptance_table import group_label

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882 }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1280px; padding: 1rem }
h1 { font-size: 1.4rem; margin: .3rem 0 } header p { margin: .2rem 0 }
table { border-collapse: collapse; margin: .8rem 0; font-size: 14px }
td, th { text-align: right; padding: .1rem .8rem .1rem 0; border-bottom: 1px solid var(--line) }
td:first-child, th:first-child { text-align: left }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)); gap: 1rem }
article { border: 1px solid var(--line); border-radius: 8px; padding: .8rem; overflow-wrap: anywhere }
img { max-width: 100%; background: #fff; border-radius: 4px }
h2 { font-size: 1rem; margin: .3rem 0 } h3 { font-size: .8rem; margin: .6rem 0 .2rem; opacity: .7 }
.groups { font-size: 13px; opacity: .7 }
pre { white-space: pre-wrap; font: 13px/1.5 ui-monospace, monospace; background: var(--soft); padding: .5rem;
  border-radius: 4px; margin: 0 }
"""
_KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
_GROUPS_SHOWN = 40


def training_page(name: str, rows: Sequence[FolderRow], total: int, provenance: Mapping[str, Any]) -> str:
    """The page of the first rows of a folder."""
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(_STYLE)}; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(name)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{html.escape(name)}</h1>{_summary(len(rows), total, provenance)}</header>"
        f"{_table(provenance)}<main>{''.join(map(_card, rows)) or '<p>No rows.</p>'}</main></body></html>\n"
    )


def _summary(shown: int, total: int, provenance: Mapping[str, Any]) -> str:
    teacher = provenance.get("teacher") or {}
    lines = [
        f"{shown} of {total} rows · {provenance.get('task')} {provenance.get('task_version')}, train split · "
        f"teacher {teacher.get('model')} · {provenance.get('created')}",
        f"asked {provenance.get('asked')}: accepted {provenance.get('accepted')}, rejected "
        f"{provenance.get('rejected')}, unscored {provenance.get('unscored')}; bare answers "
        f"{provenance.get('fallbacks')}",
    ]
    for title, key in (("rejected", "rejected_because"), ("unscored", "unscored_because")):
        if reasons := provenance.get(key):
            lines.append(f"{title}: " + "; ".join(f"{reason} ({count})" for reason, count in reasons.items()))
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def _table(provenance: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><td>{html.escape(group_label(field, group))}</td>"
        + "".join(
            f"<td>{html.escape(str(row[key]))}</td>" for key in ("asked", "accepted", "rejected", "unscored")
        )
        + "</tr>"
        for field, groups in (provenance.get("by") or {}).items()
        for group, row in groups.items()
    ]
    if not rows:
        return ""
    left = len(rows) - _GROUPS_SHOWN
    more = f"<p>and {left} groups more in the card</p>" if left > 0 else ""
    return (
        "<table><tr><th></th><th>asked</th><th>accepted</th><th>rejected</th><th>unscored</th></tr>"
        + "".join(rows[:_GROUPS_SHOWN])
        + f"</table>{more}"
    )


def _card(row: FolderRow) -> str:
    pictures = "".join(_picture(image) for image in row.images)
    groups = " · ".join(f"{name} {value}" for name, value in row.groups.items())
    system = f"<h3>system</h3><pre>{html.escape(row.system)}</pre>" if row.system else ""
    return (
        f"<article><h2>{html.escape(row.sample_id)}</h2><div class=groups>{html.escape(groups)}</div>"
        f"{pictures}"
        f"{system}<h3>prompt</h3><pre>{html.escape(row.prompt)}</pre>"
        f"<h3>completion</h3><pre>{html.escape(row.completion)}</pre></article>"
    )


def _picture(content: bytes) -> str:
    """The picture as a data URI of the kind its bytes are; a note where they are none."""
    from PIL import Image

    try:
        kind = _KINDS[str(Image.open(io.BytesIO(content)).format)]
    except (OSError, KeyError, ValueError):
        return "<p>(a picture that a browser cannot show)</p>"
    return f'<img src="data:{kind};base64,{base64.b64encode(content).decode()}" alt="" loading="lazy">'


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
