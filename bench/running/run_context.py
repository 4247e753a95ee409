"""What solvers and scorers find of the run around them: its journals, and whom to tell of progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from scorers.batches import KnownScores, current_scores, score_progress
from solvers.journal import Journal, current_journal, current_progress


@contextlib.contextmanager
def run_context(
    *,
    journal: Journal | None = None,
    scores: KnownScores | None = None,
    completed: Callable[[], None] | None = None,
    scored: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Around an evaluation, whose sample tasks inherit it. Afterwards all is as it was before.

    completed: called for each sample that has its completion or its error. scored: with a batched scorer's
    name, for each of its scores.
    """
    with contextlib.ExitStack() as after:
        after.callback(current_journal.reset, current_journal.set(journal))
        after.callback(current_progress.reset, current_progress.set(completed))
        after.callback(current_scores.reset, current_scores.set(scores))
        after.callback(score_progress.reset, score_progress.set(scored))
        yield
