"""The command line as a process: quiet, interruptible, alone in its folder, soon forgotten."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault]

COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]
ROOT = Path(__file__).resolve().parents[2]
SLOW: dict[str, Any] = {
    "rows": 40,
    "gates": "off",
    "lines": [{"text": "a reply that takes its time", "sleep_seconds": 0.5}],
}


def start(path: Path, out: Path, environment: dict[str, str], *options: str) -> Any:
    return subprocess.Popen(
        [*COMMAND, str(path), "--out", str(out), "--quiet", *options],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_generating(process: Any, out: Path) -> None:
    deadline = time.monotonic() + 120
    while not list(out.glob("*/.work-*/round-*/*.candidates.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "a process was left behind"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_run_with_its_own_server_is_quiet_and_leaves_nothing(
    scripted: Any, environment: dict[str, str], children_of: Any, tmp_path: Path
) -> None:
    process = start(scripted(rows=20, shard_size=4), tmp_path / "out", environment)
    servers: list[int] = []
    while process.poll() is None:
        servers = children_of(process.pid) or servers
        time.sleep(0.05)
    stdout, stderr = process.communicate()
    assert process.returncode == 0
    assert stderr == ""
    assert Path(stdout.strip()).is_dir()
    assert servers
    wait_until_gone(servers)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent-death signal")
def test_kill_9_leaves_no_server(
    scripted: Any, environment: dict[str, str], children_of: Any, tmp_path: Path
) -> None:
    process = start(scripted(**SLOW), tmp_path / "out", environment)
    wait_until_generating(process, tmp_path / "out")
    servers = children_of(process.pid)
    process.kill()
    process.communicate()
    assert servers
    wait_until_gone(servers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_at_once_and_can_be_resumed(
    number: int,
    scripted: Any,
    environment: dict[str, str],
    prefect_api: str,
    tmp_path: Path,
) -> None:
    environment["PREFECT_API_URL"] = prefect_api
    path, out = scripted(**{**SLOW, "rows": 10}), tmp_path / "out"
    process = start(path, out, environment)
    wait_until_generating(process, out)
    process.send_signal(number)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert "the same command resumes this run" in stderr
    assert "Traceback" not in stderr
    assert not list(out.glob("*/.work-*/round-*/*.candidates.parquet")), "it waited for the shard"
    resumed = start(path, out, environment, "--resume", "always")
    _, stderr = resumed.communicate()
    assert (resumed.returncode, stderr) == (0, "")


def test_two_runs_at_once_and_a_lock_that_dies_with_its_holder(
    scripted: Any, environment: dict[str, str], prefect_api: str, tmp_path: Path
) -> None:
    environment["PREFECT_API_URL"] = prefect_api
    out = tmp_path / "out"
    path = scripted(**SLOW)
    first = start(path, out, environment)
    wait_until_generating(first, out)
    second = start(path, out, environment)
    _, stderr = second.communicate()
    assert second.returncode == 2
    assert "CS-O002" in stderr
    first.kill()
    first.communicate()
    third = start(scripted(rows=4, bad=0, gates="off"), out, environment)
    _, stderr = third.communicate()
    assert (third.returncode, stderr) == (0, "")


def test_a_failed_gate_exits_1(
    scripted: Any, environment: dict[str, str], prefect_api: str, tmp_path: Path
) -> None:
    environment["PREFECT_API_URL"] = prefect_api
    path = scripted(rows=3, gates={"row": {"chars": [900, 999]}}, budget={"attempts_per_row": 1})
    process = start(path, tmp_path / "out", environment)
    stdout, stderr = process.communicate()
    assert process.returncode == 1
    assert stdout == ""
    assert stderr.startswith("error[CS-V002]")
    assert "Traceback" not in stderr


def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(
    mount_disk: Any, scripted: Any, environment: dict[str, str], prefect_api: str
) -> None:
    environment["PREFECT_API_URL"] = prefect_api
    path, small_disk = scripted(rows=60, shard_size=4, gates="off"), mount_disk("600k")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    full = start(path, small_disk, environment)
    _, stderr = full.communicate()
    assert full.returncode == 3, stderr
    assert stderr.startswith("error[CS-O004]")
    assert "Traceback" not in stderr
    done = len(list(small_disk.glob("scripted/.work-*/round-*/*.parquet")))
    assert done
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    again = start(path, small_disk, environment, "--resume", "always")
    stdout, stderr = again.communicate()
    assert (again.returncode, stderr) == (0, "")
    manifest = json.loads((Path(stdout.strip()) / "manifest.json").read_text())
    assert manifest["rows"]["accepted"] == 60
