"""A leaderboard as one HTML file that needs no network and runs nothing but its own script.

What models and records say reaches the page as JSON in a data block, and the screen as text nodes only. The
page's policy allows its own script and style by their digests, data: pictures, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from results.board.leaderboard_files import Published
from results.board.standings import Leaderboard
from results.page.page_data import board_data
from results.page.page_samples import samples_data

_SCRIPTS = (
    "dom",
    "marks",
    "leaderboard",
    "groups",
    "differences",
    "training",
    "confusion",
    "samples",
    "main",
)
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True)
class Page:
    """The HTML, and a line about what is in it."""

    text: str
    summary: str


def page(
    board: Leaderboard, published: Published = (), problems: Sequence[str] = (), *, samples: int = 120
) -> Page:
    """The page of a leaderboard. samples: how many per task get their picture and completions.

    Pictures are at most 6 kB each and 3 MB in all, completions at most 4 MB in all; what is beyond is left
    out, and the page says so.
    """
    per_column, pictures = samples_data(board, samples)
    blocks = {
        "board": {
            **board_data(board, published, problems),
            "created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "picturesLeftOut": pictures.left_out,
        },
        "pictures": pictures.uris,
        **{f"samples-{place}": data for place, data in enumerate(per_column)},
    }
    text = _document(blocks)
    detailed = sum(len(data["details"]) for data in per_column)
    total = sum(len(data["ids"]) for data in per_column)
    return Page(
        text,
        f"{_count(len(board.rows), 'row')}, {_count(len(board.columns), 'column')}, {detailed} of {total} "
        f"samples with completions, {_count(len(pictures.uris), 'picture')}, "
        f"{len(text.encode()) / 1e6:.1f} MB",
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _document(blocks: dict[str, Any]) -> str:
    parts = files("results") / "page"
    style = (parts / "page.css").read_text(encoding="utf-8")
    script = "\n".join((parts / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    script = f"'use strict'\n;(() => {{\n{script}\n}})()\n"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    data = "\n".join(
        f'<script type="application/json" id="{name}">{embedded(value)}</script>'
        for name, value in blocks.items()
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<title>Leaderboard</title>\n'
        f"<style>{style}</style>\n</head>\n<body>\n"
        f"{(parts / 'body.html').read_text(encoding='utf-8')}\n{data}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def embedded(value: Any) -> str:
    """JSON that stays inside its script element whatever its texts say, and is valid in every parser.

    ``<``, ``>`` and ``&`` would end the element or begin a comment; U+2028 and U+2029 end a line in old
    scripts; lone surrogates cannot be written as UTF-8.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
