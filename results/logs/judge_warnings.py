"""What makes a run suspect, said in every table: the judge rates itself, its students, or pictures it never
saw; a lineage of other weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from results.logs.ancestry import lineage_warning

_JUDGE = re.compile(r"judge:([^|]+)\|")


def run_warnings(identity: Mapping[str, Any]) -> list[str]:
    """The warnings of a run: those of a judge that gave one of its scores, and of its lineage."""
    changed = lineage_warning(identity)
    return [*rating_warnings(identity), *([changed] if changed else [])]


def rating_warnings(identity: Mapping[str, Any]) -> list[str]:
    """The warnings of the judges that gave a run's scores."""
    said = identity.get("judge_warnings")
    lines = [str(line) for line in said] if isinstance(said, list | tuple) else []
    metrics = identity.get("metrics")
    found = _JUDGE.match(str((metrics if isinstance(metrics, Mapping) else {}).get("correctness", "")))
    if found is not None:
        judge = found[1]
        known = {"weights_digest": judge, "model": judge}
        if _same(known, identity) or judge == identity.get("model"):
            lines.append(f"{judge[:40]} rates its own answers")
        elif any(_same(known, one) or judge == one.get("model") for one in teachers(identity)):
            lines.append(f"{judge[:40]} rates the answers of a model that it taught")
    return lines


def verdict_warnings(name: str, own: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes a judge's verdicts suspect: it wrote one of the texts, taught a writer, or did not look.

    name, own: the judge's, and its identity. said: what the header of its log says of the judging.
    """
    lines = []
    for one in said["contestants"]:
        if _same(own, one["identity"]):
            lines.append(f"{name} judges its own texts: it is {one['key']}")
        elif any(_same(own, teacher) for teacher in teachers(one["identity"])):
            lines.append(f"{name} taught {one['key']}: a judge prefers what reads like its own")
    if any(_same(own, teacher) for teacher in said.get("golden_teachers") or ()):
        lines.append(f"{name} wrote golden texts: it judges its own")
    if said["text_only"]:
        lines.append("text only: the judge did not see the pictures, so accuracy is a guess")
    return tuple(lines)


def teachers(identity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models whose texts a model learned from, as its lineage and its base's lineage name them."""
    found: list[Mapping[str, Any]] = []
    lineage = identity.get("lineage")
    for _ in range(100):  # a file that somebody edited may be deep without end
        if not isinstance(lineage, Mapping):
            break
        data = lineage.get("data")
        for said in (lineage, data if isinstance(data, Mapping) else {}):
            named = said.get("teacher")
            for one in named if isinstance(named, list) else [named]:
                found += (
                    [{"model": one}] if isinstance(one, str) else [one] if isinstance(one, Mapping) else []
                )
        lineage = lineage.get("parent")
    return found


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """One model: by the digests of its weights where both are known, else by name."""
    digests = [said.get("weights_digest") or said.get("digest") for said in (one, other)]
    if all(digests):
        return digests[0] == digests[1]
    names = [said.get("model") or said.get("name") for said in (one, other)]
    return bool(names[0]) and names[0] == names[1]
