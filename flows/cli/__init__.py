"""The `corpusmith` command: one module a verb, which imports what is heavy when it runs."""

import io
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from flows.cli.audit import audit
from flows.cli.check import check
from flows.cli.compare import compare
from flows.cli.errors import show_error, unexpected_error, usage_error
from flows.cli.evaluate import evaluate
from flows.cli.generate import generate
from flows.cli.init import init
from flows.cli.noise import command as noise
from flows.cli.preview import preview
from flows.cli.push import push
from flows.cli.serve import serve
from flows.cli.strategies import strategies
from flows.cli.warning_lines import show_own_warnings
from schemas.errors import EXIT_DONE, EXIT_INTERRUPTED, CorpusmithError

app = typer.Typer(
    name="corpusmith",
    help="Make labelled synthetic text corpora: a recipe in, a released dataset and its audit out.",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (init, check, preview, generate):
    app.command()(command)
app.add_typer(noise)
app.command()(audit)
app.command()(compare)
app.command()(evaluate)
app.command()(push)
app.command()(serve)
app.command()(strategies)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("corpusmith"))
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold the options of every command; `main` reads them."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _interrupt)
    show_own_warnings()
    sys.exit(run(sys.argv[1:]))


_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # It quotes every event that a server which has gone for a while did not hear.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Its warnings quote the model's files, which are untrusted, as they are.
    "TRANSFORMERS_VERBOSITY": "critical",
}


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; `--debug` may stand anywhere."""
    debug = "--debug" in arguments
    given = [argument for argument in arguments if argument != "--debug"] or ["--help"]
    try:
        result = app(given, prog_name="corpusmith", standalone_mode=False)
        sys.stdout.flush()
    except CorpusmithError as error:
        return _fail(error, debug)
    except TyperException as error:
        return _fail(usage_error(error), debug)
    except (KeyboardInterrupt, typer.Abort):
        print("interrupted", file=sys.stderr, flush=True)
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader has seen enough, for which Typer and Rich would leave with exit code 1. Python
        # would complain when it flushes the pipe at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except Exception as error:
        return _fail(unexpected_error(error), debug)
    return result if isinstance(result, int) else EXIT_DONE


def _fail(error: CorpusmithError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    show_error(error)
    return error.exit_code


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
