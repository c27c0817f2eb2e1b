"""The Prefect server goes away in the middle of a run: for a while, or killed."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(7200)]

RECIPE: dict[str, Any] = {"rows": 24, "shard_size": 4, "bad": 6}
SEED = 11
MOST_FILES = 60


def test_a_server_that_goes_and_comes_back_is_waited_for(
    scripted: Any,
    launch: Any,
    watch: Any,
    wanted: str,
    assert_whole: Any,
    prefect_api: str,
    line_to: Any,
    moments: int,
    tmp_path: Path,
) -> None:
    path, chance = scripted(**RECIPE), random.Random(SEED)
    port = urlsplit(prefect_api).port
    for number in range(max(1, moments // 4)):
        line, out = line_to(port), tmp_path / f"out-{number}"
        process = launch(path, out, api=f"http://127.0.0.1:{line.port}/api")
        watch(process, out, until=int(chance.random() * MOST_FILES))
        line.cut()
        process_waits(process)
        line.mend()
        stdout, _ = process.communicate(timeout=150)
        assert process.returncode == 0
        assert_whole(Path(stdout.strip()), wanted)


def process_waits(process: Any) -> None:
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return


def test_a_temporary_server_that_is_killed_is_started_again(
    scripted: Any,
    launch: Any,
    watch: Any,
    wanted: str,
    assert_whole: Any,
    children_of: Callable[[int], list[int]],
    moments: int,
    tmp_path: Path,
) -> None:
    path, chance = scripted(**RECIPE), random.Random(SEED)
    for number in range(max(1, moments // 4)):
        out = tmp_path / f"out-{number}"
        process = launch(path, out)
        watch(process, out, until=1 + int(chance.random() * MOST_FILES))
        for server in children_of(process.pid):
            os.kill(server, signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=150)
        assert process.returncode == 0
        # Prefect says that it lost some of its log lines; nothing else is said.
        assert "error[" not in stderr
        assert "Traceback" not in stderr
        assert_whole(Path(stdout.strip()), wanted)


def test_a_server_that_stays_away_ends_the_run_which_can_be_resumed(
    scripted: Any,
    launch: Any,
    watch: Any,
    wanted: str,
    assert_whole: Any,
    prefect_api: str,
    line_to: Any,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment[PREFECT_CLIENT_MAX_RETRIES.name] = "0"
    path, out = scripted(**RECIPE), tmp_path / "out"
    line = line_to(urlsplit(prefect_api).port)
    process = launch(path, out, api=f"http://127.0.0.1:{line.port}/api")
    watch(process, out, until=MOST_FILES // 3)
    line.cut()
    _, stderr = process.communicate(timeout=150)
    assert process.returncode == 3
    assert "error[CS-W002]: the Prefect server went away" in stderr
    assert "Traceback" not in stderr
    line.mend()
    resumed = launch(path, out, api=f"http://127.0.0.1:{line.port}/api")
    stdout, stderr = resumed.communicate(timeout=150)
    assert (resumed.returncode, stderr) == (0, "")
    assert_whole(Path(stdout.strip()), wanted)
