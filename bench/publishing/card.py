"""A checkpoint's card for the hub: what it is, how it was made, how it scores; everything measured or read.

`card(...)` is pure: lineage and leaderboard in, the text of README.md out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from results.board.leaderboard_files import leaderboard_markdown
from results.board.standings import Leaderboard

_PIPELINE = "image-text-to-text"


def card(
    name: str,
    *,
    digest: str,
    parameters: int | None,
    adapter: bool,
    base: str | None,
    lineage: Mapping[str, Any] | None,
    board: Leaderboard | None,
    data: str | None = None,
) -> str:
    """The card as Markdown with a YAML head.

    name: of the repository. digest: of the weights, by which the board's rows were found. base: hub id of the
    base model, or None. data: hub id of the data that goes along.
    """
    head: dict[str, Any] = {
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": _PIPELINE,
        "tags": ["tunebench", *(["lora"] if adapter else [])],
    }
    if base is not None:
        head["base_model"] = base
        head["base_model_relation"] = "adapter" if adapter else "finetune"
    if data is not None:
        head["datasets"] = [data]
    results = _results(board, digest) if board is not None else []
    if results:
        head["model-index"] = [{"name": name.rpartition("/")[2], "results": results}]
    parts = [
        "---\n" + yaml.safe_dump(head, sort_keys=False, allow_unicode=True) + "---",
        f"# {name.rpartition('/')[2]}",
        _summary(lineage),
        _use(name),
        "## Scores",
        leaderboard_markdown(board).strip() if board is not None and board.rows else _no_scores(digest),
        "## How it was made",
        _made(digest, parameters, lineage),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(lineage: Mapping[str, Any] | None) -> str:
    recipe = _mapping((lineage or {}).get("recipe"))
    return str(recipe.get("summary", ""))


def _use(name: str) -> str:
    return f"```\nbench run TASK --model {name}\n```"


def _no_scores(digest: str) -> str:
    return f"No finished run of these weights ({digest[:12]}) was among the logs when this card was written."


def _made(digest: str, parameters: int | None, lineage: Mapping[str, Any] | None) -> str:
    said = dict(lineage or {})
    recipe = _mapping(said.get("recipe"))
    data = _mapping(said.get("data"))
    rows: list[tuple[str, object]] = [
        ("weights", f"{digest[:12]}" + (f", {parameters:,} parameters" if parameters else "")),
        ("recipe", _together(recipe.get("name"), said.get("recipe_digest"))),
        ("base", _together(_mapping(recipe.get("base")).get("checkpoint"), said.get("base_digest"))),
        ("data", _together(_source(recipe, data), said.get("data_hash"))),
        ("examples", said.get("examples")),
        ("steps", said.get("steps")),
        ("tokens", said.get("tokens")),
        ("seconds", said.get("seconds")),
        ("device", said.get("device")),
        ("processes", said.get("processes")),
        ("seed", said.get("seed")),
        ("commit", said.get("commit")),
        ("finished", said.get("finished")),
        ("merged", _mapping(said.get("merged")).get("finished")),
        ("overlap with validation or test, allowed", said.get("overlap_allowed") or None),
        ("versions", ", ".join(f"{key} {value}" for key, value in _mapping(said.get("versions")).items())),
    ]
    lines = [f"| {key} | {_cell(value)} |" for key, value in rows if value not in (None, "", {})]
    if lineage is None:
        lines.append("| lineage | none: it was not made by `bench train`, or was changed since |")
    return "\n".join(["| | |", "| --- | --- |", *lines])


def _source(recipe: Mapping[str, Any], data: Mapping[str, Any]) -> str | None:
    """What the examples came from; of a file or folder its name alone."""
    declared = _mapping(recipe.get("data"))
    source = str(data.get("source", ""))
    value = declared.get(source)
    if value is None:
        return None
    text = str(value)
    return f"{source} {text.rstrip('/').rpartition('/')[2] if source not in ('task', 'hub') else text}"


def _results(board: Leaderboard, digest: str) -> list[dict[str, Any]]:
    """The board's scores of these weights, in the form that the hub reads out of a card."""
    found = []
    for column in board.columns:
        for row, cell in board.cells(column):
            if row.digest != digest or cell.score is None:
                continue
            found.append(
                {
                    "task": {"type": _PIPELINE},
                    "dataset": {
                        "type": "tunebench",
                        "name": f"{column.task} {column.version or ''}".strip(),
                        "revision": column.data_hash,
                    },
                    "metrics": [
                        {
                            "type": "mean_score",
                            "name": f"score (n {cell.score.n}, 95% interval "
                            f"{100 * cell.score.low:.1f} to {100 * cell.score.high:.1f})",
                            "value": round(100 * cell.score.mean, 2),
                        }
                    ],
                }
            )
    return found


def _together(name: object, digest: object) -> str | None:
    if not name:
        return f"{str(digest)[:12]}" if digest else None
    return f"{name} ({str(digest)[:12]})" if digest else str(name)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
