"""How many questions the published data set has: whatever differs is another data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.scienceqa.sources import SourceRow

TOTAL = {"train": 12_726, "validation": 4_241, "test": 4_241}
WITH_IMAGE = {"test": 2_017}
# The seven largest topics of the image questions; eight smaller ones make up the rest.
TOPICS_WITH_IMAGE = {
    "test": {
        "geography": 600,
        "physics": 425,
        "biology": 403,
        "earth-science": 156,
        "science-and-engineering-practices": 128,
        "chemistry": 94,
        "us-history": 84,
    }
}


def check_counts(rows: Sequence[SourceRow], split: str) -> None:
    """ValueError, with every count that differs beside the published one, unless all agree."""
    shown = [row for row in rows if row.has_image]
    topics = Counter(str(row.fields.get("topic")) for row in shown)
    expected: list[tuple[str, int, int]] = [("questions", TOTAL[split], len(rows))]
    if split in WITH_IMAGE:
        expected.append(("questions with an image", WITH_IMAGE[split], len(shown)))
        expected += [
            (f"of them in {topic}", count, topics[topic]) for topic, count in TOPICS_WITH_IMAGE[split].items()
        ]
    wrong = [f"{what}: published {count}, here {found}" for what, count, found in expected if found != count]
    if wrong:
        raise ValueError(
            f"the split {split!r} is not that of the published ScienceQA ({'; '.join(wrong)}); complete the "
            "data, or give check_counts=false or a subset to use it as it is"
        )
