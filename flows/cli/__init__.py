"""The `corpusmith` command: one module a verb. Everything heavy is imported inside the verb that needs it."""

import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from flows.cli.check import check
from flows.cli.errors import show_error
from flows.cli.generate import generate
from flows.cli.init import init
from flows.cli.preview import preview
from flows.cli.strategies import strategies
from schemas.errors import EXIT_INTERRUPTED, EXIT_RUN_FAILED, CorpusmithError, InputError, RunError

app = typer.Typer(
    name="corpusmith",
    help="Make labelled synthetic text corpora: a recipe in, a released dataset with its audit out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (init, check, preview, generate, strategies):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("corpusmith"))
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold the options of every command; `main` reads them."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    signal.signal(signal.SIGTERM, _interrupt)
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)


_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; `--debug` may stand anywhere."""
    debug = "--debug" in arguments
    try:
        result = app([a for a in arguments if a != "--debug"], standalone_mode=False)
    except CorpusmithError as error:
        return _fail(error, debug)
    except TyperException as error:
        return _fail(_usage(error), debug)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted; the same command resumes this run", file=sys.stderr, flush=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the reader has gone; nothing may be written
        return EXIT_RUN_FAILED
    except Exception as error:
        return _fail(_unexpected(error), debug)
    return result if isinstance(result, int) else 0


def _fail(error: CorpusmithError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    show_error(error)
    return error.exit_code


def _usage(error: TyperException) -> InputError:
    message = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "corpusmith")
    return InputError(
        message.rstrip(".").replace("\n", " "),
        code="CS-I001",
        place="command line",
        hint=f"`{command} --help` shows what it takes",
    )


def _unexpected(error: Exception) -> RunError:
    return RunError(
        f"{type(error).__name__}: {error}",
        code="CS-X001",
        hint="the same command resumes the run; with --debug it shows the traceback for a bug report",
    )


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
