"""A temporary Prefect server for one run, when no other is configured.

Prefect starts one by itself, but leaves it running when the run is killed, and lets Ctrl-C reach it
before the run has said goodbye. This one dies with its parent, hears no keyboard, and comes back on
the same port when it dies alone: Prefect's client waits about a minute for a server that was there.
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
from threading import Lock, Thread
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from schemas.errors import RunError

_STARTUP_SECONDS = 180
_MOST_RESTARTS = 5
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


class ServerLostError(RunError):
    """The server of a run went away and stayed away."""


@contextmanager
def prefect_server(*, shown: bool = False) -> Iterator[None]:
    """Make sure that flows have a server: the one in `PREFECT_API_URL`, or a temporary one.

    Args:
        shown: Whether the temporary one shows its pages, for a run that lasts.

    Raises:
        RunError: CS-W002 when the server cannot be reached or the temporary one does not come up;
            a `ServerLostError` when either goes away for longer than a minute.
    """
    from httpx import TransportError
    from prefect.settings import PREFECT_API_URL

    try:
        if (configured := PREFECT_API_URL.value()) is not None:
            _require_answer(configured)
            yield
        else:
            with TemporaryFile() as complaints:
                yield from _run_with_temporary(_free_port(), complaints, shown)
    except TransportError as error:
        raise ServerLostError(
            f"the Prefect server went away: {str(error) or type(error).__name__}",
            code="CS-W002",
            place=f"PREFECT_API_URL={configured}" if configured else "the temporary server",
            hint="see that it runs; the same command resumes the run",
            retryable=True,
        ) from error


def _run_with_temporary(port: int, complaints: IO[bytes], shown: bool) -> Iterator[None]:
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    server = _TemporaryServer(port, complaints, shown=shown)
    try:
        _import_meanwhile()
        _wait_until_healthy(server.process, port, complaints)
        server.keep_alive()
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
        server.stop()


class _TemporaryServer:
    """The process of a temporary server."""

    def __init__(self, port: int, complaints: IO[bytes], *, shown: bool) -> None:
        self._port, self._complaints, self._shown = port, complaints, shown
        self._lock, self._stopping = Lock(), False
        self.process = _start(port, complaints, shown)

    def keep_alive(self) -> None:
        """Start it again, some times, whenever it dies before it is stopped."""
        # What a thread starts is killed by Linux once the thread ends: this one stays.
        Thread(target=self._restart, name="temporary-server", daemon=True).start()

    def _restart(self) -> None:
        for left in range(_MOST_RESTARTS, -1, -1):
            self.process.wait()
            with self._lock:
                if self._stopping or not left:
                    return
                self.process = _start(self._port, self._complaints, self._shown)

    def stop(self) -> None:
        """End it, by force when it does not end within ten seconds."""
        with self._lock:
            self._stopping = True
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


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
