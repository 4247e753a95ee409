"""How long `extract_option` takes on common and on hostile completions."""

from __future__ import annotations

import statistics
import time

from scorers.options.option_letter import extract_option

CHOICES = ["Paris", "London", "Rome", "Oslo"]
COMMON = {
    "a letter": "B",
    "a sentence": "The answer is (B).",
    "a rationale": "The map shows four cities and their distance to the sea. " * 20 + "The answer is B.",
    "four stages": "<SUMMARY>Find it.</SUMMARY><REASONING>It rains.</REASONING><CONCLUSION>B</CONCLUSION>",
}


def hostile_inputs() -> dict[str, str]:
    """A megabyte each of what patterns stumble over, by name."""
    mega = 1_000_000
    pieces = {
        "prose": "the cat sat on A mat. ",
        "statements without an end": "the answer is ",
        "statements": "the answer is A. ",
        "letters": "A ",
        "letters in lines": "A\n",
        "letters joined": "A and ",
        "letters listed": "A, ",
        "open boxes": r"\boxed{",
        "braces in boxes": r"\boxed{{}{}{}{}",
        "open tags": "<CONCLUSION>",
        "brackets": "(",
        "option texts": "Paris ",
        "spaces": " ",
        "line feeds": "\n",
        "negations": "not ",
        "final": "final ",
        "stars": "*",
        "backslashes": "\\",
        "combining accents": "\u0301",
        "ligatures of eighteen letters": "ﷺ",
        "quotes": '"',
        "adjectives": "correct right best ",
    }
    return {name: piece * (mega // len(piece)) for name, piece in pieces.items()} | {
        "a quote that never ends": 'the answer is "' + '"' * mega,
        "an answer after a megabyte": "It rains. " * (mega // 10) + "The answer is (C).",
    }


def milliseconds(text: str, repeats: int = 7) -> float:
    """Median CPU time of one call; the machine may be shared."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        extract_option(text, CHOICES)
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    for title, texts in (("common", COMMON), ("hostile", hostile_inputs())):
        print(f"{title}, CPU ms (median of 7)")
        for name, text in sorted(texts.items(), key=lambda item: -milliseconds(item[1], 1)):
            print(f"  {name:34}{milliseconds(text):8.3f}")
