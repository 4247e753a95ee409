"""A page of one log's mistakes: picture, question, target, answer and the whole completion of each."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from results.logs.logged_run import read_run
from results.logs.outcomes import Outcome
from results.logs.sample_file import LoggedSample, SampleFile
from results.numbers.intervals import Interval
from results.shown.run_table import score_interval
from results.shown.words import score_text

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --bad: #c0392b; --none: #b9770e }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1280px; padding: 1rem }
header p { margin: .2rem 0 } nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 }
button { font: inherit; padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 1rem;
  background: none;
  color: inherit; cursor: pointer }
button[aria-pressed=true] { background: var(--soft); font-weight: 600 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem }
article { border: 1px solid var(--line); border-radius: 8px; padding: .8rem; overflow-wrap: anywhere }
article[hidden] { display: none } img { width: 100%; background: #fff; border-radius: 4px }
h2 { font-size: 1rem; margin: .3rem 0 } dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .7rem;
  margin: .4rem 0 } dt { opacity: .7 } dd { margin: 0; font-weight: 600 }
.incorrect { color: var(--bad) } .unscored { color: var(--none) }
pre { white-space: pre-wrap; font-size: 13px; background: var(--soft); padding: .5rem; border-radius: 4px;
  max-height: 14rem; overflow: auto; margin: .4rem 0 0 }
"""

# One filter at a time; without scripts every card is simply shown.
_SCRIPT = """
const buttons = document.querySelectorAll('nav button')
for (const button of buttons) button.onclick = () => {
  for (const other of buttons) other.setAttribute('aria-pressed', other === button)
  for (const card of document.querySelectorAll('article'))
    card.hidden = button.dataset.kind !== '' && !card.dataset.kinds.split('|').includes(button.dataset.kind)
}
"""


class Written(NamedTuple):
    """What a log has to show: samples under the full score, unscored ones, and of these those not run."""

    shown: int
    under: int
    unscored: int
    not_run: int
    samples: int


def write_mistakes(log: str | Path, page: Path, most: int) -> Written:
    """Write the page (one file, no network): the first ``most`` that scored under 1 or have no score.

    Where scores are shares, the worst come first.
    """
    run = read_run(log)
    wrong = [o for o in run.outcomes if o.value is None or o.value < 1]
    if any(o.in_part for o in wrong):
        wrong.sort(key=lambda o: 2.0 if o.value is None else o.value)
    under = sum(o.value is not None for o in wrong)
    with SampleFile(log) as file:
        cards = [_card(o, file.read(o.id, o.epoch)) for o in wrong[:most]]
    kinds = _counted_kinds(wrong[:most])
    title = f"{run.task} × {run.model}"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        _page(
            title, _header(score_interval(run.outcomes), under, len(wrong) - under, run.created), kinds, cards
        ),
        encoding="utf-8",
    )
    return Written(
        min(len(wrong), most), under, len(wrong) - under, run.unscored["not run"], len(run.outcomes)
    )


def _header(interval: Interval | None, under: int, unscored: int, created: str) -> str:
    n = f"n = {interval.n}, {interval.clusters} independent" if interval else "nothing scored"
    return (
        f"score {score_text(interval)} ({n}) · {under} under the full score, {unscored} unscored · "
        f"run of {created}"
    )


def _kinds(outcome: Outcome) -> list[str]:
    wrong = "right in part" if outcome.in_part else "wrong answer"
    state = "unscored" if outcome.value is None else "no answer" if outcome.no_answer else wrong
    return [state, *(["truncated"] if outcome.truncated else []), *outcome.groups.values()]


def _counted_kinds(outcomes: list[Outcome]) -> list[tuple[str, int]]:
    """What a reader may filter by, with counts: first how it went wrong, then each report field's groups."""
    counts = Counter(kind for outcome in outcomes for kind in _kinds(outcome))
    states = [
        kind
        for kind in ("wrong answer", "right in part", "no answer", "truncated", "unscored")
        if kind in counts
    ]
    fields = {name for outcome in outcomes for name in outcome.groups}
    groups = [
        group
        for name in sorted(fields)
        for group in sorted({outcome.groups[name] for outcome in outcomes if name in outcome.groups})
    ]
    return [(kind, counts[kind]) for kind in dict.fromkeys([*states, *groups])]


def _card(outcome: Outcome, sample: LoggedSample) -> str:
    state = "unscored" if outcome.value is None else "incorrect"
    rows: dict[str, str | None] = {"target": outcome.target}
    if outcome.answer or not outcome.in_part:  # a share without an answer: the whole text is the answer
        rows["answer"] = outcome.reason if outcome.value is None else (outcome.answer or "none found")
    if outcome.in_part:
        rows["score"] = f"{100 * (outcome.value or 0.0):.1f}"
    rows |= outcome.groups
    pairs = "".join(
        f"<dt>{html.escape(name)}</dt>"
        f"<dd{f' class={state}' if name == 'answer' else ''}>{html.escape(str(value))}</dd>"
        for name, value in rows.items()
    )
    pictures = "".join(f'<img src="{html.escape(uri)}" alt="" loading="lazy">' for uri in sample.pictures)
    return (
        f'<article data-kinds="{html.escape("|".join(_kinds(outcome)))}">{pictures}'
        f"<h2>{html.escape(sample.question or outcome.id)}</h2><dl>{pairs}</dl>"
        f"<pre>{html.escape(sample.completion or '(empty completion)')}</pre></article>"
    )


def _page(title: str, summary: str, kinds: list[tuple[str, int]], cards: list[str]) -> str:
    buttons = "".join(
        f'<button data-kind="{html.escape(kind)}" aria-pressed="false">{html.escape(kind)} {count}</button>'
        for kind, count in kinds
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<header><h1>{html.escape(title)}</h1><p>{html.escape(summary)}</p></header>"
        f"<nav><button data-kind='' aria-pressed=true>all {len(cards)}</button>{buttons}</nav>"
        f"<main>{''.join(cards) or '<p>No mistakes.</p>'}</main><script>{_SCRIPT}</script></html>\n"
    )
