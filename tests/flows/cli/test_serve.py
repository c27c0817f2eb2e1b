"""`corpusmith serve`: what is wrong is said at once, and what is right runs until it is stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from flows.cli import run

MAIN = [sys.executable, "-c", "from flows.cli import main; main()"]
T = TypeVar("T")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cron", "at night"], "'at night' is no cron expression"),
        (["--cron", "61 * * * *"], "'61 * * * *' is no cron expression"),
        (["--cron", ""], "'' is no cron expression"),
        (["--cron", "0 2 * * *", "--timezone", "Mars"], "there is no time zone 'Mars'"),
        ([], "missing option '--cron'"),
        (["--cron", "0 2 * * *", "--keep", "0"], "--keep"),
    ],
)
def test_a_wrong_schedule_is_one_error_before_anything_starts(
    options: list[str], said: str, scripted: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", str(scripted()), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error[CS-I001]")
    assert said in error
    assert len(error.splitlines()) == 3


def test_a_wrong_recipe_is_said_at_once_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", str(tmp_path / "r.yaml"), "--cron", "0 2 * * *", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("error[CS-R001]")


def wait_for(find: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.25)
    pytest.fail("it did not come")


@pytest.mark.flow
@pytest.mark.slow
def test_it_serves_until_it_is_stopped(
    scripted: Any, environment: dict[str, str], prefect_api: str, tmp_path: Path
) -> None:
    path = scripted(name="served", rows=4, bad=0, gates="off")
    arguments = [*MAIN, "serve", str(path), "--cron", "0 2 29 2 *", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*arguments, "--set", "seed=9", "--keep", "2"],
        env={**environment, "PREFECT_API_URL": prefect_api},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with get_client(sync_client=True) as client:

        def deployed() -> Any:
            try:
                return client.read_deployment_by_name("generate/served")
            except ObjectNotFound:
                assert process.poll() is None
                return None

        deployment = wait_for(deployed)
        assert deployment.parameters["overrides"] == ["seed=9"]
        assert Path(deployment.parameters["recipe"]).is_absolute()
        assert deployment.schedules[0].schedule.timezone == "UTC"
        run_id = client.create_flow_run_from_deployment(deployment.id).id
        wait_for(lambda: client.read_flow_run(run_id).end_time)
        state = client.read_flow_run(run_id).state
        assert state is not None
        assert state.name == "Completed", state.message
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
        assert client.read_deployment(deployment.id).paused, "nobody would start its runs"
    assert (process.returncode, stdout) == (0, "")
    assert "served: serving generate/served, 0 2 29 2 * UTC" in stderr
    assert "Traceback" not in stderr
    (release,) = (tmp_path / "out" / "served").glob("2*")
    assert (release / "report.html").is_file()
