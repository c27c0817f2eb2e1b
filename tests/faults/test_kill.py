"""A run that is killed again and again ends with the rows of an undisturbed one."""

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(3600)]

RECIPE: dict[str, Any] = {"rows": 24, "shard_size": 4, "bad": 6}


def finish(process: Any) -> Path:
    stdout, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
    return Path(stdout.strip())


def test_killed_runs_end_with_the_same_rows(
    scripted: Any,
    launch: Any,
    watch: Any,
    prefect_api: str,
    hash_of: Any,
    assert_whole: Any,
    moments: int,
    tmp_path: Path,
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    undisturbed = launch(path, tmp_path / "undisturbed", api=prefect_api)
    most = watch(undisturbed, tmp_path / "undisturbed")
    wanted = hash_of(finish(undisturbed))
    chance, killed = random.Random(moments), 0
    for kill in range(moments):
        # One moment in each of as many equal parts of the run as there are kills.
        until = int((kill + chance.random()) / moments * most)
        process = launch(path, out, api=prefect_api)
        watch(process, out, until=until)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
    release = finish(launch(path, out, api=prefect_api))
    assert killed > moments // 2
    assert_whole(release, wanted)
