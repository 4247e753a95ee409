"""Texts in the form that VQAonline's authors score."""

from __future__ import annotations

import pytest

from scorers.overlap.normalize import normalized

pytest.importorskip("nltk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a Cat. It sat!", "it 's a cat it sat"),
        ("A (small) one, 3.5 cm", "a small one 3.5 cm"),
        ("", ""),
        ("Don't -- stop", "do n't -- stop"),
        ("¿Qué?", "¿qué"),
    ],
)
def test_small_words_without_punctuation(text: str, expected: str) -> None:
    assert normalized(text, "words") == expected
    assert normalized(text, "none") == text
