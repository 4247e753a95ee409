"""Agreement of judges and people, against independent computations."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest

from results.verdicts.agreement import Rated, agreement, cohen_kappa, krippendorff_alpha, read_choices
from results.verdicts.win_rate import Preference

MEETINGS = [("one", "golden")]


def rated(said: str, start: int = 0) -> Rated:
    words: dict[str, Preference] = {"a": "a", "b": "b", "t": "tie"}
    return {
        (f"s{n}", "one", "golden"): words[letter] for n, letter in enumerate(said, start) if letter != "-"
    }


def test_kappa_is_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = Random(1)
    for _ in range(20):
        one = [rng.choice("aabt") for _ in range(30)]
        other = [letter if rng.random() < 0.6 else rng.choice("abt") for letter in one]
        expected = metrics.cohen_kappa_score(one, other)
        assert cohen_kappa(list(zip(one, other, strict=True))) == pytest.approx(expected, abs=1e-12)


def test_agreement_is_over_what_both_rated() -> None:
    found = agreement("x", rated("aabb--"), "y", rated("abbbaa"), {})
    assert found.same is not None
    assert (found.same.mean, found.same.n) == (0.75, 4)
    assert found.kappa == pytest.approx(0.5)
    nothing = agreement("x", rated("a"), "y", rated("a", start=5), {})
    assert nothing.same is None
    assert math.isnan(nothing.kappa)
    assert math.isnan(agreement("x", rated("aa"), "y", rated("aa"), {}).kappa)


def test_alpha_is_krippendorffs_worked_example() -> None:
    """The example that is shown everywhere: three coders, four values, many missing; nominal alpha 0.691."""
    observers = ["-----34121133-3", "1-213343-------", "--21344-21133-4"]
    assert [len(said) for said in observers] == [15] * 3
    found, n = krippendorff_alpha(
        [
            {(f"s{i}", "one", "golden"): letter for i, letter in enumerate(said) if letter != "-"}  # type: ignore[misc]
            for said in observers
        ]
    )
    assert found == pytest.approx(0.691, abs=0.0006)
    assert n == 12


def test_alpha_without_items_of_two_is_undefined() -> None:
    found, n = krippendorff_alpha([rated("ab--"), rated("--ab")])
    assert math.isnan(found)
    assert n == 0


def written(folder: Path, text: str) -> Path:
    file = folder / "choices.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_choices_by_name_letter_and_rater(tmp_path: Path) -> None:
    file = written(tmp_path, "id,choice,rater\ns1,A,ann\ns2,golden,ann\ns3,tie,ann\ns1,my-student,bob\n")
    found = read_choices(file, MEETINGS, {"s1", "s2", "s3"}, {"my-student": "one"})
    key = ("one", "golden")
    assert found == {
        "ann": {("s1", *key): "a", ("s2", *key): "b", ("s3", *key): "tie"},
        "bob": {("s1", *key): "a"},
    }


def test_choices_that_name_the_pair_the_other_way_round(tmp_path: Path) -> None:
    file = written(tmp_path, "id,a,b,choice\ns1,golden,one,A\ns2,golden,one,one\n")
    found = read_choices(file, MEETINGS, {"s1", "s2"}, {})
    assert found == {"people": {("s1", "one", "golden"): "b", ("s2", "one", "golden"): "a"}}


def test_every_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, "id,choice\ns1,A\ns9,A\ns1,B\ns2,three\n")
    with pytest.raises(ValueError) as caught:
        read_choices(file, MEETINGS, {"s1", "s2"}, {})
    said = str(caught.value).splitlines()
    assert len(said) == 3
    assert said[0].endswith("choices.csv:3: no sample 's9' was judged")
    assert "a column `rater`" in said[1]
    assert "choice 'three' is not one of one, golden, A, B, tie" in said[2]
    with pytest.raises(ValueError, match="needs the columns id and choice; it has sample, winner"):
        read_choices(written(tmp_path, "sample,winner\n1,A\n"), MEETINGS, {"1"}, {})
    with pytest.raises(ValueError, match="no rows"):
        read_choices(written(tmp_path, "id,choice\n"), MEETINGS, {"1"}, {})
    several = [*MEETINGS, ("two", "golden")]
    with pytest.raises(ValueError, match="say which in columns a and b"):
        read_choices(written(tmp_path, "id,choice\ns1,A\n"), several, {"s1"}, {})
