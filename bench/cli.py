"""Arguments → one function per command; the one place where errors become messages and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from bench.errors import IncompleteRunError, RequestError, TunebenchError

if TYPE_CHECKING:
    from rich.console import Console


class _Commands(TyperGroup):
    """typer ends an interrupted command without a word, with a code that is none of ours."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise IncompleteRunError(
                "interrupted; finished samples are on disk, and the same command with --resume goes on"
            ) from None


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


Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout; everything else goes to stderr.")]
Pairs = list[str]
LogDir = Annotated[Path, typer.Option("--log-dir", help="Folder of the inspect logs.")]


def main() -> None:
    """Run the command line; a user's mistake ends in one message and its exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal or pipe that cannot show ± gets a question mark, not a traceback after the work.
            stream.reconfigure(errors="replace")
    # transformers warns about defaults of classes that the checkpoint overrides; its errors still come.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        app()
    except TunebenchError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:  # before there was a command, or while one was failing
        _fail("interrupted", 4)
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ENOENT):
            _fail(f"{error.filename}: {error.strerror}; give another path", RequestError.exit_code)
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(f"{error.filename or 'writing'}: {error.strerror}; what was finished is on disk", 4)


def _fail(message: str, code: int) -> None:
    from rich.console import Console
    from rich.text import Text

    # What a message quotes comes from files and servers: no control codes of theirs.
    plain = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in message)
    Console(stderr=True).print(Text.assemble(("error: ", "bold red"), plain), soft_wrap=True)
    sys.exit(code)


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=stderr)
    if not console.is_terminal:
        # A pipe has no width; 80 columns would cut names that a file can hold.
        console = Console(stderr=stderr, width=max(console.width, 100))
    return console


@app.command()
def run(
    tasks: Annotated[
        str, typer.Argument(metavar="TASK[,TASK]", help="Task names, task.yaml paths, or inspect tasks.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="M[,M]",
            help="Checkpoint folder, adapter folder, hub id, nano, or an inspect model (openai/…, vllm/…).",
        ),
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Score only the first samples.")] = None,
    sample_id: Annotated[
        str | None, typer.Option(metavar="ID[,ID]", help="Score only these samples.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Run every sample this often.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of each request's sampling.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="Overrides the task's.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="New tokens per completion.")] = None,
    log_dir: LogDir = Path("logs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run of the same request stopped.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved task, model and one prompt; run nothing.")
    ] = False,
    fail_on_error: Annotated[
        bool, typer.Option("--fail-on-error", help="Stop at the first sample that cannot be scored.")
    ] = False,
    task_arg: Annotated[
        Pairs | None, typer.Option("-T", metavar="KEY=VALUE", help="Dataset argument, such as size=1000.")
    ] = None,
    model_arg: Annotated[
        Pairs | None, typer.Option("-M", metavar="KEY=VALUE", help="Engine or provider argument.")
    ] = None,
    model_base_url: Annotated[
        str | None, typer.Option(help="Address of a running server, with --model vllm/NAME or openai/NAME.")
    ] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that the checkpoint brings.")
    ] = False,
    log_images: Annotated[
        bool,
        typer.Option("--log-images/--no-log-images", help="Keep the pictures in the log, for the viewer."),
    ] = True,
    show: Annotated[
        Literal["bar", "plain", "none", "rich", "full", "conversation", "log"],
        typer.Option(help="Progress: our bar, none, or one of inspect's displays."),
    ] = "bar",
    as_json: Json = False,
) -> None:
    """Score models on tasks, through vLLM, into inspect logs."""
    from bench.run import RunRequest
    from bench.run import run as run_all

    request = RunRequest(
        tasks=_names(tasks, "TASK"),
        models=_names(model, "--model"),
        log_dir=log_dir,
        limit=limit,
        sample_ids=_names(sample_id, "--sample-id") if sample_id else (),
        epochs=epochs,
        seed=seed,
        temperature=temperature,
        max_tokens=max_tokens,
        resume=resume,
        fail_on_error=fail_on_error,
        dataset_args=_pairs(task_arg, "-T"),
        model_args=_pairs(model_arg, "-M"),
        base_url=model_base_url,
        trust_remote_code=trust_remote_code,
        log_images=log_images,
    )
    if dry_run:
        from bench.dry_run import describe

        _print_description(describe(request), as_json)
        return
    _inspect_display("none" if show == "bar" else show)
    runs = run_all(request, TerminalShow(_console(stderr=True), bar=show == "bar", quiet=show == "none"))
    _print_results(runs, as_json)
    if all(not any(o.value is not None for o in one.outcomes) for one in runs):
        raise IncompleteRunError("no sample was scored; the reasons are above")


def _print_results(runs: list[Any], as_json: bool) -> None:
    from results.table import print_runs, run_json

    if as_json:
        print(json.dumps([run_json(one) for one in runs], indent=2, ensure_ascii=False))
        return
    console = _console()
    print_runs(runs, console)
    console.print()
    for one in runs:
        console.print(f"log: {one.location}", soft_wrap=True, markup=False, highlight=False)
    log = shlex.quote(runs[0].location)
    folder = shlex.quote(str(Path(runs[0].location).parent))
    console.print(
        f"look: bench mistakes {log}   or   bench view --log-dir {folder}",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


@app.command("list")
def list_tasks(as_json: Json = False) -> None:
    """The tasks, with version, size, scorer and purpose."""
    from rich.table import Table

    from bench.catalog import all_tasks

    specs = all_tasks()
    if as_json:
        print(json.dumps([spec.as_plain() for spec in specs], indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("task", "version", "n", "scorer", "what it asks"):
        table.add_column(heading, justify="right" if heading == "n" else "left")
    for spec in specs:
        scorers = ", ".join(part.name for part in spec.scorer)
        table.add_row(spec.name, spec.version, str(spec.dataset.args.get("size", "–")), scorers, spec.summary)
    _console().print(table)


@app.command("show")
def show_task(
    task: Annotated[str, typer.Argument(help="Task name or task.yaml.")], as_json: Json = False
) -> None:
    """A task's resolved declaration."""
    import yaml

    from bench.catalog import find_task

    declaration = find_task(task).as_plain()
    if as_json:
        print(json.dumps(declaration, indent=2, ensure_ascii=False))
    else:
        print(yaml.safe_dump(declaration, sort_keys=False, allow_unicode=True, width=100), end="")


@app.command()
def render(
    task: Annotated[str, typer.Argument(help="Task name or task.yaml.")],
    n: Annotated[int, typer.Option("-n", min=1, help="How many samples.")] = 4,
    out: Annotated[Path, typer.Option(help="Folder for pictures and prompts.")] = Path("render"),
    task_arg: Annotated[
        Pairs | None, typer.Option("-T", metavar="KEY=VALUE", help="Dataset argument.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a few samples' pictures and prompts to look at."""
    from bench.render import render_samples

    written = render_samples(task, _pairs(task_arg, "-T"), n, out)
    if as_json:
        print(json.dumps(written, indent=2, ensure_ascii=False))
        return
    for row in written:
        print(f"{row['id']}: {row['prompt_file']}  target {row['target']}")
    print(f"{len(written)} samples in {out}/ (index.html shows them side by side)")


@app.command()
def score(
    task: Annotated[str, typer.Argument(help="Task name or task.yaml.")],
    completions: Annotated[Path, typer.Argument(help='JSONL rows {"id": …, "completion": …}.')],
    samples: Annotated[
        Path | None, typer.Option(help="JSONL records (id, target, group fields) other than the task's own.")
    ] = None,
    log_dir: LogDir = Path("logs"),
    task_arg: Annotated[
        Pairs | None, typer.Option("-T", metavar="KEY=VALUE", help="Dataset argument.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Score completions made elsewhere, into the same log as `run`."""
    from bench.score import score_completions

    _inspect_display("none")
    shown = TerminalShow(_console(stderr=True), bar=True, quiet=False)
    one = score_completions(task, completions, samples, log_dir, _pairs(task_arg, "-T"), shown)
    _print_results([one], as_json)


@app.command()
def mistakes(
    logs: Annotated[
        list[Path], typer.Argument(help="Logs that `run` or `score` wrote; a folder means its newest.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The HTML file, for one log; beside the log when not given.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="At most this many.")] = 200,
) -> None:
    """One page with the picture, question, target and completion of each sample that was not right."""
    from zipfile import BadZipFile

    from results.mistakes import write_mistakes

    if out is not None and len(logs) > 1:
        raise RequestError(f"--out {out} names one page, and {len(logs)} logs were given; leave it out")
    for log in map(_log_file, logs):
        page = out or log.with_suffix(".mistakes.html")
        try:
            shown, total, missing = write_mistakes(log, page, n)
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise RequestError(f"{log}: no inspect log that can be read ({error})") from error
        print(f"{page}: {shown} of {total} samples that were not right")
        if missing:
            print(f"{missing} samples were not run; the same `bench run` with --resume goes on")


def _log_file(given: Path) -> Path:
    """The log that a path means: itself, or a folder's newest."""
    # inspect prints logs as URLs, and people paste them.
    path = Path(str(given).removeprefix("file://").removeprefix("file:"))
    if path.is_dir():
        found = sorted(path.glob("*.eval"), key=lambda file: file.stat().st_mtime)
        if not found:
            raise RequestError(f"{path}: no logs (*.eval) in this folder")
        return found[-1]
    if not path.is_file():
        raise RequestError(f"{path}: no such log; `bench run` prints where it wrote one")
    return path


@app.command()
def view(
    log_dir: LogDir = Path("logs"), port: Annotated[int, typer.Option(help="Local port.")] = 7575
) -> None:
    """Open inspect's viewer on the logs."""
    from inspect_ai import view as inspect_view

    if not log_dir.is_dir():
        raise RequestError(f"--log-dir {log_dir}: no such folder; `bench run` makes one")
    with contextlib.suppress(KeyboardInterrupt):  # how a viewer is ended
        inspect_view(log_dir=str(log_dir), port=port)


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="task.yaml files.")], as_json: Json = False
) -> None:
    """Check declarations, every mistake at once, with its line. `run --dry-run` checks the data as well."""
    from bench.build import build_scorers, build_solver
    from bench.spec import read_spec, spec_problems

    found = [(file, problem) for file in files for problem in spec_problems(file)]
    if not found:
        for spec in map(read_spec, files):
            build_solver(spec)
            build_scorers(spec)
    if as_json:
        rows = [{"file": str(file), "line": p.line, "message": p.message} for file, p in found]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for file, problem in found:
            print(problem.at(file))
        if not found:
            print(f"{len(files)} file{'s' if len(files) > 1 else ''}: no mistakes")
    if found:
        sys.exit(RequestError.exit_code)


@app.command()
def schema() -> None:
    """The JSON Schema of task.yaml, for editors."""
    from bench.spec import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


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
            yield lambda: progress.advance(task)


def _inspect_display(display: str) -> None:
    from inspect_ai.util._display import init_display_type

    init_display_type(display)


def _print_description(description: dict[str, Any], as_json: bool) -> None:
    import yaml

    if as_json:
        print(json.dumps(description, indent=2, ensure_ascii=False))
    else:
        print(yaml.safe_dump(description, sort_keys=False, allow_unicode=True, width=100), end="")


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise RequestError(f"{option} is empty; give one name, or several with commas between")
    return names


def _pairs(given: list[str] | None, option: str) -> dict[str, Any]:
    from bench.model import parse_value

    pairs: dict[str, Any] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise RequestError(f"{option} {text}: write {option} KEY=VALUE")
        pairs[name.strip()] = parse_value(value)
    return pairs
