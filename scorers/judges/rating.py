"""How right a judge called an answer: 0, ½ or 1, as the authors of VQAonline had theirs say.

>>> parse_rating("It names the plant, and not the cause.\\n<rating>0.5</rating>")
0.5
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scorers.judges.concluding_tag import concluding_tags

TAG = "rating"
UNPARSED = "correctness_unparsed"
"""The number that counts replies without a rating."""
_DECORATION = " \t\r\n*_`'\"“”"
_RATINGS: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("0", "0.0", "0,0"), 0.0),
        **dict.fromkeys(("0.5", "0,5", ".5", "½", "1/2", "0.50"), 0.5),
        **dict.fromkeys(("1", "1.0", "1,0"), 1.0),
    }
)


def parse_rating(text: str) -> float | None:
    """The rating in the tag that concludes a judge's reply; None without one, for two that differ, or 0.7."""
    tags = concluding_tags(text, TAG)
    said = {_RATINGS.get(tag.strip(_DECORATION).rstrip(".")) for tag in tags}
    return said.pop() if len(said) == 1 else None
