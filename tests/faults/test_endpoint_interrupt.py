"""Ctrl-C in the middle of an endpoint's replies, as a process: it ends at once and resumes."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.slow]

COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]
ROOT = Path(__file__).resolve().parents[2]
ROWS = 12


def sentence(body: dict[str, Any]) -> str:
    """A sentence that no other seed gets."""
    return " ".join(f"w{(body['seed'] * 7919 + place * 104729) % 99_991}" for place in range(7))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_stopped_asks_only_for_what_is_missing(
    how: signal.Signals,
    scripted: Any,
    endpoint: Any,
    environment: dict[str, str],
    prefect_api: str,
    tmp_path: Path,
) -> None:
    endpoint.answer = lambda number, body: {
        **endpoint.chat(sentence(body)),
        "seconds": 0 if number < ROWS // 2 else 60,
    }
    path = scripted(
        rows=ROWS,
        model={"backend": "openai", "name": "m", "base_url": endpoint.url, "concurrency": 3},
        strategies=[{"kind": "greedy"}],
        noise=None,
    )
    command = [*COMMAND, str(path), "--out", str(tmp_path / "out"), "--quiet"]
    own = {**environment, "PREFECT_API_URL": prefect_api}
    process = subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while endpoint.in_flight < 3 or len(endpoint.bodies) < ROWS // 2 + 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(how)
    process.communicate(timeout=20)
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
    before = len(endpoint.bodies)
    endpoint.answer = lambda number, body: endpoint.chat(sentence(body))
    subprocess.run(command, cwd=ROOT, env=own, check=True, capture_output=True, timeout=120)
    assert len(endpoint.bodies) - before == ROWS - ROWS // 2
    assert len({body["seed"] for body in endpoint.bodies}) == ROWS
