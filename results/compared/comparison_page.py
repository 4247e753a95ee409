"""A comparison as one file for the browser: verdicts, differences drawn, and the samples that flipped.

Everything is in the page; without scripts all of it is shown. Text of models and records is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from results.compared.comparison import TaskComparison
from results.compared.comparison_text import difference_text, flip_headings, notes, p_text, verdict_text
from results.compared.flips import Flip, answer_text, flips
from results.logs.logged_run import Run, short_name
from results.logs.sample_file import LoggedSample, SampleFile
from results.shown.thumbnails import thumbnail

# Of each kind and task: a page of a few megabytes at most, whatever was compared.
_MOST_FLIPS = 60
_LONGEST_COMPLETION = 4_000

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --bad: #c0392b; --good: #1e8449;
  --wait: #b9770e }
@media (prefers-color-scheme: dark) { :root { --bad: #ec7063; --good: #58d68d; --wait: #f5b041 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1rem;
  overflow-wrap: anywhere }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem }
h3 { font-size: 1rem; margin: 1rem 0 .3rem }
.regressed, .lost { color: var(--bad) } .improved, .not-worse, .gained { color: var(--good) }
.undecided { color: var(--wait) } .scroll { overflow-x: auto } ul { margin: .3rem 0; padding-left: 1.2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left; white-space: normal }
td.drawn { width: 30%; min-width: 9rem }
svg { display: block; width: 100%; height: 1.4rem } svg line { stroke: currentColor; stroke-width: 2;
  vector-effect: non-scaling-stroke } svg .zero { stroke: var(--line); stroke-width: 1 }
svg .margin { stroke: var(--wait); stroke-width: 1; stroke-dasharray: 3 3 }
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: .6rem 0 }
button { font: inherit; padding: .2rem .7rem;
  border: 1px solid var(--line); border-radius: 1rem; background: none; color: inherit; cursor: pointer }
button[aria-pressed=true] { background: var(--soft); font-weight: 600 }
main section { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem }
article { border: 1px solid var(--line); border-radius: 8px; padding: .8rem }
article[hidden] { display: none }
img { max-width: 100%; background: #fff; border-radius: 4px }
dl { display: grid; grid-template-columns: auto 1fr;
  gap: 0 .7rem; margin: .4rem 0 } dt { opacity: .7 } dd { margin: 0; font-weight: 600 }
pre { white-space: pre-wrap; font-size: 13px; background: var(--soft); padding: .5rem; border-radius: 4px;
  max-height: 14rem; overflow: auto; margin: .4rem 0 0 }
"""

_SCRIPT = """
for (const nav of document.querySelectorAll('nav')) for (const button of nav.querySelectorAll('button'))
  button.onclick = () => {
    for (const other of nav.querySelectorAll('button')) other.setAttribute('aria-pressed', other === button)
    for (const card of nav.nextElementSibling.querySelectorAll('article'))
      card.hidden = button.dataset.kind !== '' && card.dataset.kind !== button.dataset.kind
  }
document.documentElement.dataset.ready = 'true'
"""


def write_comparison(tasks: Sequence[TaskComparison], page: Path) -> None:
    """Write the page; up to 60 lost and 60 gained samples of each task, with small pictures."""
    title = f"{short_name(tasks[0].base)} → {short_name(tasks[0].candidate)}"
    # Whatever a model wrote: only this style and this script count, and nothing is fetched.
    policy = f"default-src 'none'; img-src data:; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f'<meta http-equiv=Content-Security-Policy content="{_plain(policy)}">'
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{_plain(title)}</title><style>{_STYLE}</style><main><h1>{_plain(title)}</h1>"
        f"<p>base {_model(tasks[0].base)}<br>candidate {_model(tasks[0].candidate)}</p>"
        f"{_tasks(tasks)}{''.join(_task(task) for task in tasks)}</main><script>{_SCRIPT}</script></html>\n",
        encoding="utf-8",
        errors="replace",
    )


def _model(run: Run) -> str:
    return f"<code>{_plain(run.model)}</code> ({_plain(run.location)}, {_plain(run.created[:19])})"


def _tasks(tasks: Sequence[TaskComparison]) -> str:
    rows = [
        (
            task.task,
            (task.found.n, task.base_score, task.candidate_score, task.p_adjusted),
            (task.found.difference, task.found.low, task.found.high),
            (task.found.worse, task.found.better),
        )
        for task in tasks
    ]
    return _table("task", rows, max(task.margin for task in tasks), flip_headings(tasks))


def _task(task: TaskComparison) -> str:
    said = "".join(f"<li>{_plain(line)}" for line in notes(task))
    said += "".join(f"<li class=undecided>{_plain(line)}" for line in task.warnings)
    groups = "".join(
        f"<h3>by {_plain(field)}</h3>"
        + _table(
            field,
            [
                (
                    one.group,
                    (one.found.n, one.base, one.candidate, one.p_adjusted),
                    (one.found.difference, one.found.low, one.found.high),
                    (one.found.worse, one.found.better),
                )
                for one in found
            ],
            task.margin,
            flip_headings([task]),
        )
        for field, found in task.groups.items()
    )
    kind = task.verdict.replace(" ", "-")
    return (
        f"<h2>{_plain(task.task)}: <span class={kind}>{_plain(verdict_text(task))}</span></h2>"
        f"<ul>{said}</ul>{groups}{_flips(task)}"
    )


_Row = tuple[str, tuple[int, float, float, float], tuple[float, float, float], tuple[int, int]]


def _table(first: str, rows: Sequence[_Row], margin: float, changed: tuple[str, str]) -> str:
    widest = max(margin, *(max(abs(low), abs(high)) for _, _, (_, low, high), _ in rows)) * 1.05
    lines = "".join(
        f"<tr><td>{_plain(name)}<td>{n}<td>{100 * base:.1f}<td>{100 * candidate:.1f}"
        f"<td>{difference_text(*interval)}<td class=drawn>{_drawn(interval, margin, widest)}"
        f"<td>{p_text(p)}<td>{lost}<td>{gained}"
        for name, (n, base, candidate, p), interval, (lost, gained) in rows
    )
    return (
        f"<div class=scroll><table><thead><tr><th>{_plain(first)}<th>n<th>base<th>candidate"
        f"<th>difference ±95%<th>worse ← 0 → better<th>p<th>{changed[0]}<th>{changed[1]}"
        f"<tbody>{lines}</table></div>"
    )


def _drawn(interval: tuple[float, float, float], margin: float, widest: float) -> str:
    """The interval with its mean, zero and the margin; the text beside it says the same."""

    def x(value: float) -> str:
        return f"{100 * (value / widest + 1) / 2:.2f}"

    mean, low, high = interval
    return (
        "<svg viewBox='0 0 100 20' preserveAspectRatio=none aria-hidden=true>"
        f"<line class=zero x1={x(0)} x2={x(0)} y1=0 y2=20 />"
        f"<line class=margin x1={x(-margin)} x2={x(-margin)} y1=0 y2=20 />"
        f"<line x1={x(low)} x2={x(high)} y1=10 y2=10 /><line x1={x(mean)} x2={x(mean)} y1=4 y2=16 /></svg>"
    )


def _flips(task: TaskComparison) -> str:
    shown = flips(task, _MOST_FLIPS)
    if not shown:
        return ""
    lost = sum(flip.worse for flip in shown)
    counts = (("", "all", len(shown)), ("lost", "lost", lost), ("gained", "gained", len(shown) - lost))
    buttons = "".join(
        f"<button data-kind='{kind}' aria-pressed={'false' if kind else 'true'}>{word} {count}</button>"
        for kind, word, count in counts
    )
    there = task.found.better + task.found.worse
    more = f" of {there}" if there > len(shown) else ""
    return (
        f"<h3>{len(shown)}{more} samples that flipped</h3><nav>{buttons}</nav>"
        f"<section>{''.join(_cards(task, shown))}</section>"
    )


def _cards(task: TaskComparison, shown: Sequence[Flip]) -> Iterator[str]:
    with ExitStack() as stack:
        files = [
            stack.enter_context(SampleFile(run.location)) if Path(run.location).is_file() else None
            for run in (task.base, task.candidate)
        ]
        for flip in shown:
            base, candidate = (
                _sample(file, one.id, one.epoch)
                for file, one in zip(files, (flip.base, flip.candidate), strict=True)
            )
            yield _card(flip, base, candidate)


def _sample(file: SampleFile | None, sample: str, epoch: int) -> LoggedSample | None:
    if file is None:
        return None
    try:
        return file.read(sample, epoch)
    except (IndexError, KeyError, OSError, ValueError):
        return None


def _card(flip: Flip, base: LoggedSample | None, candidate: LoggedSample | None) -> str:
    kind = "lost" if flip.worse else "gained"
    pictures = next((one.pictures for one in (candidate, base) if one is not None and one.pictures), ())
    small = [made for picture in pictures if (made := thumbnail(picture))]
    images = "".join(f'<img src="{made}" alt="" loading=lazy>' for made in small)
    pairs = "".join(
        f"<dt>{name}<dd>{_plain(value)}"
        for name, value in (
            ("target", flip.target or "(none)"),
            ("base", answer_text(flip.base)),
            ("candidate", answer_text(flip.candidate)),
        )
    )
    texts = "".join(
        f"<details><summary>{name}'s completion</summary>"
        f"<pre>{_plain(one.completion[:_LONGEST_COMPLETION])}</pre></details>"
        for name, one in (("base", base), ("candidate", candidate))
        if one is not None
    )
    return (
        f"<article data-kind={kind}>{images}<div><b class={kind}>{kind}</b> {_plain(flip.id)}</div>"
        f"<div>{_plain(flip.question)}</div><dl>{pairs}</dl>{texts}</article>"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _plain(text: str) -> str:
    return html.escape(text)
