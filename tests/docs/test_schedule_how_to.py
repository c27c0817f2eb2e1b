"""The schedule how-to, step by step: a real server, worker and schedule, and a real message."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.server import _free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "schedule.md").read_text("utf-8")
COMMANDS = re.findall(r"^ *\$ (prefect .*)$", PAGE, re.MULTILINE)
SERVER, WORKER, DEPLOY = COMMANDS
PATIENCE_SECONDS = 120
"""Far beyond what anything here takes: a test that waits this long fails."""
TAGGED_RUNS = """
import sys
from pathlib import Path
from prefect import tags
from flows.generate import generate
from schemas.errors import GateError
out, *recipes = map(Path, sys.argv[1:])
with tags("corpusmith"):
    for recipe in recipes:
        try:
            generate(recipe, out)
        except GateError:
            print("failed")
"""
T = TypeVar("T")

pytestmark = [pytest.mark.flow, pytest.mark.slow]


def command(line: str, *more: str) -> list[str]:
    return [sys.executable, "-m", *line.split(), *more]


@contextmanager
def running(arguments: list[str], *, log: Path, **settings: Any) -> Iterator[None]:
    """A process that is ended with the block; what it said is printed when the test fails."""
    with log.open("wb") as said:
        process = subprocess.Popen(arguments, stdout=said, stderr=said, **settings)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-6000:]}")


def wait_for(find: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.25)
    pytest.fail(f"no {what} within {PATIENCE_SECONDS} s")


def answers(address: str) -> bool | None:
    try:
        with urlopen(address, timeout=5) as reply:
            return True if reply.status == 200 else None
    except OSError:
        return None


def deployments(folder: Path, recipe: Path) -> Path:
    """The shipped deployments, with a recipe of the test's and a schedule of seconds."""
    shipped = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    crons = [one["schedules"][0]["cron"] for one in shipped["deployments"]]
    assert crons == ["0 2 * * *", "0 6 * * 1", "0 7 * * 1"]
    nightly, weekly, _ = shipped["deployments"]
    nightly["schedules"] = [{"interval": 10}]
    nightly["parameters"] |= {"recipe": str(recipe), "out": "out"}
    weekly["parameters"] |= {"data": "out/scripted", "out": "out/audit"}
    path = folder / "prefect.yaml"
    path.write_text(yaml.safe_dump(shipped), encoding="utf-8")
    return path


def run_in_state(client: SyncPrefectClient, name: str) -> Callable[[], FlowRun | None]:
    def find() -> FlowRun | None:
        state = FlowRunFilterState(name=FlowRunFilterStateName(any_=[name]))
        runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state), limit=1)
        return runs[0] if runs else None

    return find


def generating(client: SyncPrefectClient, out: Path) -> Callable[[], FlowRun | None]:
    """Find the run whose model is at work: prompts stand, and nothing after them can."""
    running = run_in_state(client, "Running")
    return lambda: running() if any(out.glob("*/.work-*/round-*/*.prompts.parquet")) else None


def artifacts_of(client: SyncPrefectClient, run: FlowRun) -> dict[str, str]:
    own = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
    return {str(found.key): str(found.data) for found in client.read_artifacts(artifact_filter=own)}


@dataclass(frozen=True)
class Server:
    """A server as a newcomer starts it; `settings` are those of processes beside it."""

    url: str
    folder: Path
    settings: dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("schedule")
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **kept,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_CLI_PROMPT": "false",
        "PYTHONPATH": str(ROOT),
        # A shell sets it when it enters the folder of prefect.yaml.
        "PWD": str(folder),
    }
    settings: dict[str, Any] = {"env": environment, "cwd": folder}
    with (
        running(command(SERVER), log=folder / "server.log", **settings),
        temporary_settings({PREFECT_API_URL: url, PREFECT_HOME: folder / "home"}),
    ):
        wait_for(lambda: answers(f"{url}/health"), "server")
        yield Server(url, folder, settings)


def test_from_the_first_server_to_a_scheduled_run_and_a_failed_gate(
    server: Server, write_recipe: Any
) -> None:
    plain: dict[str, Any] = {
        "rows": 6,
        "bad": 0,
        "labels": {"alpha": "says the first", "beta": "says the second"},
        "gates": {"row": {}, "dataset": "off"},
    }
    recipe = write_recipe(server.folder / "recipe", **plain)
    assert answers(server.url.removesuffix("/api")), "the pages that show the runs"
    with (
        running(command(WORKER), log=server.folder / "worker.log", **server.settings),
        get_client(sync_client=True) as client,
    ):
        wait_for(lambda: client.read_work_pools() or None, "work pool")
        deployments(server.folder, recipe)
        subprocess.run(command(DEPLOY), check=True, capture_output=True, **server.settings)
        done = wait_for(run_in_state(client, "Completed"), "release")
        shown = artifacts_of(client, done)
        assert set(shown) == {f"scripted-{what}" for what in ("progress", "counts", "release")}
        assert '"accepted", "rows": 6' in shown["scripted-counts"]
        assert float(shown["scripted-progress"]) == 100
        (release,) = (server.folder / "out" / "scripted").glob("*-*")
        assert f"{release.name}: pass" in shown["scripted-release"]
        assert (release / "report.html").as_uri() in shown["scripted-release"]
        assert "corpusmith" in done.tags
        write_recipe(server.folder / "recipe", **{**plain, "gates": {"dataset": {"distinct_2": 1}}})
        failed = wait_for(run_in_state(client, "GateFailed"), "failed gate")
        assert "distinct_2 | **fail**" in artifacts_of(client, failed)["scripted-release"]
        assert failed.state is not None
        assert "-failed/report.html" in str(failed.state.message)
        slow = [{"label": label, "text": "slow", "sleep_seconds": 600} for label in plain["labels"]]
        write_recipe(server.folder / "recipe", **{**plain, "lines": slow})
        working = wait_for(generating(client, server.folder / "out"), "run at work")
        os.kill(int(str(working.infrastructure_pid).rpartition(":")[2]), signal.SIGKILL)
        crashed = wait_for(run_in_state(client, "Crashed"), "crash")
        assert crashed.id == working.id


def test_whoever_is_on_call_is_told_what_happened(
    server: Server,
    write_recipe: Any,
    endpoint: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONCALL_URL", endpoint.url)
    endpoint.answer = lambda number, body: {"content": b"{}"}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], {})
    short = {"gates": {"row": {"chars": [900, 999]}}, "budget": {"attempts_per_row": 1}}
    good = write_recipe(tmp_path / "good", rows=3, bad=0, gates="off")
    bad = write_recipe(tmp_path / "bad", rows=3, bad=0, **short)
    subprocess.run(
        [sys.executable, "-c", TAGGED_RUNS, str(tmp_path / "out"), str(good), str(bad)],
        check=True,
        capture_output=True,
        **server.settings,
    )

    def told() -> dict[str, Any] | None:
        return next((body for body in endpoint.bodies if body["state"] == "Shortfall"), None)

    body = wait_for(told, "message")
    assert {"Completed", "Unchanged"}.isdisjoint(body["state"] for body in endpoint.bodies)
    assert body["message"].startswith("CS-V002: 3 of 3 rows are missing")
    assert "-failed/report.html" in body["message"]
    assert "/runs/flow-run/" in body["page"]
