"""What holds for every text and every number."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from scorers.boxed.anywhere import answer_anywhere
from scorers.boxed.boxed_answer import AnswerKind, answers_match, extract_boxed
from scorers.boxed.latex import fold_unicode, plain_words
from scorers.boxed.number import read_number

settings.register_profile("shared-cores", deadline=None)
settings.load_profile("shared-cores")

KINDS: st.SearchStrategy[AnswerKind] = st.sampled_from(("number", "text", "boolean"))
GOLDS: dict[AnswerKind, str] = {"number": "7", "text": "e", "boolean": "True"}
PIECES = (
    r"\boxed{~\boxed~\fbox{~{~}~\{~\}~\~\text{~\frac~\sqrt{~^~=~-~\approx~\pi~"
    r"7~1/2~.~,~ ~e~or~True~%~$~(~)~½~²"
)
LATEX = st.lists(st.sampled_from(PIECES.split("~")), max_size=40).map("".join)
TEXTS = st.text(max_size=200) | LATEX
DECIMALS = st.decimals(min_value=-(10**9), max_value=10**9, places=3)
FILLER = st.text(st.characters(exclude_characters="\\{}"), max_size=50)


def balanced() -> st.SearchStrategy[str]:
    """Texts whose braces balance, with no box inside."""
    return st.recursive(
        st.text(st.sampled_from("ab7 .,+$"), min_size=1, max_size=5),
        lambda inner: st.tuples(inner, inner).map("".join) | inner.map(lambda text: "{" + text + "}"),
        max_leaves=15,
    )


@given(FILLER, balanced(), FILLER)
def test_a_box_gives_back_what_was_put_in(before: str, content: str, after: str) -> None:
    found = extract_boxed(before + r"\boxed{" + content + "}" + after)
    if any(character in "ab7" for character in content):
        assert found == content.strip()


@given(balanced(), balanced())
def test_the_last_box_counts(first: str, last: str) -> None:
    text = rf"\boxed{{{first}}} and \boxed{{{last}7}}"
    assert extract_boxed(text) == (last + "7").strip()


@given(balanced(), LATEX.filter(lambda text: "}" not in text))
def test_an_unfinished_box_is_passed_over(content: str, rest: str) -> None:
    text = rf"\boxed{{{content}7}} … "
    assert extract_boxed(text + r"\boxed{" + rest) == (content + "7").strip()


@given(TEXTS)
def test_no_box_no_answer(text: str) -> None:
    if "\\boxed" not in text and "\\fbox" not in text:
        assert extract_boxed(text) is None


@given(TEXTS, KINDS)
def test_any_text_is_judged_without_an_error(text: str, kind: AnswerKind) -> None:
    extract_boxed(text)
    assert answers_match(text, GOLDS[kind], kind=kind) in (True, False)
    assert answer_anywhere(text, GOLDS[kind], kind=kind) in (True, False)


@given(TEXTS, KINDS)
def test_anywhere_is_an_upper_bound(text: str, kind: AnswerKind) -> None:
    answer = extract_boxed(text)
    if answer is not None and answers_match(answer, GOLDS[kind], kind=kind):
        assert answer_anywhere(text, GOLDS[kind], kind=kind)


@given(TEXTS)
def test_a_text_matches_itself(text: str) -> None:
    if plain_words(text).strip(" .,;:!?'\"*"):
        assert answers_match(text, text, kind="text")
    if read_number(text):
        assert answers_match(text, text, kind="number")


@given(DECIMALS)
def test_every_spelling_of_a_number_is_that_number(value: Decimal) -> None:
    fraction = Fraction(value)
    for spelling in (
        f"{value}",
        f"{value:,}",
        f"${value}$",
        rf"\text{{{value}}}",
        rf"{value}\%",
        f"{value} letters",
        f"x = {value}",
        rf"\frac{{{fraction.numerator}}}{{{fraction.denominator}}}",
        rf"\frac{{{fraction.numerator}}}{{{fraction.denominator}}} \approx {value}",
        f"{value:,}".replace(",", "\u2009"),
        f"{value:,}".replace(",", "{,}"),
        f"{value}".replace("-", "\u2212"),
        "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in f"{value}"),
        f"{value:.12e}" if abs(value) < 1 else f"{value}e0",
    ):
        assert answers_match(spelling, str(value), kind="number"), spelling
        assert answers_match(str(value), spelling, kind="number"), spelling


@given(DECIMALS, DECIMALS, st.decimals(min_value=0, max_value=100, places=3))
def test_tolerance_is_exact(answer: Decimal, target: Decimal, tolerance: Decimal) -> None:
    within = abs(Fraction(answer) - Fraction(target)) <= Fraction(tolerance)
    assert answers_match(str(answer), str(target), kind="number", tolerance=float(tolerance)) is within


@given(DECIMALS, DECIMALS)
def test_two_numbers_are_no_answer(one: Decimal, other: Decimal) -> None:
    if one != other:
        for join in (" or ", ", ", " and ", "; "):
            assert not answers_match(f"{one}{join}{other}", str(one), kind="number")
            assert not answers_match(f"{one}{join}{other}", str(other), kind="number")


@given(st.integers(0, 10**6), st.text(st.sampled_from("0123456789."), min_size=1, max_size=5))
def test_part_of_a_number_is_not_that_number(value: int, more: str) -> None:
    longer = f"{value}{more}"
    if read_number(longer) and Fraction(longer.rstrip(".")) != value:
        assert not answers_match(longer, str(value), kind="number")
        assert not answer_anywhere(f"It is {longer} here", str(value), kind="number")


@given(st.fractions(min_value=0, max_value=1000, max_denominator=50))
def test_roots_are_compared_exactly(value: Fraction) -> None:
    root = rf"\sqrt{{{value.numerator}/{value.denominator}}}"
    assert answers_match(rf"({root})^2", str(value), kind="number")
    assert answers_match(
        rf"2{root}", rf"\sqrt{{4\cdot {value.numerator}/{value.denominator}}}", kind="number"
    )
    assert not answers_match(rf"{root} + \frac{{1}}{{1000}}", root, kind="number")


@given(st.text(max_size=100))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert plain_words(plain_words(text)) == plain_words(text) or "\\" in text or "$" in text or "{" in text
    assert fold_unicode(fold_unicode(text)) == fold_unicode(text)
