"""One error, one block: the code, what is wrong and where, what to do."""

import errno
import logging
import sys
from difflib import get_close_matches
from typing import Any

from typer.exceptions import TyperException

from flows.logs import as_json, say_outside
from schemas.errors import CorpusmithError, InputError, RunError
from schemas.yaml_source import printable


def show_error(error: CorpusmithError) -> None:
    """Print an error as one short block on stderr; a line end within a part cannot fake another.

    With `CORPUSMITH_LOG=json` it is a record like all others.
    """
    if as_json():
        body = f"{error.code}: {error.message}"
        parts = {"code": error.code, "place": error.place, "hint": error.hint}
        say_outside("command.failed", body, level=logging.ERROR, **parts)
        return
    lines = [f"error[{error.code}]: {printable(error.message)}"]
    if error.place:
        lines.append(f"  where: {printable(error.place)}")
    if error.hint:
        lines.append(f"  to do: {printable(error.hint)}")
    print("\n".join(lines), file=sys.stderr, flush=True)


def unexpected_error(error: Exception) -> RunError:
    """Say what nobody foresaw, in the same form as any other error."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(
            "the disk is full",
            code="CS-O004",
            place=str(error.filename or ""),
            hint="free some space; the same command resumes the run",
        )
    if isinstance(error, MemoryError):
        return RunError(
            f"out of memory: {str(error) or type(error).__name__}",
            code="CS-W003",
            hint="lower shard_size or audit.rows, or close other programs; "
            "the same command resumes the run",
        )
    return RunError(
        f"{type(error).__name__}: {error}",
        code="CS-X001",
        hint="report it with the traceback that --debug shows; "
        "what a run has made is kept, and the same command resumes it",
    )


def usage_error(error: TyperException) -> InputError:
    """Say in plain words what is wrong with the command line, and what was probably meant."""
    context: Any = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "corpusmith")
    option = getattr(error, "option_name", None) or _option_of(getattr(error, "param", None))
    sentence = getattr(error, "format_message", lambda: str(error))()
    message, _, meant = sentence.partition(" Did you mean ")
    near = meant.rstrip("?").replace("'", "`")
    if context is not None and hasattr(error, "possibilities"):
        message = f"there is no option {option}"
        known = [name for param in context.command.get_params(context) for name in param.opts]
        near = ", ".join(f"`{name}`" for name in get_close_matches(option, known, n=1))
    return InputError(
        _plain(message),
        code="CS-I001",
        place=option or command,
        hint=(f"did you mean {near}? " if near else "") + f"`{command} --help` shows what it takes",
    )


def _option_of(parameter: Any) -> str:
    names = getattr(parameter, "opts", ())
    return max((name for name in names if name.startswith("-")), key=len, default="")


def _plain(message: str) -> str:
    """Turn the libraries' phrases into this project's."""
    for theirs, ours in (
        ("Value error, ", ""),
        ("Input should be greater than or equal to", "must be at least"),
        ("Input should be less than or equal to", "must be at most"),
        ("Input should be a valid integer", "must be a whole number"),
        (", unable to parse string as an integer", ""),
        ("Input should", "must"),
    ):
        message = message.replace(theirs, ours)
    message = " ".join(message.split()).rstrip(".")
    return message[:1].lower() + message[1:]
