"""What fault tests share: runs as processes, a line that can be cut, and what must hold after."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]


@pytest.fixture
def launch(environment: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Starts `corpusmith generate` as a process; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def launch(path: Path, out: Path, *options: str, api: str | None = None) -> Any:
        own = environment if api is None else {**environment, "PREFECT_API_URL": api}
        process = subprocess.Popen(
            [*COMMAND, str(path), "--out", str(out), "--quiet", *options],
            env=own,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def count_files(out: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(out))


def watch_files(process: Any, out: Path, *, until: int | None = None) -> int:
    """Wait until `until` files are there, or the process ends; return the most files seen."""
    most = 0
    while process.poll() is None:
        most = max(most, count_files(out))
        if until is not None and most >= until:
            break
        time.sleep(0.002)
    return most


@pytest.fixture(scope="session", name="count_files")
def count_files_fixture() -> Callable[[Path], int]:
    return count_files


@pytest.fixture(scope="session")
def watch() -> Callable[..., int]:
    return watch_files


@pytest.fixture(scope="session")
def assert_whole(hash_of: Any, rows_of: Any) -> Callable[..., None]:
    """Asserts what must hold after any fault: every row once, counts that add up, no orphans."""

    def check(release: Path, wanted: str) -> None:
        assert hash_of(release) == wanted
        counts = json.loads((release / "manifest.json").read_text())["rows"]
        accepted, rejected = rows_of(release), rows_of(release, "rejected")
        assert counts["accepted"] == len(accepted)
        assert sum(counts["rejected"].values()) == len(rejected)
        assert counts["generated"] == len(accepted) + len(rejected)
        assert counts["requested"] == counts["accepted"] + counts["shortfall"]
        ids = [row["id"] for row in (*accepted, *rejected)]
        assert len(set(ids)) == len(ids)
        left = {path.name for path in release.parent.iterdir() if not path.name.startswith("2")}
        assert left == {".lock", "latest.json"}
        assert not [path for path in release.rglob("*") if path.name.startswith(".")]

    return check


class Line:
    """A line to a server on loopback that can be cut: nobody answers at its end then.

    Cutting it breaks what is under way and refuses new connections, as a server does that was
    killed; mending it is the server's return to the same address.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.refused_since: float | None = None
        self.mend()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        for end in list(self._open):
            _hang_up(end)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                Thread(target=self._carry, args=(source, sink), daemon=True).start()
            if self._listener is not listener:
                _hang_up(near)

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while content := source.recv(65_536):
                sink.sendall(content)
        except OSError:
            pass
        for end in (source, sink):
            _hang_up(end)
            self._open.discard(end)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):  # its other side was faster
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@pytest.fixture
def line_to() -> Iterator[Callable[[int], Line]]:
    """Makes a line to a port on loopback; see `Line`."""
    lines: list[Line] = []

    def make(port: int) -> Line:
        lines.append(Line(port))
        return lines[-1]

    yield make
    for line in lines:
        line.cut()


@pytest.fixture(scope="session")
def moments() -> int:
    """How many random moments a test tries: few in CI, as many as asked for by `make faults`."""
    return int(os.environ.get("CORPUSMITH_KILLS", "4"))


@pytest.fixture(scope="session")
def outage_seconds(moments: int) -> float:
    """How long an endpoint stays away: a minute in `make faults`."""
    return 60.0 if moments >= 50 else 1.0


def find_children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


@pytest.fixture(scope="session")
def children_of() -> Callable[[int], list[int]]:
    return find_children


@pytest.fixture(scope="session")
def run_here() -> Callable[..., tuple[int, Path]]:
    """Runs `corpusmith generate` in this process; returns its exit code and the newest release."""

    def run_here(path: Path, out: Path, *options: str) -> tuple[int, Path]:
        from flows.cli import run

        code = run(["generate", str(path), "--out", str(out), "--quiet", *options])
        releases = sorted(out.glob("*/2*"))
        return code, releases[-1] if releases else out

    return run_here


@pytest.fixture(scope="module")
def wanted(
    request: pytest.FixtureRequest,
    prefect_api: str,
    tmp_path_factory: Any,
    write_recipe: Any,
    hash_of: Any,
    run_here: Any,
) -> str:
    """Hash of the rows that the module's `RECIPE` makes when nothing disturbs the run."""
    folder = tmp_path_factory.mktemp("wanted")
    path = write_recipe(folder / "recipe", **request.module.RECIPE)
    code, release = run_here(path, folder / "out")
    assert code == 0
    return str(hash_of(release))


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk of its own, `600k` or `20m` large; skips where that is not allowed."""
    folder, mounted = tmp_path / "disk", False

    def mount(size: str) -> Path:
        nonlocal mounted
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("may not mount a small disk")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
