"""Workers of a cluster make the rows that threads make, whatever happens to them on the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import ValidationError

from flows import policies, runners
from flows.cluster_faults import require_answer
from flows.crews import run_by_name
from flows.generate import generate, run_round
from flows.runners import Runner, check_runner
from schemas.errors import InputError, RunError
from tasks.planning.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()", "generate"]
RAY = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block"]
NODE = "--disable-usage-stats --num-cpus=1 --object-store-memory=100000000 --min-worker-port=0"
NODE += " --max-worker-port=0 --dashboard-agent-listen-port=0"
Launch = Callable[..., "subprocess.Popen[str]"]


def descendants(pid: int) -> list[int]:
    """Every process that a process started, and those that they did."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = list(children.get(pid, []))
    for one in found:
        found += children.get(one, [])
    return found


def kill_whole(process: "subprocess.Popen[str]") -> None:
    """Kill a process with all that it started, as the loss of its machine does."""
    for pid in [*descendants(process.pid), process.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def launch(environment: dict[str, str], prefect_api: str) -> Iterator[Launch]:
    """Starts `corpusmith generate` as a process; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    own = {**environment, "PREFECT_API_URL": prefect_api}

    def launch(path: Path, out: Path, *options: str, **more: str) -> Any:
        command = [*COMMAND, str(path), "--out", str(out), "--quiet", *options]
        started.append(start(command, {**own, **more}))
        return started[-1]

    yield launch
    for process in started:
        if process.poll() is None:
            kill_whole(process)


def finish(process: "subprocess.Popen[str]") -> Path:
    """Wait for the release of a run; it prints its path and nothing else."""
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return Path(said.splitlines()[-1])


def wait_for(out: Path, pattern: str, *, number: int, process: "subprocess.Popen[str]") -> None:
    while len(list(out.glob(pattern))) < number:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.flow
@pytest.mark.slow
@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_a_cluster_on_this_machine_makes_the_same_rows(
    runner: str, launch: Launch, hash_of: Any, tmp_path: Path
) -> None:
    recipe = {
        "name": "starter",
        "rows": 12,
        "labels": {"card_arrival": "asks when a new card arrives", "lost_card": "lost a card"},
        "strategies": [{"kind": "nucleus", "top_p": 0.9, "length": {"max": 12}}],
        "model": {"deterministic": "strict"},
        "gates": "off",
        "audit": "off",
        "shard_size": 3,
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    process = launch(path, tmp_path / "out", "--runner", runner, "--workers", "2")
    seen: set[int] = set()
    while process.poll() is None:
        seen |= set(descendants(process.pid))
        time.sleep(0.1)
    assert hash_of(finish(process)) == hash_of(generate(path, tmp_path / "threads"))
    assert len(seen) >= 2, "no worker was seen"
    assert not [pid for pid in seen if alive(pid)], "the cluster outlived the run"


@pytest.mark.flow
@pytest.mark.slow
def test_an_interrupt_is_quick_and_threads_go_on_where_ray_stopped(
    scripted: Any, launch: Launch, hash_of: Any, tmp_path: Path
) -> None:
    path, out = scripted(rows=80, good=200, shard_size=4), tmp_path / "out"
    process = launch(path, out, "--runner", "ray", "--workers", "2")
    wait_for(out, "*/.work-*/*/*.candidates.parquet", number=2, process=process)
    workers = descendants(process.pid)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command resumes this run" in said
    deadline = time.monotonic() + 20
    while any(map(alive, workers)):
        assert time.monotonic() < deadline, "the cluster outlived the run"
        time.sleep(0.1)
    resumed = generate(path, out, resume="always")
    assert hash_of(resumed) == hash_of(generate(path, tmp_path / "threads"))


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[tuple[str, dict[str, str], list["subprocess.Popen[str]"]]]:
    """A real Ray cluster of two nodes; its address, what a driver needs, and the two processes."""
    with socket.socket() as probe, socket.socket() as another:
        probe.bind(("127.0.0.1", 0))
        another.bind(("127.0.0.1", 0))
        port, client = probe.getsockname()[1], another.getsockname()[1]
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 2}
    environment = {**os.environ, **own, "RAY_USAGE_STATS_ENABLED": "0"}
    # Short: the names of sockets have room for 107 bytes.
    with TemporaryDirectory(dir="/tmp", prefix="ray", ignore_cleanup_errors=True) as folder:
        head = f"--head --port={port} --ray-client-server-port={client} --temp-dir={folder}"
        nodes = [start([*RAY, *f"{head} --include-dashboard=false {NODE}".split()], environment)]
        try:
            wait_for_port(port, nodes[0])
            second = f"--address=127.0.0.1:{port} {NODE}"
            nodes.append(start([*RAY, *second.split()], environment))
            yield f"127.0.0.1:{port}", own, nodes
        finally:
            for node in nodes:
                kill_whole(node)


def wait_for_port(port: int, process: "subprocess.Popen[str]") -> None:
    while True:
        assert process.poll() is None, process.communicate()[0]
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.2)


@pytest.mark.flow
@pytest.mark.slow
@pytest.mark.fault
def test_a_node_that_dies_takes_no_row_with_it(
    two_nodes: Any, scripted: Any, launch: Launch, hash_of: Any, tmp_path: Path
) -> None:
    address, own, nodes = two_nodes
    path, out = scripted(rows=80, good=200, shard_size=4), tmp_path / "out"
    process = launch(path, out, "--runner", "ray", "--address", address, **own)
    wait_for(out, "*/.work-*/*/*.candidates.parquet", number=3, process=process)
    at_work = [pid for pid in descendants(nodes[1].pid) if b"ray::" in name_of(pid)]
    kill_whole(nodes[1])
    release = finish(process)
    assert at_work, "the second node had no part in it"
    assert hash_of(release) == hash_of(generate(path, tmp_path / "threads"))


def name_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class Watched:
    """A crew that works at once and notes what it was told; its model has yet to be asked."""

    def __init__(self, ahead: int, fails_at: int | None) -> None:
        self.ahead, self._fails_at = ahead, fails_at
        self.open = self.most_open = 0
        self.rendered: list[int] = []
        self.scored: list[int] = []
        self.settled: list[Any] | None = None

    def submit(self, task: Any, folder: Path, *arguments: Any) -> Any:
        if task.name == "render_prompts":
            self.rendered.append(arguments[1])
            return SimpleNamespace(result=lambda: arguments[1])
        self.scored.append(arguments[0])
        return SimpleNamespace(result=lambda: ("scored", arguments[0]))

    def generate(self, folder: Path, prompts: Any) -> Any:
        self.open += 1
        self.most_open = max(self.most_open, self.open)

        def claim() -> Any:
            if prompts == self._fails_at:
                raise ConnectionError("the endpoint is gone")
            self.open -= 1
            return prompts

        return claim

    def settle(self, futures: Any) -> None:
        self.settled = list(futures)


@settings(deadline=None, max_examples=60)
@given(shards=st.integers(1, 12), ahead=st.integers(0, 15), fails_at=st.none() | st.integers(0, 11))
def test_a_round_asks_for_every_shard_once_and_for_few_at_a_time(
    shards: int, ahead: int, fails_at: int | None
) -> None:
    selected: list[Any] = []
    crew = Watched(ahead, fails_at)
    fails = fails_at is not None and fails_at < shards
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "patient", lambda task: lambda *given: selected.append(given[-1]))
        expected = pytest.raises(ConnectionError) if fails else nullcontext()
        with expected:
            run_round(
                Workspace(Path("work")),
                0,
                shards,
                board=SimpleNamespace(update=lambda **force: None),  # type: ignore[arg-type]
                crew=crew,  # type: ignore[arg-type]
            )
    assert crew.most_open <= ahead + 1
    assert crew.settled is not None
    assert len(crew.settled) == len(crew.rendered) + len(crew.scored)
    done = list(range(fails_at if fails and fails_at is not None else shards))
    assert crew.scored == done
    if not fails:
        assert crew.most_open == min(ahead + 1, shards)
        assert crew.rendered == done
        assert selected == [[("scored", shard) for shard in done]]


def test_a_task_of_other_versions_is_refused() -> None:
    task = ("tasks.plan_rows", "plan_rows", ["nowhere", 0])
    with pytest.raises(RunError, match="other versions") as caught:
        run_by_name(*task, versions="0" * 64)
    assert caught.value.code == "CS-W004"
    assert not caught.value.retryable


@pytest.mark.parametrize("kind", ["ray", "dask"])
def test_a_cluster_that_does_not_answer_is_named(kind: Any) -> None:
    with pytest.raises(RunError, match="cannot be reached") as caught:
        require_answer(Runner(kind=kind, address="127.0.0.1:9"))
    assert caught.value.code == "CS-W004"
    assert "127.0.0.1:9" in caught.value.place


@pytest.mark.parametrize(
    ("runner", "code", "said"),
    [
        (Runner(workers=2), "CS-I001", "threads have no"),
        (Runner(address="127.0.0.1:1"), "CS-I001", "threads have no"),
        (Runner(kind="ray", address="auto"), "CS-I001", "no address"),
        (Runner(kind="dask", address="tcp://here:port"), "CS-I001", "no address"),
        (Runner(kind="ray", address="ray://head:10001"), "CS-W004", "loopback"),
        (Runner(kind="dask", address="tcp://10.0.0.1:8786"), "CS-W004", "loopback"),
    ],
)
@pytest.mark.parametrize("served_at", [None, "http://127.0.0.1:4200/api"])
def test_what_cannot_work_is_said_before_anything_begins(
    runner: Runner, code: str, said: str, served_at: str | None
) -> None:
    with temporary_settings({PREFECT_API_URL: served_at}), pytest.raises(InputError) as caught:
        check_runner(runner)
    assert caught.value.code == code
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("runner", "served_at"),
    [
        (Runner(), None),
        (Runner(kind="ray", workers=3), None),
        (Runner(kind="ray", address="127.0.0.1:6379"), None),
        (Runner(kind="dask", address="tcp://[::1]:8786"), None),
        (Runner(kind="ray", address="ray://head:10001"), "http://head:4200/api"),
    ],
)
def test_what_can_work_passes(runner: Runner, served_at: str | None) -> None:
    with temporary_settings({PREFECT_API_URL: served_at}):
        check_runner(runner)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runners, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="not installed") as caught:
        check_runner(Runner(kind="dask"))
    assert caught.value.hint == 'pip install "corpusmith[dask]"'


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"gpus_per_worker": -1}, {"kind": "spark"}])
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Runner(**wrong)


@pytest.mark.parametrize(
    ("given", "device", "gpus"),
    [(None, "cpu", 0), (None, "cuda:0", 1), (0.5, "cuda:0", 0.5), (0, "cuda", 0), (2, "cpu", 2)],
)
def test_a_model_on_a_gpu_is_given_one(given: float | None, device: str, gpus: float) -> None:
    assert Runner(gpus_per_worker=given).gpus(device) == gpus
