"""The command line: which commands there are, and the one place where errors become messages and codes."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from bench.commands import (
    checkpoints,
    compare,
    declare,
    distill,
    evaluate,
    judge,
    leaderboard,
    overlap,
    parity,
    train,
)
from bench.commands.terminal import spread_pairs
from bench.errors import IncompleteRunError, RequestError, TunebenchError


class _Commands(TyperGroup):
    """typer ends some commands without a word, with a code that is none of ours or means something else."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise IncompleteRunError(
                "interrupted; finished samples are on disk; run the same command with --resume to continue"
            ) from None
        except BrokenPipeError:
            _end_unread()


# By its version typer raises click's error or one of its own; its only public one is a child of either.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    cls=_Commands,
    name="bench",
    help="Is the new checkpoint better, on what, by how much, and what did it break?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        import importlib.metadata

        print(f"tunebench {importlib.metadata.version('tunebench')}")
        raise typer.Exit


@app.callback()
def bench(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Is the new checkpoint better, on what, by how much, and what did it break?"""


_RUN, _COMPARE, _TRAIN, _TASKS = "Run tasks", "Compare checkpoints", "Train", "Look at tasks and data"

app.command(rich_help_panel=_RUN)(evaluate.run)
app.command(rich_help_panel=_RUN)(evaluate.score)
app.command(rich_help_panel=_RUN)(evaluate.mistakes)
app.command(rich_help_panel=_RUN)(evaluate.view)
app.command(rich_help_panel=_COMPARE)(leaderboard.leaderboard)
app.command(rich_help_panel=_COMPARE)(compare.compare)
app.command(rich_help_panel=_COMPARE)(compare.check)
app.command(rich_help_panel=_COMPARE)(compare.bless)
app.command(rich_help_panel=_COMPARE)(compare.baselines)
app.command(rich_help_panel=_COMPARE)(judge.judge)
app.command(rich_help_panel=_COMPARE)(parity.parity)
app.command(rich_help_panel=_TRAIN)(train.train)
app.command(rich_help_panel=_TRAIN)(train.recipes)
app.command(rich_help_panel=_TRAIN)(distill.distill)
app.command(rich_help_panel=_TRAIN)(checkpoints.merge)
app.command(rich_help_panel=_TRAIN)(checkpoints.push)
app.command("list", rich_help_panel=_TASKS)(declare.list_tasks)
app.command("show", rich_help_panel=_TASKS)(declare.show_task)
app.command(rich_help_panel=_TASKS)(declare.render)
app.command(rich_help_panel=_TASKS)(overlap.overlap)
app.command(rich_help_panel=_TASKS)(declare.validate)
app.command(rich_help_panel=_TASKS)(declare.schema)


def main() -> None:
    """Run the command line; a user's mistake ends in one message and its exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or pipe that cannot show ± gets a question mark, not a traceback after the work.
            stream.reconfigure(errors="replace")
    # While modules load and logs are read there is no garbage, and looking took a tenth of a short command.
    gc.set_threshold(50_000)
    # transformers warns about defaults of classes that the checkpoint overrides; its errors still come.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    sys.argv[1:] = spread_pairs(sys.argv[1:])
    try:
        code = app(prog_name="bench", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except _UsageError as error:
        from bench.commands.usage import usage_message

        if type(error).__name__ == "NoArgsIsHelpError":  # which has printed the help
            sys.exit(RequestError.exit_code)
        _fail(usage_message(error), RequestError.exit_code)
    except TunebenchError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:  # before there was a command, or while one was failing
        _fail("interrupted", 4)
    except BrokenPipeError:
        _end_unread()
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ENOENT):
            _fail(f"{error.filename}: {error.strerror}; give another path", RequestError.exit_code)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(f"{error.filename or 'writing'}: {error.strerror}; what was finished is on disk", 4)


def _end_unread() -> NoReturn:
    """The reader of a pipe (head, less) has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _fail(message: str, code: int) -> NoReturn:
    from rich.console import Console
    from rich.text import Text

    from results.shown.words import printable

    # What a message quotes comes from files and servers: no control codes of theirs.
    plain = printable(message, keep="\n")
    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), plain), soft_wrap=True)
    sys.exit(code)
