"""A worker of Prefect's is killed in the middle of a scheduled run, with the run or without it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.generate import generate

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(7200)]

ROOT = Path(__file__).resolve().parents[2]
RECIPE: dict[str, Any] = {"rows": 24, "shard_size": 4, "bad": 6}
POOL = "faults"
SEED = 13
MOST_FILES = 60
PATIENCE_SECONDS = 150


@pytest.fixture
def start_worker(
    environment: dict[str, str], prefect_api: str, tmp_path: Path
) -> Iterator[Callable[[], Any]]:
    """Starts a worker of the pool; what still runs of it at the end is killed, runs included."""
    started: list[subprocess.Popen[bytes]] = []
    own = {
        "PREFECT_API_URL": prefect_api,
        "PYTHONPATH": str(ROOT),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }

    def start() -> Any:
        line = f"-m prefect worker start --pool {POOL} --type process"
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *line.split()],
                env={**environment, **own},
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def deploy(client: SyncPrefectClient, path: Path, out: Path) -> UUID:
    """Put the flow into the pool as `prefect deploy` does, with no code to fetch."""
    flow_id = client.create_flow(generate)
    return client.create_deployment(
        flow_id=flow_id,
        name=out.name,
        entrypoint="flows.generate.generate",
        parameters={"recipe": str(path), "out": str(out)},
        work_pool_name=POOL,
        path=str(ROOT),
        pull_steps=[],
    )


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"no {what} within {PATIENCE_SECONDS} s"
        time.sleep(0.002)


def released(out: Path) -> bool:
    unfinished = [*out.glob("*/.work-*"), *out.glob("*/.tmp-*")]
    return any(out.glob("*/latest.json")) and not unfinished


def test_a_worker_that_is_killed_costs_no_row(
    scripted: Any,
    start_worker: Any,
    wanted: str,
    assert_whole: Any,
    children_of: Callable[[int], list[int]],
    count_files: Callable[[Path], int],
    moments: int,
    tmp_path: Path,
) -> None:
    path, chance = scripted(**RECIPE), random.Random(SEED)

    def lose(client: SyncPrefectClient, out: Path, *, machine: bool) -> None:
        worker, until = start_worker(), chance.randint(1, MOST_FILES)
        wait_until(lambda: any(pool.name == POOL for pool in client.read_work_pools()), "pool")
        deployment = deploy(client, path, out)
        client.create_flow_run_from_deployment(deployment)
        wait_until(lambda: count_files(out) >= until or released(out), "run")
        runs = children_of(worker.pid)
        worker.kill()
        worker.wait()
        if machine:
            # The run dies with its worker, and the next one that is due goes on.
            for run in runs:
                os.kill(run, signal.SIGKILL)
            start_worker()
            client.create_flow_run_from_deployment(deployment)
        # Else the run outlives its worker.
        wait_until(lambda: released(out), "release")

    with get_client(sync_client=True) as client:
        for number in range(max(2, moments // 4)):
            out = tmp_path / f"out-{number}"
            lose(client, out, machine=bool(number % 2))
            (release,) = out.glob("*/2*")
            assert_whole(release, wanted)
