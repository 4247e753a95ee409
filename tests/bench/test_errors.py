"""What a message of ours quotes of an error of somebody else's."""

from __future__ import annotations

import pytest

from bench.errors import first_line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such file\nTraceback …"), "no such file"),
        (ValueError("\n  indented \nmore"), "indented "),
        (KeyError(), "KeyError"),
        (RuntimeError("   \n"), "RuntimeError"),
    ],
)
def test_an_errors_first_line_or_its_kind(error: Exception, said: str) -> None:
    assert first_line(error) == said
