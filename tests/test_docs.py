"""Documents name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
DOCUMENTS = [*sorted((HOME / "docs").rglob("*.md")), HOME / "README.md", HOME / "CONTRIBUTING.md"]
NAMED = re.compile(
    r"(?<![\w/.])(?:bench|tasks|solvers|scorers|trainers|results|tests|benchmarks|docs)/[\w/-]+"
    r"\.(?:py|yaml|md|json|js)\b"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = set(NAMED.findall(document.read_text(encoding="utf-8")))
    assert [one for one in sorted(named) if "NAME" not in one and not (HOME / one).is_file()] == []


def test_the_readme_is_short() -> None:
    assert len((HOME / "README.md").read_text(encoding="utf-8").split()) <= 900
