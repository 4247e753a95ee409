"""The scorers that a task.yaml may name: each declared once, here, and imported only when it is asked for.

A new one is a file with its maker and an entry in `SCORERS`. Its file must be found where the entry says; the
name under which inspect registers the maker is its name here, so that logs are read and scored again by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from scorers.essays.essay_form import FAULTS
from scorers.judges.rating import UNPARSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from inspect_ai.scorer import Scorer


@dataclass(frozen=True)
class DeclaredScorer:
    """What the rest of the code must know of a scorer without importing it.

    made_by: module:function that makes it from a task.yaml's arguments. signed_by: module:function that says
    what two of its scores must share to be compared, from the same arguments but `normalize`, and from the
    number of `references` where `counts_references`. signed_numbers: those of its numbers that tables show
    under names of their own. batched: many samples are scored at once, and its progress is reported.
    lower_is_better: the numbers that count what is wrong; what compares runs turns them round.
    """

    name: str
    made_by: str
    signed_by: str | None = None
    counts_references: bool = False
    signed_numbers: tuple[str, ...] = ()
    batched: bool = False
    lower_is_better: tuple[str, ...] = ()

    def maker(self) -> Callable[..., Scorer]:
        """The function that makes it, imported."""
        make: Callable[..., Scorer] = resolve_name(self.made_by)
        return make

    def signatures(self, args: Mapping[str, Any], references: int | None) -> dict[str, str]:
        """The signature by each name it is found under; none of a scorer whose arguments are all of it.

        references: of each sample, None where their number varies. ValueError when something that the
        arguments name, such as an encoder, is not to be had.
        """
        if self.signed_by is None:
            return {}
        given = {name: value for name, value in args.items() if name != "normalize"}
        if self.counts_references:
            given["references"] = references
        signature = resolve_name(self.signed_by)(**given)
        normalized = args.get("normalize", "none")
        signature += "" if normalized == "none" else f"|norm:{normalized}"
        return dict.fromkeys((self.name, *self.signed_numbers), signature)


SCORERS: Mapping[str, DeclaredScorer] = {
    declared.name: declared
    for declared in (
        DeclaredScorer("boxed", "scorers.boxed.boxed_scorer:boxed"),
        DeclaredScorer("option_letter", "scorers.options.option_scorer:option_letter"),
        DeclaredScorer("reasoning", "scorers.options.option_scorer:reasoning"),
        DeclaredScorer(
            "essay_form",
            "scorers.essays.essay_scorers:essay_form",
            signed_by="scorers.essays.essay_scorers:essay_form_signature",
            signed_numbers=("well_formed", *FAULTS),
            lower_is_better=FAULTS,
        ),
        DeclaredScorer(
            "essay_numbers", "scorers.essays.essay_scorers:essay_numbers", lower_is_better=("no_numbers",)
        ),
        DeclaredScorer(
            "bleu",
            "scorers.text_scorers:bleu",
            signed_by="scorers.overlap.bleu:bleu_signature",
            counts_references=True,
            batched=True,
        ),
        DeclaredScorer(
            "chrf",
            "scorers.text_scorers:chrf",
            signed_by="scorers.overlap.bleu:chrf_signature",
            counts_references=True,
            batched=True,
        ),
        DeclaredScorer(
            "rouge",
            "scorers.text_scorers:rouge",
            signed_by="scorers.text_scorers:rouge_signature",
            batched=True,
        ),
        DeclaredScorer(
            "bertscore",
            "scorers.text_scorers:bertscore",
            signed_by="scorers.text_scorers:bertscore_signature",
            batched=True,
        ),
        DeclaredScorer(
            "correctness",
            "scorers.judges.correctness:correctness",
            signed_by="scorers.judges.correctness:correctness_signature",
            batched=True,
            lower_is_better=(UNPARSED,),
        ),
    )
}
"""Each by its name, in the order in which messages list them."""
