r"""Labelled cases for `extract_boxed` and `answers_match`: what models write in a box, judged by hand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scorers.boxed.boxed_answer import AnswerKind, answers_match, extract_boxed

ROOT = Path(__file__).parents[3]

EXTRACTED = [
    (r"The answer is $\boxed{7}$.", "7"),
    (r"\boxed{7} and then \boxed{8}", "8"),
    (r"\fbox{7}", "7"),
    (r"\boxed{3} but rather \fbox{8}", "8"),
    (r"\fbox{3} but rather \boxed{8}", "8"),
    (r"\boxed {7}", "7"),
    ("\\boxed\n{7}", "7"),
    (r"\boxed{ 7 }", "7"),
    (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
    (r"\boxed{\text{the}}", r"\text{the}"),
    (r"\boxed{\boxed{5}}", "5"),
    (r"\boxed{x = \boxed{5}}", "5"),
    (r"\boxed{1} … \boxed{", "1"),
    (r"\boxed{1} … \boxed{2", "1"),
    (r"\boxed{1} … \boxed{\frac{2}{3}", "1"),
    (r"\boxed{2 \boxed{3}", "3"),
    (r"\boxed{a\{b}", r"a\{b"),
    (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
    (r"\boxed{5\\}", r"5\\"),
    (r"\boxed{5}}", "5"),
    (r"} { \boxed{5}", "5"),
    (r"{\boxed{5}", "5"),
    ("```\n\\boxed{5}\n```", "5"),
    (r"<think>maybe \boxed{3}</think> It is \boxed{7}.", "7"),
    (r"`\boxed{e}`", "e"),
    (r"\\boxed{7}", "7"),  # a model that escapes its backslashes as in JSON
    ("\\boxed{\n7\n}", "7"),
    (r"\boxed{True}", "True"),
    (r"\boxed{３}", "３"),
    (r"\boxed{\{}", r"\{"),
    # No answer.
    ("", None),
    ("7", None),
    ("The answer is 7.", None),
    (r"\boxed{", None),
    (r"\boxed{7", None),
    (r"\boxed{7\}", None),
    (r"\boxed", None),
    (r"\boxed 7", None),  # LaTeX would box the 7; a model that forgets the braces forgot the format
    (r"\boxed7", None),
    ("boxed{7}", None),
    (r"\Boxed{7}", None),
    (r"\boxedtext{7}", None),
    (r"\framebox{7}", None),
    (r"\boxed\{7\}", None),
    (r"\boxed(7)", None),
    (r"\boxed{}", None),
    (r"\boxed{ }", None),
    (r"\boxed{\text{}}", None),
    (r"\boxed{\text{ }}", None),
    (r"\boxed{\boxed{}}", None),
    (r"\boxed{$$}", None),
    (r"\boxed{\,}", None),
    (r"\boxed{\mathbf{\text{}}}", None),
    (r"\boxed{\quad}", None),
    ("\\boxed{\u200b}", None),
    (r"\boxed{.}", None),
    (r"\boxed{7} That is what belongs in \boxed{}.", None),  # the last box is empty: strict
]


@pytest.mark.parametrize(("text", "expected"), EXTRACTED)
def test_extract_boxed(text: str, expected: str | None) -> None:
    assert extract_boxed(text) == expected


NUMBERS = [
    # Plain numbers and their spellings.
    ("7", "7", True),
    ("7.00", "7", True),
    ("7", "7.00", True),
    ("007", "7", True),
    ("+7", "7", True),
    (" 7 ", "7", True),
    ("7.", "7", True),
    (".5", "0.5", True),
    ("0.50", ".5", True),
    ("-0", "0", True),
    ("8", "7", False),
    ("70", "7", False),
    ("17", "7", False),
    ("7.5", "7", False),
    ("0.7", "7", False),
    ("", "7", False),
    (" ", "7", False),
    ("1.2.3", "1.2", False),
    ("seven", "7", True),
    (r"\text{Seven}", "7", True),
    ("twenty-one", "21", True),
    ("twenty-one", "20", False),
    ("seventeen", "7", False),
    ("seven letters", "7", True),
    ("one of the letters", "1", False),
    ("seven (7) letters", "7", True),
    ("seven (8)", "7", False),
    ("two hundred", "200", True),
    ("seven or eight", "7", False),
    # Signs.
    ("-5", "-5", True),
    ("−5", "-5", True),  # the minus sign models write
    ("–5", "-5", True),  # an en dash in its place
    ("－5", "-5", True),  # full width
    (r"\text{−}5", "-5", True),
    ("- 5", "-5", True),
    ("minus 5", "-5", True),
    ("negative 5", "-5", True),
    ("-5", "5", False),
    ("5", "-5", False),
    (r"\pm 5", "5", False),
    ("±5", "5", False),
    # Digits of other scripts, and typographic ones.
    ("１２", "12", True),
    ("٧", "7", True),
    ("۱۲", "12", True),
    ("७", "7", True),
    ("١٢٫٥", "12.5", True),
    ("𝟕", "7", True),
    ("7\ufe0f\u20e3", "7", True),
    ("\u200b7\u200b", "7", True),
    ("10³", "1000", True),
    ("10³", "103", False),
    ("2⁻¹", "0.5", True),
    ("½", "0.5", True),
    ("3½", "3.5", True),
    ("3½", "15.5", False),
    ("5₂", "52", False),
    # Thousands.
    ("1,234", "1234", True),
    ("1,234.5", "1234.5", True),
    ("12{,}345", "12345", True),
    (r"12,\!345", "12345", True),
    (r"12\,345", "12345", True),
    (r"1\ 234\ 567", "1234567", True),
    ("1\u2009234", "1234", True),
    ("1\u202f234\u202f567", "1234567", True),
    ("1 234", "1234", True),
    ("1'234", "1234", True),
    ("1,234", "1.234", False),
    ("1,23", "123", False),
    ("1,23", "1.23", False),  # a comma is ambiguous; {,} is not
    ("1{,}5", "1.5", True),
    ("1,2345", "12345", False),
    ("1.234.567", "1234567", False),
    ("1,234", "1", False),
    ("1,234", "234", False),
    # LaTeX and Markdown around a number.
    ("$7$", "7", True),
    (r"\(7\)", "7", True),
    (r"\text{7}", "7", True),
    (r"\mathbf{7}", "7", True),
    (r"\mathrm{7}", "7", True),
    (r"\boxed{7}", "7", True),
    (r"{7}", "7", True),
    ("(7)", "7", True),
    ("[7]", "7", True),
    (r"\{7\}", "7", True),
    ("**7**", "7", True),
    ("*7*", "7", True),
    ("`7`", "7", True),
    ('"7"', "7", True),
    (r"\left(7\right)", "7", True),
    (r"\displaystyle 7", "7", True),
    (r"\textcolor{red}{7}", "7", True),
    (r"\color{blue}7", "7", True),
    (r"\ 7\ ", "7", True),
    (r"\displaystyle\frac{14}{2}", "7", True),
    # Units, currency, percent.
    ("7 letters", "7", True),
    (r"7\text{ letters}", "7", True),
    (r"7 \text{ distinct letters}", "7", True),
    ("7 (letters)", "7", True),
    ("7 (seven)", "7", True),
    (r"7\,\mathrm{cm}", "7", True),
    (r"7\ \text{cm}^2", "7", True),
    ("7 m", "7", True),
    ("7 km/h", "7", True),
    (r"45^\circ", "45", True),
    (r"45^{\circ}", "45", True),
    ("45°", "45", True),
    (r"\$12", "12", True),
    ("$12", "12", True),
    ("€12", "12", True),
    ("12 USD", "12", True),
    (r"12.5\%", "12.5", True),
    ("12.5%", "12.5", True),
    ("12.5 %", "12.5", True),
    ("12.5％", "12.5", True),
    ("12.5 percent", "12.5", True),
    ("12.5", "12.5%", True),
    ("0.125", "12.5", False),
    ("0.125", "12.5%", False),
    (r"12.5\%", "0.125", False),
    (r"\frac{1}{8} = 12.5\%", "12.5", True),
    (r"12.5\% = 0.125", "12.5", True),
    ("3 million", "3000000", True),
    ("3 million", "3", False),
    ("5x", "5", False),
    ("7th", "7", False),
    ("7 8", "7", False),
    ("15 times", "15", True),
    (r"15 \text{ times}", "15", True),
    ("3 times 4", "3", False),
    (r"\mathbf{12.5\%} \text{ of all}", "12.5", True),
    (r"7 \\", "7", True),
    (r"13.46 \text{ (rounded to 2 decimal places)}", "13.46", True),
    ("13.46 (approx.)", "13.46", True),
    (r"17.65\ldots", "17.65", True),
    ("17.65…", "17.65", True),
    # Labels.
    ("7 letters: a, b, c, d, e, f, g", "7", True),
    (r"7\ (\text{a, b, c})", "7", True),
    ("The most frequent letter appears 15 times", "15", True),
    ("x = 7", "7", True),
    ("7 = x", "7", True),
    ("x_1 = 7", "7", True),
    (r"\bar{x} = 7", "7", True),
    (r"\mu = 9.125", "9.125", True),
    (r"\text{Mean} = 7", "7", True),
    (r"\text{Median frequency: } 7", "7", True),
    ("Median frequency: 7.00", "7", True),
    ("7", "Median frequency: 7.00", True),
    ("K-th frequency: 4", "4", True),
    ("**Answer:** 7", "7", True),
    ("The answer is 7.", "7", True),
    ("'e': 15", "15", True),
    ("x 7", "7", False),
    ("x - 7", "-7", False),
    ("x + 7", "7", False),
    ("H2O", "2", False),
    ("e2", "2", False),
    ("2x + 3", "2", False),
    (r"y = 2x + 3", "3", False),
    # Fractions and arithmetic.
    (r"\frac{1}{2}", "0.5", True),
    (r"\dfrac{1}{2}", "0.5", True),
    (r"\tfrac{1}{2}", "0.5", True),
    (r"\frac12", "0.5", True),
    (r"\frac1{2}", "0.5", True),
    (r"-\frac{1}{2}", "-0.5", True),
    (r"\frac{-1}{2}", "-0.5", True),
    (r"\frac{1}{3}", "0.333", False),
    (r"\frac{1}{3}", "1/3", True),
    (r"\frac{300}{17}", "300/17", True),
    (r"\\frac{300}{17}", "300/17", True),
    (r"9.8\overline{3}", "59/6", True),
    (r"0.\overline{3}", r"\frac{1}{3}", True),
    (r"0.\overline{9}", "1", True),
    (r"\frac{\text{total}}{\text{count}} = \frac{84}{12} = 7", "7", True),
    (r"\frac{1,234}{2}", "617", True),
    (r"3\frac{1}{2}", "3.5", True),
    (r"-3\frac{1}{2}", "-3.5", True),
    (r"3 \frac{1}{2}", "3.5", True),
    ("3 1/2", "3.5", True),
    ("1/2", "0.5", True),
    ("7/20", "7", False),
    ("1/0", "0", False),
    (r"\frac{7}{0}", "7", False),
    ("3+4", "7", True),
    (r"3 \times 4", "12", True),
    (r"3 \cdot 4", "12", True),
    ("3 × 4", "12", True),  # multiplication sign
    ("84 ÷ 12", "7", True),
    ("2(3+4)", "14", True),
    ("(3+4)/2", "3.5", True),
    ("2^{3}", "8", True),
    ("2^10", "1024", True),
    ("2**3", "8", True),
    ("2^{-1}", "0.5", True),
    ("-2^2", "-4", True),
    ("10^{3}", "1000", True),
    ("1.5e3", "1500", True),
    ("1.5E+03", "1500", True),
    ("1.5e-3", "0.0015", True),
    (r"1.5\times10^3", "1500", True),
    (r"1.5 \cdot 10^{3}", "1500", True),
    ("1.5 × 10³", "1500", True),
    ("1.5x10^3", "1500", True),
    # Roots and powers, exactly.
    (r"\sqrt{16}", "4", True),
    ("√16", "4", True),
    ("sqrt(16)", "4", True),
    (r"\sqrt[3]{27}", "3", True),
    (r"\sqrt{\frac{1}{4}}", "0.5", True),
    ("4^{1/2}", "2", True),
    (r"\sqrt{2}", r"\sqrt{2}", True),
    (r"\sqrt2", r"\sqrt{2}", True),
    (r"\sqrt{8}", r"2\sqrt{2}", True),
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}", True),
    (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt{2}", True),
    (r"(\sqrt{2})^2", "2", True),
    (r"\sqrt{2}\cdot\sqrt{2}", "2", True),
    (r"\sqrt{2}\sqrt{3}", r"\sqrt{6}", True),
    (r"2\pi", r"\pi \cdot 2", True),
    (r"\sqrt{2}", "1.41", False),
    (r"\sqrt{2}", "1.41421356237309504880168872420969807857", False),
    (r"\sqrt{2}", r"\sqrt{3}", False),
    (r"\pi", "3.14", False),
    (r"\sqrt{-4}", "2", False),
    (r"(-8)^{1/3}", "2", False),
    # Chains: any side that says the same, else the last.
    (r"175/13 \approx 13.46", "13.46", True),
    (r"175/13 \approx 13.46", "175/13", True),
    (r"\frac{175}{13} \approx 13.46", "13.46", True),
    (r"\frac{175}{13} = 13.46", "13.46", True),
    (r"\frac{175}{13} ≈ 13.46", "13.46", True),
    (r"\text{Mean} = \frac{175}{13} \approx 13.46", "13.46", True),
    (r"175/13 \approx 13.5", "13.46", False),
    (r"\approx 13.46", "13.46", True),
    ("approximately 13.46", "13.46", True),
    ("≈13.46", "13.46", True),
    (r"300/17 \text{ (approximately } 17.65\text{)}", "17.65", True),
    ("300/17 (≈ 17.65)", "17.65", True),
    (r"\frac{300}{17} \text{ or approximately } 17.65", "17.65", True),
    (r"\frac{1}{2} \text{ or } 0.5", "0.5", True),
    ("3 + 4 = 7", "7", True),
    ("3 + 4 = 8", "8", True),
    ("3 + 4 = 8", "7", False),
    ("3 = 7", "3", False),
    # Several numbers, and bounds, are no answer.
    (r"3 \text{ or } 7", "3", False),
    (r"3 \text{ or } 7", "7", False),
    ("7 or 7.5", "7", False),
    ("7 (or 8)", "7", False),
    (r"3 \text{ and } 7", "7", False),
    ("3, 7", "7", False),
    ("3, 7", "37", False),
    ("3; 7", "3", False),
    ("1,2,7", "7", False),
    (r"\{3, 7\}", "7", False),
    ("3 to 7", "7", False),
    ("between 3 and 7", "7", False),
    (r"x = 3 \text{ or } x = 7", "7", False),
    ("x = 7, y = 8", "7", False),
    ("x = 7, y = 8", "8", False),
    (r"x = 7 \text{ and } y = 8", "8", False),
    ("7-8", "7", False),
    ("7 → 8", "8", False),
    (r"7 \\ 8", "8", False),
    ("7 (not 8)", "7", True),
    (r"|{-7}|", "7", False),
    ("7:8", "7", False),
    ("7 out of 20", "7", False),
    ("at least 7", "7", False),
    ("more than 7", "7", False),
    ("not 7", "7", False),
    ("> 7", "7", False),
    (">= 7", "7", False),
    (r"\geq 7", "7", False),
    (r"\neq 7", "7", False),
    ("7 or more", "7", False),
    (r"7 \pm 1", "7", False),
    ("7!", "7", False),
    (r"\log 7", "7", False),
    ("half of 7", "7", False),
    ("7 dozen", "7", False),
    ("none", "0", False),
    ("e", "7", False),
    (r"\infty", "7", False),
]

TEXTS = [
    ("e", "e", True),
    ("E", "e", True),
    ("e", "E", True),
    ("the", "The", True),
    (r"\text{the}", "the", True),
    (r"\text{ the }", "the", True),
    (r"\textbf{the}", "the", True),
    (r"\mathbf{e}", "e", True),
    (r"\mathbf e", "e", True),
    (r"\mathrm{e}", "e", True),
    (r"\text{\textit{the}}", "the", True),
    (r"\boxed{e}", "e", True),
    ("$e$", "e", True),
    (r"\(e\)", "e", True),
    ("'e'", "e", True),
    ('"the"', "the", True),
    ("“the”", "the", True),
    (r"\text{``the''}", "the", True),
    ("«the»", "the", True),
    ("`e`", "e", True),
    ("**e**", "e", True),
    ("*e*", "e", True),
    ("_e_", "e", True),
    ("(e)", "e", True),
    ("e.", "e", True),
    ("'e'.", "e", True),
    ("“e.”", "e", True),
    ("letter e", "e", True),
    (r"\text{Letter } e", "e", True),
    ("the letter e", "e", True),
    ("The letter 'e'", "e", True),
    ("the word “market”", "market", True),
    ("Answer: e", "e", True),
    ("The answer is e.", "e", True),
    (r"\text{letter} = e", "e", True),
    ("e", "letter e", True),
    (r"e (12, 8.5\%)", "e", True),
    (r"e\ (12)", "e", True),
    (r"\text{e (frequency: 12)}", "e", True),
    ("The 3rd most frequent letter is e", "e", True),
    ("The answer is not e", "e", False),
    (r"\\text{e}", "e", True),
    (r"\textcolor{red}{e}", "e", True),
    ("ｅ", "e", True),  # full width
    ("𝐞", "e", True),
    ("STRASSE", "straße", True),
    ("cafe\u0301", "café", True),
    ("don’t", "don't", True),
    ("new  york", "New York", True),
    (r"\text{new\ york}", "new york", True),
    (r"\text{ice}\text{-cream}", "ice‑cream", True),  # non-breaking hyphen
    (r"R\&D", "R&D", True),
    ("C++", "C++", True),
    ("word", "word", True),
    ("letter", "letter", True),
    ("answer", "answer", True),
    ("7", "7", True),
    # Not the answer.
    ("", "e", False),
    (" ", "e", False),
    ("th", "the", False),
    ("t", "the", False),
    ("theory", "the", False),
    ("other", "the", False),
    ("ab", "ba", False),
    ("the cat", "cat", False),
    ("e, t", "e", False),
    ("e or t", "e", False),
    (r"e \text{ and } t", "e", False),
    ("e/t", "e", False),
    ("e (or t)", "e", False),
    ("e (1) or t (1)", "e", False),
    ("not e", "e", False),
    ("é", "e", False),
    ("the letter", "e", False),
    ("word", "the", False),
    ("C", "C++", False),
    ("7.0", "7", False),
]

BOOLEANS = [
    ("True", "True", True),
    ("true", "True", True),
    ("TRUE.", "True", True),
    (r"\text{True}", "True", True),
    (r"\textbf{Yes}", "True", True),
    ("yes", "True", True),
    ("Yes!", "True", True),
    ("**yes**", "true", True),
    ("'True'", "True", True),
    ("T", "True", True),
    ("y", "yes", True),
    ("No", "False", True),
    ("no.", "False", True),
    (r"\mathrm{False}", "no", True),
    ("Yes, the word is present", "True", True),
    (r"\text{No, it is not in the cloud}", "False", True),
    ("True (it is at the left)", "True", True),
    ("The answer is True", "True", True),
    ("Answer: No", "False", True),
    ("market: True", "True", True),
    (r"\text{present} = \text{False}", "False", True),
    ("The statement is true.", "True", True),
    ("The statement is not true.", "True", False),
    ("True", "False", False),
    ("No", "True", False),
    ("False", "True", False),
    ("", "False", False),
    ("", "True", False),
    ("Yes or No", "True", False),
    ("True/False", "True", False),
    ("yes, no", "True", False),
    ("Yes (True)", "True", True),
    ("Yes, there is no doubt", "True", False),  # two of the words: too clever for a box
    ("True, not False", "True", False),
    ("not true", "True", False),
    ("not True", "False", False),  # no negations: the box asks for one word
    ("untrue", "True", False),
    ("nothing", "False", False),
    ("1", "True", False),
    ("0", "False", False),
    ("maybe", "True", False),
    ("maybe", "False", False),
]


@pytest.mark.parametrize(("answer", "target", "expected"), NUMBERS)
def test_numbers(answer: str, target: str, expected: bool) -> None:
    assert answers_match(answer, target, kind="number") is expected


@pytest.mark.parametrize(("answer", "target", "expected"), TEXTS)
def test_texts(answer: str, target: str, expected: bool) -> None:
    assert answers_match(answer, target, kind="text") is expected


@pytest.mark.parametrize(("answer", "target", "expected"), BOOLEANS)
def test_booleans(answer: str, target: str, expected: bool) -> None:
    assert answers_match(answer, target, kind="boolean") is expected


@pytest.mark.parametrize(
    ("answer", "target", "tolerance", "expected"),
    [
        ("300/17", "17.65", 0.01, True),
        ("300/17", "17.65", 0.0, False),
        ("175/13", "13.46", 0.01, True),
        (r"175/13 \approx 13.5", "13.46", 0.01, True),
        ("13.47", "13.46", 0.01, True),  # the bound itself is within, whatever floats make of it
        ("13.45", "13.46", 0.01, True),
        ("13.470000001", "13.46", 0.01, False),
        ("13.48", "13.46", 0.01, False),
        ("0.3", "0.1", 0.2, True),
        ("1.1", "1.0", 0.1, True),
        ("-13.46", "13.46", 0.01, False),
        ("9.13", "9.12", 0.01, True),
        ("9.125", "9.12", 0.005, True),
        ("7.4", "7", 0.5, True),
        (r"\sqrt{2}", "1.41", 0.01, True),
        (r"\sqrt{2}", "1.42", 0.001, False),
        (r"\pi", "3.14", 0.01, True),
        ("1000000000000000000001", "1000000000000000000000", 0.5, False),
        ("100", "99.999999", 1e-05, True),
        ("8", "7", 1, True),
    ],
)
def test_tolerance(answer: str, target: str, tolerance: float, expected: bool) -> None:
    assert answers_match(answer, target, kind="number", tolerance=tolerance) is expected


@pytest.mark.parametrize("ties", [{"e", "t"}, frozenset({"e", "t"}), ["e", "t"], ("t", "e")])
def test_any_of_a_tie_set_is_right(ties: list[str]) -> None:
    assert answers_match("e", ties, kind="text")
    assert answers_match(r"\text{T}", ties, kind="text")
    assert not answers_match("a", ties, kind="text")
    assert not answers_match("e, t", ties, kind="text")
    assert answers_match("7.0", {"7", "9"}, kind="number")
    assert not answers_match("8", {"7", "9"}, kind="number")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("three or four", "number"),
        ("e", "number"),
        ("", "number"),
        ("", "text"),
        (r"\text{}", "text"),
        ("7", "boolean"),
    ],
)
def test_a_gold_that_means_nothing_is_an_error_whatever_the_answer(target: str, kind: AnswerKind) -> None:
    for answer in ("", "7", "e", "True"):
        with pytest.raises(ValueError, match="target"):
            answers_match(answer, target, kind=kind)
    with pytest.raises(ValueError, match="target"):
        answers_match("7", ["7" if kind == "number" else "True", target], kind=kind)


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="tie set of targets is empty"):
        answers_match("7", [], kind="number")
    for tolerance in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="tolerance"):
            answers_match("7", "7", kind="number", tolerance=tolerance)
    with pytest.raises(ValueError, match="choose one of number, text, boolean"):
        answers_match("7", "7", kind="integer")  # type: ignore[arg-type]


@pytest.mark.process
def test_sympy_is_not_imported_for_rational_numbers() -> None:
    script = (
        "import sys; from scorers.boxed.boxed_answer import answers_match as match\n"
        r"assert match(r'\sqrt{16} = \frac{8}{2} \approx 4.0', '4', kind='number')"
        "\nassert 'sympy' not in sys.modules and 'inspect_ai' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, timeout=120)
