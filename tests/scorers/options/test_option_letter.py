r"""The answers that a completion states, and the many that it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorers.options.option_letter import extract_option

CITIES = ["Paris", "London", "Rome", "Oslo"]

STATED = [
    ("B. London is where it rains.", 1),
    ("The letter is B", 1),
    ("B", 1),
    ("(B)", 1),
    ("B.", 1),
    ("**B**", 1),
    ("b)", 1),
    ("b", 1),
    ("Answer: B", 1),
    ("\\boxed{B}", 1),
    ("\\boxed{\\text{B}}", 1),
    ("$\\boxed{(B)}$", 1),
    ("<CONCLUSION>B</CONCLUSION>", 1),
    ("<CONCLUSION> (B) London </CONCLUSION>", 1),
    ("<CONCLUSION>\nThe answer is B.", 1),
    ("The answer is not A but B", 1),
    ("The answer is not A, but rather B.", 1),
    ("The answer is B, not A.", 1),
    ("London", 1),
    ("The answer is London.", 1),
    ("It is London because it rains.", 1),
    ("A magnet is in Rome", 2),
    ("The answer is A.", 0),
    ("The answer is (b).", 1),
    ("the answer is b", 1),
    ("the answer is a", 0),
    ("B. London", 1),
    ("B) London", 1),
    ("(B) London", 1),
    ("B: London", 1),
    ("The answer is B. The map shows it.", 1),
    ("A. Paris\nB. London\nC. Rome\nD. Oslo\nThe answer is C.", 2),
    ("The answer is A. The final answer is B.", 1),
    ("Option B is correct because A is wrong.", 1),
    ("Option A is wrong, so the answer must be B.", 1),
    ("B is the answer", 1),
    ("I choose C.", 2),
    ("I would go with option (D).", 3),
    ("Therefore, B.", 1),
    ("Ｂ", 1),
    ("（Ｂ）", 1),
    ("The answer is “B”.", 1),
    ("The answer is: **B**", 1),
    ("The correct answer is option B: London", 1),
    ("Answer:\nB", 1),
    ("Answer:\n\n(B) London", 1),
    ("Final Answer: B", 1),
    ("Not London but Rome", 2),
    ("\\boxed{London}", 1),
    ("B because it is north", 1),
    ("B\n\nThe capital of England.", 1),
    ("Assistant: B", 1),
    ("The answer is B\n", 1),
    ("<SUMMARY>the answer is A</SUMMARY><CONCLUSION>B</CONCLUSION>", 1),
    ("The answer is C. elegans", 2),
    ("[B]", 1),
    ("{B}", 1),
    ("B!", 1),
    ("Option B", 1),
    ("option b", 1),
    ("Answer B", 1),
    ("The option is B", 1),
    ("ANSWER: B", 1),
    ("answer is B, since", 1),
    ("My answer is B", 1),
    ("The answer is probably B", 1),
    ("I think it's B.", 1),
    ("So the answer is **(B)**.", 1),
    ("The answer is B)", 1),
    ("The answer is B]", 1),
    ("The answer is 'B'", 1),
    ("The answer is option A, Paris.", 0),
    ("The answer is A Paris", 0),
    ("<answer>B</answer>", 1),
    ("D.", 3),
    ("A", 0),
    ("a", 0),
    ("The answer cannot be A. The answer is B.", 1),
    ("The best choice is D", 3),
    ("The answer is B. A is wrong.", 1),
    ("The correct option is (C) Rome.", 2),
    ("(B) is correct", 1),
    ("Thus (B) is the right answer.", 1),
    ("The answer is \\(B\\).", 1),
    ("$B$", 1),
    ("\\text{B}", 1),
    ("The answer is B and not C.", 1),
    ("Answer: B (London)", 1),
    ("The answer is B - London", 1),
    ("- B", 1),
    ("> B", 1),
    ("### Answer\nB", 1),
    ("### Answer: B", 1),
    ("Answer = B", 1),
    ("Answer -> B", 1),
    ("If you look at the map, the answer is B.", 1),
    ("The answer is B…", 1),
    ("I am not sure, but I think the answer is B.", 1),
    ("It's not A, it's B.", 1),
    ("A is incorrect. B is correct.", 1),
    ("Question: … Options: (A) Paris (B) London (C) Rome (D) Oslo\nAnswer: B", 1),
    ("**Answer: B. London**", 1),
]

NOT_STATED = [
    "A. London is where it rains.",
    "The first letter is B",
    "both A and C",
    "A or B",
    "Both A and C are correct.",
    "The answer is A or B.",
    "E",
    "The answer is E.",
    "A magnet attracts iron.",
    "Answer: A magnet attracts iron",
    "A. Smith discovered it",
    "the answer is a town",
    "B. Paris",
    "The answer is B. Paris",
    "A. Paris\nB. London\nC. Rome\nD. Oslo",
    "The answer is A. Wait, the answer is B.",
    "I don't think the answer is B",
    "If the answer is B then",
    "Is the answer B?",
    "Option A is incorrect.",
    "The wrong answer is A.",
    "It is not London.",
    "",
    "\\boxed{A} and \\boxed{B}",
    "The answer is London or Rome.",
    "A and B",
    "A, B",
    "Answer: A, B",
    "Answer: A/B",
    "Answer: A-flat",
    "Vitamin C is good",
    "the answer isn't B",
    "the answer: (B) or (C)",
    "I",
    "The answer is neither A nor B.",
    "The answer is both A and C",
    "Answer: None of the above",
    "Answer: (B) Paris",
    "A\nB\nC\nD",
    "All of A, B and C are correct",
    "Final answer: A\nFinal answer: B",
    "The correct answer is A. No, the correct answer is B.",
    "<CONCLUSION>The answer is A or B</CONCLUSION>",
    "<CONCLUSION></CONCLUSION>",
    "B B",
    "The answer is AB",
]

OTHER_CHOICES = [
    ("Solution B is correct", ["neither", "Solution A", "Solution B"], 2),
    ("The answer is Solution B.", ["neither", "Solution A", "Solution B"], 2),
    ("Solution A", ["neither", "Solution A", "Solution B"], 1),
    ("B. Jones", ["B. Jones", "A. Smith"], 0),
    ("The answer is B. Jones", ["B. Jones", "A. Smith"], 0),
    ("The answer is A. Smith", ["Doe", "Smith"], None),
    ("4", ["2", "4", "6"], 1),
    ("The answer is 4.", ["2", "4", "6"], 1),
    ("14", ["2", "4", "6"], None),
    ("4.5", ["4", "5"], None),
    ("\\boxed{4}", ["2", "4"], 1),
    ("-4", ["4", "5"], None),
    ("It is 4%", ["4", "4%"], 1),
    ("It is a red fox", ["fox", "red fox"], 1),
    ("the red fox and the fox", ["fox", "red fox"], None),
    ("an apple", ["apple", "pear"], 0),
    ("vitamin C", ["vitamin C", "vitamin A"], 0),
    ("The answer is C", ["C", "B", "A"], 2),
    ("yes", ["yes", "no"], 0),
    ("Yes, it is.", ["yes", "no"], 0),
    ("true", ["True", "False"], 0),
    ("The answer is it's raining", ["it's raining", "sun"], 0),
    ("N2O", ["N2O", "O2"], 0),
    ("weather", ["weather", "climate"], 0),
    ("café", ["café", "tea"], 0),
    ("E", ["a", "b", "c", "d"], None),
    ("E", ["v", "w", "x", "y", "z"], 4),
]


@pytest.mark.parametrize(("text", "index"), STATED)
def test_a_stated_answer_is_found(text: str, index: int) -> None:
    assert extract_option(text, CITIES) == index


@pytest.mark.parametrize("text", NOT_STATED)
def test_what_states_no_single_answer_is_none(text: str) -> None:
    assert extract_option(text, CITIES) is None


@pytest.mark.parametrize(("text", "choices", "index"), OTHER_CHOICES)
def test_option_texts_that_look_like_letters_numbers_or_each_other(
    text: str, choices: list[str], index: int | None
) -> None:
    assert extract_option(text, choices) == index


WORDS = st.text("bcdefghiklmnopqrstuvwz", min_size=3, max_size=12)
CHOICES = st.lists(WORDS, min_size=2, max_size=6, unique=True)
FORMS = st.sampled_from(
    ["{}", "({})", "{}.", "**{}**", "Answer: {}", "The answer is ({}).", "\\boxed{{{}}}", "  {}\n",
     "<CONCLUSION>{}</CONCLUSION>", "Option {} is correct.", "It grows there.\n\nFinal answer: {}"]
)  # fmt: skip


@given(CHOICES, st.data(), FORMS)
def test_every_form_states_every_letter(choices: list[str], data: st.DataObject, form: str) -> None:
    index = data.draw(st.integers(0, len(choices) - 1))
    assert extract_option(form.format("ABCDEF"[index]), choices) == index
    assert extract_option(form.format("ABCDEFGH"[len(choices)]), choices) is None


@given(CHOICES, st.data(), st.sampled_from(["{}", "The answer is {}.", "\\boxed{{{}}}"]))
def test_every_option_s_own_text_is_its_answer(choices: list[str], data: st.DataObject, form: str) -> None:
    index = data.draw(st.integers(0, len(choices) - 1))
    assert extract_option(form.format(choices[index]), choices) == index


@given(CHOICES, st.data())
def test_two_different_statements_are_none(choices: list[str], data: st.DataObject) -> None:
    first, second = data.draw(st.permutations(range(len(choices))))[:2]
    text = "The answer is {}.\nThe answer is {}.".format("ABCDEF"[first], "ABCDEF"[second])
    assert extract_option(text, choices) is None
    assert extract_option(text + " My final answer is (" + "ABCDEF"[second] + ").", choices) == second


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=5))
def test_any_text_gives_an_option_that_exists_or_none(text: str, choices: list[str]) -> None:
    found = extract_option(text, choices)
    assert found is None or 0 <= found < len(choices)


@given(st.text("ABab .,()\n*:isnortheanswer{}\\<>/", max_size=120))
def test_near_answers_never_raise(text: str) -> None:
    extract_option(text, ["A", "b", "answer is", "B. A"])


def test_the_end_of_a_very_long_completion_is_read() -> None:
    assert extract_option("The sky is blue today. " * 50_000 + "The answer is (C).", CITIES) == 2
