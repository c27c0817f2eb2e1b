"""A run that is killed again and again ends with the rows of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.slow]

KILLS = int(os.environ.get("CORPUSMITH_KILLS", "4"))
ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]
RECIPE: dict[str, Any] = {"rows": 24, "shard_size": 4, "bad": 6}


def start(path: Path, out: Path, environment: dict[str, str]) -> Any:
    return subprocess.Popen(
        [*COMMAND, str(path), "--out", str(out), "--quiet"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(path: Path, out: Path, environment: dict[str, str]) -> Path:
    process = start(path, out, environment)
    stdout, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
    return Path(stdout.strip())


def count_files(out: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(out))


def watch(process: Any, out: Path, *, until: int | None = None) -> int:
    """Wait until `until` files are there, or the process ends; return the most files seen."""
    most = 0
    while process.poll() is None:
        most = max(most, count_files(out))
        if until is not None and most >= until:
            break
        time.sleep(0.002)
    return most


def test_killed_runs_end_with_the_same_rows(
    scripted: Any, environment: dict[str, str], prefect_api: str, hash_of: Any, tmp_path: Path
) -> None:
    environment["PREFECT_API_URL"] = prefect_api
    path = scripted(**RECIPE)
    undisturbed = start(path, tmp_path / "undisturbed", environment)
    most = watch(undisturbed, tmp_path / "undisturbed")
    stdout, stderr = undisturbed.communicate()
    assert (undisturbed.returncode, stderr) == (0, "")
    wanted = hash_of(Path(stdout.strip()))
    out = tmp_path / "out"
    chance, killed = random.Random(KILLS), 0
    for kill in range(KILLS):
        # One moment in each of as many equal parts of the run as there are kills.
        until = int((kill + chance.random()) / KILLS * most)
        process = start(path, out, environment)
        watch(process, out, until=until)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    release = finish(path, out, environment)
    assert killed > KILLS // 2
    assert hash_of(release) == wanted
    left = {path.name for path in (out / "scripted").iterdir() if not path.name.startswith("2")}
    assert left == {".lock", "latest.json"}
