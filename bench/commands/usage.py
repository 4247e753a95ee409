"""What is wrong with a command line, in our words: what, given, allowed, next step."""

from __future__ import annotations

import re
from typing import Any

from bench.errors import did_you_mean


def usage_message(error: Any) -> str:
    """One line for a usage error of typer (or of click, which older versions of typer raise)."""
    command = error.ctx.command_path if error.ctx else "bench"
    return f"{command}: {_what(error)} (see {command} --help)"


def _what(error: Any) -> str:
    match type(error).__name__:
        case "NoSuchOption":
            known = [name for one in error.ctx.command.params for name in (*one.opts, *one.secondary_opts)]
            near = did_you_mean(error.option_name, [*known, *error.ctx.help_option_names])
            return f"no option {error.option_name}{near}"
        case "BadOptionUsage":
            return f"{error.option_name}: the value is missing"
        case "MissingParameter":
            says = getattr(error.param, "help", None)
            return f"{_name(error.param)} is missing" + (f": {says.rstrip('.')}" if says else "")
        case "BadParameter" if error.param is not None:
            return f"{_name(error.param)}{_given(error)}: {_complaint(error.message)}"
        case _:
            said = str(error.format_message()).strip().rstrip(".")
            return said[:1].lower() + said[1:]


def _name(parameter: Any) -> str:
    """An option as it is written, an argument as the help calls it."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name)
    return str(max(parameter.opts, key=len))


def _given(error: Any) -> str:
    """The value that was refused, where the error still has it."""
    details: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    return f" {details[0]['input']}" if details and isinstance(details[0].get("input"), str) else ""


def _complaint(message: str) -> str:
    """``should be a valid integer``, without the words about how it was read."""
    said = message.removeprefix("Value error, ").strip().rstrip(".")
    said = re.sub(r", unable to .*$", "", said).replace("Input should", "should")
    value, *allowed = re.findall(r"'([^']*)'", said) or [""]
    return said + did_you_mean(value, allowed)
