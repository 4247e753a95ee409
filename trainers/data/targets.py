"""What the model learns to write: a completion in the recipe's form, made from an answer or a text.

    target_text("answer_only", answer="17", template="\\boxed{{{answer}}}")      \\boxed{17}

An example whose text does not have the form is left out and counted: ValueError says why.
"""

from __future__ import annotations

import re

from scorers.boxed.boxed_answer import extract_boxed
from scorers.essays.step_markers import structured_to_plain
from trainers.recipe import TargetForm

# The stages of LLaVA-CoT (arXiv:2411.10440), in order; SUMMARY may be left out.
_STAGED = re.compile(
    r"\s*(?:<SUMMARY>.+?</SUMMARY>\s*)?<CAPTION>.+?</CAPTION>\s*<REASONING>.+?</REASONING>\s*"
    r"<CONCLUSION>(?P<conclusion>.+?)</CONCLUSION>\s*",
    re.DOTALL,
)
# "**Introduction:**", "### Overview", "Key points and trends:", alone or, with a colon, before their text.
_LABEL = re.compile(
    r"""\s*[#>*_\s]*
    (?:body(?:\s+paragraphs?)?(?:\s*\d+)?|introduction|overview|conclusion|summary|description|details?
      |key\s+(?:points|features))
    (?:[*_\s]*:[*_\s]*|[*_\s]*$|[\w\s,&]{0,40}:[*_\s]*$)""",
    re.IGNORECASE | re.VERBOSE,
)
_MARKS = re.compile(r"\*\*|__|^\s*#{1,6}\s*|^\s*[-*•]\s+", re.MULTILINE)


def target_text(
    form: TargetForm, *, text: str | None = None, answer: str | None = None, template: str = "{answer}"
) -> str:
    """The completion in this form; ValueError when neither text nor answer gives one.

    text: a rationale, staged completion or essay. answer: the right answer, where it is known apart from it.
    """
    if form == "answer_only":
        found = answer if answer is not None else _answer_in(text or "")
        if not found:
            raise ValueError("no answer: neither a target nor a \\boxed{} or CONCLUSION in the completion")
        return template.format(answer=found)
    if not (text or "").strip():
        raise ValueError(f"no text to learn ({form} needs a rationale or an essay)")
    written = str(text).strip()
    if form == "staged_tags" and not _STAGED.fullmatch(written):
        raise ValueError("the stages are not CAPTION, REASONING, CONCLUSION in this order, each closed")
    return plain_paragraphs(written) if form == "essay_unstructured" else written


def plain_paragraphs(essay: str) -> str:
    """An essay without step markers, labels, headings and markup: its sentences, paragraphs apart."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", structured_to_plain(essay)):
        lines = (_unlabelled(line) for line in block.splitlines())
        paragraph = " ".join(line for line in lines if line)
        if paragraph:
            paragraphs.append(paragraph)
    if not paragraphs:
        raise ValueError("nothing but labels in the essay")
    return "\n\n".join(paragraphs)


def _unlabelled(line: str) -> str:
    label = _LABEL.match(line)
    return _MARKS.sub("", line[label.end() :] if label else line).strip()


def _answer_in(text: str) -> str | None:
    staged = _STAGED.fullmatch(text)
    return staged["conclusion"].strip() if staged else extract_boxed(text)
