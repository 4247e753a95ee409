"""Which split a text and the data behind a picture belong to.

The split is a function of content alone, so it holds for every size and seed. Two different texts can have
the same letter counts and so give the same picture; a text therefore belongs to the split of its *letter
counts* whenever these can be drawn, and equal pictures are always in one split. Charts made of more than
one text, or of something else than letter counts, are drawn only when their texts and the chart's own data
agree on the split.
"""

from __future__ import annotations

from tasks.chart_vqa.letter_counts import letters, tell_apart
from tasks.splits import Split, canonical, split_of

FEWEST_LETTERS = 4
MOST_LETTERS = 16


def drawable_letters(text: str) -> dict[str, int]:
    """The kept letters of `text`, or nothing when they are too few, too many or not legible."""
    kept = letters(text)
    if FEWEST_LETTERS <= len(kept) <= MOST_LETTERS and tell_apart(kept):
        return kept
    return {}


def split_of_text(text: str) -> Split:
    """The split of a text: that of its letter counts where these can be drawn."""
    kept = drawable_letters(text)
    return split_of(canonical(sorted(kept.items())) if kept else text)
