r"""What boxed answers cost: every hostile input once, and the median of the common path.

    python benchmarks/boxed.py

Each hostile text goes through `extract_boxed`, `answers_match` of every kind and `answer_anywhere` of every
kind; the table shows the slowest single call. sympy is imported before the clock starts.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from scorers.boxed.anywhere import answer_anywhere
from scorers.boxed.boxed_answer import AnswerKind, answers_match, extract_boxed

BUDGET_MS = 50.0
_TARGETS: dict[AnswerKind, str] = {"number": "13.46", "text": "e", "boolean": "True"}
_COMMON = ["7", r"\text{e}", "13.46", r"175/13 \approx 13.46", "12,345", r"12.5\%", r"\frac{1}{2}", "True"]


def hostile_inputs() -> dict[str, str]:
    """Completions made to run code, to hang or to fill the memory, by name."""
    deep = 100_000
    mega = 1_000_000
    return {
        "power tower": r"\boxed{9**9**9}",
        "LaTeX power tower": r"\boxed{9^{9^{9^{9}}}}",
        "huge power": r"\boxed{10^{1000000000}}",
        "huge negative power": r"\boxed{2^{-999999999}}",
        "huge power of a fraction": r"\boxed{(\frac{12345}{54321})^{999}}",
        "huge exponent": r"\boxed{1e999999999}",
        "import os": r"\boxed{__import__('os').system('touch owned')}",
        "lambda": r"\boxed{(lambda: exec('import os'))()}",
        "attribute walk": r"\boxed{().__class__.__bases__[0].__subclasses__()}",
        "factorials": r"\boxed{((9!)!)!}",
        "huge factorial": r"\boxed{100000000!}",
        "huge binomial": r"\boxed{\binom{1000000000}{500000000}}",
        "huge sum": r"\boxed{\sum_{i=1}^{10^{12}} i}",
        "integral": r"\boxed{\int_0^{\infty} \frac{\sin(x^x)}{x!} dx}",
        "million digits": r"\boxed{" + "9" * mega + "}",
        "thousand digits": r"\boxed{" + "9" * 990 + "}",
        "nested braces": r"\boxed{" + "{" * deep + "5" + "}" * deep + "}",
        "open braces": r"\boxed{" * 1 + "{" * deep,
        "alternating braces": r"\boxed{" + "{}" * (mega // 2),
        "nested boxes": r"\boxed{" * deep + "5" + "}" * deep,
        "open boxes": r"\boxed{" * (mega // 7),
        "boxes without braces": r"\boxed " * (mega // 7),
        "both boxes by turns": r"\boxed\fbox{" * (mega // 12),
        "box then spaces": r"\boxed" + " " * mega,
        "nested fractions": r"\boxed{" + r"\frac{1}{" * 90 + "2" + "}" * 90 + "}",
        "deep fractions": r"\boxed{" + r"\frac{1}{" * deep + "2" + "}" * deep + "}",
        "nested roots": r"\boxed{" + r"\sqrt{2+" * 20 + "2" + "}" * 20 + "}",
        "sum of roots": r"\boxed{" + "+".join(rf"\sqrt{{{p}}}" for p in (2, 3, 5, 7, 11, 13, 17, 19)) + "}",
        "many roots": r"\boxed{" + r"\sqrt{2}+" * 100 + "1}",
        "chain of roots": r"\boxed{" + " = ".join(rf"\sqrt{{{n}}}" for n in range(100, 200)) + "}",
        "roots or roots": r"\boxed{" + r" \text{or} ".join(r"\sqrt{181.1716}" for _ in range(50)) + "}",
        "root of a semiprime": r"\boxed{\sqrt{18446743979220271189}}",
        "twelfth root of a semiprime": r"\boxed{18446743979220271189^{11/12}}",
        # sympy's own simplification of these two takes 100 s and 24 s
        "roots of semiprimes": (
            r"\boxed{\frac{\sqrt[6]{(\sqrt[8]{158635}-(2305843009213693951+732530))}}"
            r"{\sqrt[8]{\sqrt[6]{\sqrt[12]{2282882491379361056}}}}}"
        ),
        "roots of roots": (
            r"\boxed{\frac{\sqrt[4]{\frac{(\sqrt[11]{141530})^{2/3}}{(\sqrt{5709252573058475223}+"
            r"\sqrt{2305843009213693951})}}}{\sqrt[3]{\sqrt[11]{\sqrt[9]{(9909101300624209921-871581)}}}}}"
        ),
        "high powers of roots": r"\boxed{(\sqrt{2}+\sqrt{3}+\sqrt{5})^{12}\cdot(\sqrt{7}+\pi)^{-12}}",
        "cancelling roots": r"\boxed{13.46+\sqrt{3+2\sqrt{2}}-1-\sqrt{2}}",
        "cancelling towers": r"\boxed{13.46+((1+\sqrt{2})^{12}-(3+2\sqrt{2})^{6})^{1/12}}",
        "division by a hidden zero": r"\boxed{1/(\sqrt{3+2\sqrt{2}}-1-\sqrt{2})}",
        "power of pi": r"\boxed{\pi^{12}\cdot\pi^{12}\cdot\pi^{12}}",
        "signs": r"\boxed{" + "-" * 900 + "7}",
        "parentheses": r"\boxed{" + "(" * 450 + "7" + ")" * 450 + "}",
        "equal signs": r"\boxed{" + "7=" * 450 + "7}",
        "ors": r"\boxed{" + "7 or " * 190 + "7}",
        "words": r"\boxed{" + "a " * 480 + "7}",
        "one long word": r"\boxed{" + "a" * 990 + "}",
        "colons": r"\boxed{" + "a:" * 480 + "7}",
        "commas": r"\boxed{" + "1," * 480 + "7}",
        "groups of three": r"\boxed{" + "111 " * 240 + "}",
        "commands": r"\boxed{" + r"\text{" * 150 + "7" + "}" * 150 + "}",
        "backslashes": "\\" * mega,
        "a megabyte of prose": "The bar for e is 7 high. " * (mega // 25) + r"\boxed{7}",
        "a megabyte of numbers": " ".join(str(n) for n in range(mega // 7)),
        "a megabyte of digits": "7" * mega,
        "a megabyte of sevens": "7 " * (mega // 2),
        "a megabyte of slashes": "7/" * (mega // 2),
        "a megabyte of commas": "7," * (mega // 2),
        "a megabyte of number words": "twenty " * (mega // 7),
        "a megabyte in the box": r"\boxed{" + "e" * mega + "}",
        "a megabyte of ligatures": "\ufdfa" * (mega // 3),
        "ligatures in the box": r"\boxed{" + "\ufdfa" * 1_900 + "}",
        "combining marks": r"\boxed{e" + "\u0301" * 3_900 + "}",
        "a megabyte of unsorted marks": "\u0301\u0323" * (mega // 4),
        "unsorted combining marks": r"\boxed{e" + "\u0301\u0323" * 950 + "}",
        "null bytes and surrogates": "\x00\ud800" * 1_000 + r"\boxed{" + "\ud800}",
    }


def calls(text: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every public call on one completion, by name."""
    yield "extract_boxed", partial(extract_boxed, text)
    inside = extract_boxed(text) or text.removeprefix("\\boxed{").removesuffix("}")
    for kind, target in _TARGETS.items():
        yield f"match {kind}", partial(answers_match, inside, target, kind=kind)
        yield f"anywhere {kind}", partial(answer_anywhere, text, target, kind=kind)
    yield "match root", partial(answers_match, inside, r"1+\sqrt{2}", kind="number")


def milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    answers_match(r"\sqrt{2}", "2", kind="number")  # the import of sympy
    worst = []
    for name, text in hostile_inputs().items():
        slowest, call = max((milliseconds(call), label) for label, call in calls(text))
        worst.append((slowest, name))
        print(f"{slowest:9.2f} ms  {call:18} {name}{'  OVER BUDGET' if slowest > BUDGET_MS else ''}")
    print(f"worst: {max(worst)[0]:.2f} ms ({max(worst)[1]}), budget {BUDGET_MS:.0f} ms")

    completion = "The frequencies are 15, 6, 13 and 12. The median is 12.5. " * 15 + r"So it is $\boxed{%s}$."
    costs = []
    for answer in _COMMON * 100:
        text = completion % answer

        def score(text: str = text) -> bool:
            found = extract_boxed(text)
            return found is not None and answers_match(found, "13.46", kind="number", tolerance=0.01)

        costs.append(milliseconds(score))
    print(
        f"common path (extract and match, {len(_COMMON)} answers): median {statistics.median(costs):.3f} ms"
    )
    roots = [
        milliseconds(lambda: answers_match(r"\sqrt{8}", r"2\sqrt{2}", kind="number")) for _ in range(200)
    ]
    print(f"roots, sympy warm: median {statistics.median(roots):.3f} ms")


if __name__ == "__main__":
    main()
