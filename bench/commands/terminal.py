"""What every command shares of the terminal: its console, progress, and options given as text."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console

_PAIR_OPTIONS = ("-T", "-M", "-S", "--set", "--samples-per")
_PAIR = re.compile(r"[A-Za-z_][\w.]*=")


def console(*, stderr: bool = False) -> Console:
    """The terminal; a pipe, which has no width, gets at least 100 columns: 80 cut names."""
    import rich.console

    class Terminal(rich.console.Console):
        def on_broken_pipe(self) -> None:
            """A reader that has seen enough (head, less) changes nothing of what the command finds."""
            with contextlib.suppress(SystemExit):
                super().on_broken_pipe()

    made = Terminal(stderr=stderr)
    if not made.is_terminal:
        made = Terminal(stderr=stderr, width=max(made.width, 100))
    return made


def note(lines: Iterable[str]) -> None:
    """Remarks on stderr; what they quote comes from files, so no control codes of theirs."""
    from results.shown.words import printable

    shown = console(stderr=True)
    for line in lines:
        shown.print(f"note: {printable(line)}", style="yellow", soft_wrap=True, markup=False, highlight=False)


class TerminalShow:
    """Says what a run is doing on stderr, with a progress bar and its ETA."""

    def __init__(self, console: Console, *, bar: bool, quiet: bool) -> None:
        self._console = console
        self._bar = bar
        self._quiet = quiet

    def say(self, line: str) -> None:
        """One line for the person who waits."""
        if not self._quiet:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def samples(self, label: str, total: int) -> Iterator[Callable[[], None]]:
        """A progress bar over ``total`` samples."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        if not self._bar:
            yield lambda: None
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, refresh_per_second=4) as progress:
            task = progress.add_task(label, total=total or None)
            # Speed counts from here: a first burst of samples would seem to have taken no time.
            progress.advance(task, 0)
            yield lambda: progress.advance(task)


def inspect_display(display: str) -> None:
    """Which of inspect's displays shows its progress; ``none`` where ours does."""
    from inspect_ai.util._display import init_display_type

    init_display_type(display)


def names(text: str, option: str) -> tuple[str, ...]:
    """The names of an option that takes several with commas between; RequestError when there is none."""
    given = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not given:
        raise RequestError(f"{option} is empty; give one name, or several separated by commas")
    return given


def pairs(given: list[str] | None, option: str) -> dict[str, Any]:
    """The values of a repeated KEY=VALUE option; RequestError for one without a key."""
    values: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise RequestError(f"{option} {text}: write {option} KEY=VALUE")
        values[name.strip()] = _value(value)
    return values


def _value(text: str) -> Any:
    """A command-line value as JSON where it is JSON (numbers, true, lists), else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def print_description(description: Mapping[str, Any], as_json: bool) -> None:
    """What a dry run found, as YAML for people or as JSON."""
    import yaml

    if as_json:
        print(json.dumps(description, indent=2, ensure_ascii=False))
    else:
        print(yaml.safe_dump(description, sort_keys=False, allow_unicode=True, width=100), end="")


def spread_pairs(arguments: list[str]) -> list[str]:
    """A command line where `-T a=1 b=2` says `-T a=1 -T b=2`; likewise -M, -S, --set and --samples-per."""
    spread: list[str] = []
    option = None
    for argument in arguments:
        if option and _PAIR.match(argument) and spread[-1] != option:
            spread.append(option)
        elif argument in _PAIR_OPTIONS:
            option = argument
        elif not (option and spread[-1] == option):
            option = None
        spread.append(argument)
    return spread
