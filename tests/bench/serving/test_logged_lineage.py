"""What a log keeps of a lineage: names, digests, data, thinned losses, and each parent in its child."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.serving.checkpoint import Checkpoint
from bench.serving.logged_lineage import logged_lineage
from results.logs.ancestry import lineage_of


def lineage(base: str, parent: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "recipe": {"name": "chart_sft", "base": {"checkpoint": base}, "optimizer": {"learning_rate": 1e-4}},
        "base_digest": f"digest of {base}",
        "data": {"examples": 7, "groups": {"chart": {"bar": 4, "pie": 3}}},
        "examples": 6,
        "versions": {"torch": "2"},
        "loss_history": [{"step": n, "loss": 1 / (n + 1)} for n in range(999)]
        + [{"step": 998, "validation_loss": 0.5}],
        "parent": parent,
    }


def written(folder: Path, content: object) -> Checkpoint:
    folder.joinpath("lineage.json").write_text(json.dumps(content))
    return Checkpoint("m", folder)


def test_what_tables_need_is_kept_and_the_rest_is_not(tmp_path: Path) -> None:
    kept = logged_lineage(written(tmp_path, lineage("two", lineage("one", None))))
    assert kept is not None
    assert "versions" not in kept
    assert "optimizer" not in kept["recipe"]
    assert len(json.dumps(kept)) < 20_000
    found = lineage_of({"lineage": kept})
    assert found is not None
    assert (found.recipe, found.base, found.examples) == ("chart_sft", "two", 6)
    assert found.ancestors == ("digest of two", "digest of one")
    assert found.groups == {"chart": {"bar": 4, "pie": 3}}
    assert len(found.losses) <= 200
    assert (found.losses[-1].step, found.losses[-1].validation) == (998, 0.5)


def test_an_adapters_lineage_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "adapter").mkdir()
    written(tmp_path / "base", lineage("zero", None))
    written(tmp_path / "adapter", lineage("one", None))
    kept = logged_lineage(Checkpoint("m", tmp_path / "base", adapter=tmp_path / "adapter"))
    assert kept is not None
    assert kept["base_digest"] == "digest of one"


@pytest.mark.parametrize("content", [[], "text", {}, {"recipe": 3, "parent": [1], "loss_history": "x"}])
def test_a_lineage_of_another_form_is_no_error(tmp_path: Path, content: object) -> None:
    kept = logged_lineage(written(tmp_path, content))
    assert kept is None or lineage_of({"lineage": kept}) is not None


def test_a_checkpoint_without_one_has_none(tmp_path: Path) -> None:
    assert logged_lineage(Checkpoint("m", tmp_path)) is None
