"""What is done with a checkpoint besides scoring it: merge, push."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.commands.options import Json, LogDir
from bench.commands.terminal import console
from bench.errors import IncompleteRunError, RequestError
from trainers.machine.quiet import quiet_libraries
from trainers.machine.reasons import machine_reason


def merge(
    adapter: Annotated[Path, typer.Argument(help="Folder of an adapter (LoRA, DoRA).")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the merged checkpoint; ADAPTER-merged otherwise.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add an adapter to its base's weights and write one checkpoint that needs no adapter."""
    from bench.serving.checkpoint import find_checkpoint
    from bench.serving.digests import checkpoint_digest

    if not adapter.expanduser().is_dir():
        raise RequestError(f"{adapter}: no such folder; give the adapter's folder, with adapter_config.json")
    found = find_checkpoint(str(adapter))
    if found.adapter is None:
        raise RequestError(f"{adapter}: a whole model, not an adapter; there is nothing to merge")
    folder = out or found.adapter.with_name(found.adapter.name + "-merged")
    try:
        from trainers.models.adapters import merge as merge_into

        with quiet_libraries():
            merge_into(found.adapter, found.folder, folder, digest=checkpoint_digest)
    except ImportError as error:
        raise RequestError(f"bench merge needs {error.name}; install tunebench[train]") from error
    except ValueError as error:
        raise RequestError(str(error)) from error
    except Exception as error:  # torch and safetensors each have their own for a full memory and disk
        if reason := machine_reason(error):
            raise IncompleteRunError(f"{reason}; nothing was left at {folder}") from error
        raise
    digest = checkpoint_digest(folder)
    if as_json:
        print(json.dumps({"checkpoint": str(folder), "weights_digest": digest}, indent=2))
        return
    console().print(f"{folder}  weights {digest[:12]}", soft_wrap=True, markup=False, highlight=False)


def push(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint folder, model or adapter.")],
    to: Annotated[str, typer.Option(metavar="OWNER/NAME", help="Repository on the hub.")],
    data: Annotated[
        Path | None, typer.Option(help="Training folder to push along, to OWNER/NAME-data.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make new repositories private.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent; send nothing.")
    ] = False,
    log_dir: LogDir = Path("logs"),
    as_json: Json = False,
) -> None:
    """Put a checkpoint on the Hugging Face hub, with a card that says how it scores and was made."""
    from bench.publishing.push import prepare, send

    prepared = prepare(str(checkpoint), to, log_dir=log_dir, data=data)
    err = console(stderr=True)
    for note in prepared.notes:
        err.print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)
    sent = [] if dry_run else send(prepared, private=private)
    if as_json:
        content = {
            "repository": to,
            "weights_digest": prepared.checkpoint.digest,
            "files": {name: file.stat().st_size for name, file in prepared.files.items()},
            "card": prepared.card,
            "data": prepared.data[1] if prepared.data else None,
            "sent": sent,
        }
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return
    screen = console()
    for name, file in prepared.files.items():
        screen.print(f"{file.stat().st_size:>14,}  {name}", soft_wrap=True, markup=False, highlight=False)
    if dry_run:
        screen.print(f"\n{prepared.card}", soft_wrap=True, markup=False, highlight=False)
        return
    for address in sent:
        screen.print(address, soft_wrap=True, markup=False, highlight=False)
