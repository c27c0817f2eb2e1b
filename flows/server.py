"""A temporary Prefect server for one run, when no other is configured.

Prefect starts one by itself, but leaves it running when the run is killed, and lets Ctrl-C reach it
before the run has said goodbye. This one dies with its parent and hears no keyboard.
"""

import logging
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from schemas.errors import RunError

_STARTUP_SECONDS = 180
_DIE_WITH_PARENT = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit(0)
import uvicorn
uvicorn.run(
    "prefect.server.api.server:create_app", factory=True, host="127.0.0.1", port=int(sys.argv[2]),
    log_level="error", lifespan="on",
)
"""


@contextmanager
def prefect_server(*, shown: bool = False) -> Iterator[None]:
    """Make sure that flows have a server: the one in `PREFECT_API_URL`, or a temporary one.

    Args:
        shown: Whether the temporary one shows its pages, for a run that lasts.

    Raises:
        RunError: CS-W002 when the server cannot be reached or the temporary one does not come up.
    """
    from prefect.settings import PREFECT_API_URL

    if (configured := PREFECT_API_URL.value()) is not None:
        _require_answer(configured)
        yield
        return
    port = _free_port()
    with TemporaryFile() as complaints:
        yield from _run_with_temporary(port, complaints, shown)


def _run_with_temporary(port: int, complaints: IO[bytes], shown: bool) -> Iterator[None]:
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    process = _start(port, complaints, shown)
    try:
        _import_meanwhile()
        _wait_until_healthy(process, port, complaints)
        # A server that dies with us has nobody to tell that we are alive, and stopping to say so
        # takes up to a second.
        own = {
            PREFECT_API_URL: f"http://127.0.0.1:{port}/api",
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        }
        with temporary_settings(own):
            try:
                yield
            finally:
                _send_last_logs()
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _require_answer(api_url: str) -> None:
    """Fail early when nobody answers at the configured address, whatever the answer."""
    try:
        with urlopen(f"{api_url.rstrip('/')}/health", timeout=30):
            return
    except HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise RunError(
            f"no Prefect server answers: {reason}",
            code="CS-W002",
            place=f"PREFECT_API_URL={api_url}",
            hint="start that server, or unset PREFECT_API_URL: a temporary one is started then",
            retryable=True,
        ) from None


def _import_meanwhile() -> None:
    """Import what a run will need: seconds, in which the server starts on another core."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about their own dependencies
        import flows.generate  # noqa: F401
        import tasks.expectations.suite  # noqa: F401


def _send_last_logs() -> None:
    """Send what is still queued; the queue would otherwise complain that its server has gone."""
    from prefect.logging.handlers import APILogHandler

    for handler in logging.getLogger("prefect.flow_runs").handlers:
        if isinstance(handler, APILogHandler):
            handler.flush()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(port: int, complaints: IO[bytes], shown: bool) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PREFECT_UI_ENABLED": str(int(shown)),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", _DIE_WITH_PARENT, str(os.getpid()), str(port)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        start_new_session=True,
    )


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, complaints: IO[bytes]) -> None:
    deadline = time.monotonic() + _STARTUP_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip().splitlines()
    raise RunError(
        f"the temporary Prefect server did not start: {said[-1] if said else 'it said nothing'}",
        code="CS-W002",
        place=f"PREFECT_HOME={os.environ.get('PREFECT_HOME', '~/.prefect')}",
        hint="see that this folder can be written, or set PREFECT_API_URL to a server of yours",
        retryable=True,
    )
