"""What else can go wrong with a run: memory, clocks, rows that never succeed, races, signals."""

import json
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import torch

from tasks.generation.scripted import ScriptedBackend

pytestmark = [pytest.mark.flow, pytest.mark.fault, pytest.mark.usefixtures("prefect_api")]

RECIPE: dict[str, Any] = {"rows": 16, "shard_size": 8, "good": 40, "bad": 16}
SEED = 5


def failing_once(function: Any, error: BaseException, *, when: Any = lambda *args: True) -> Any:
    failed: list[bool] = []

    def fail(*args: Any, **kwargs: Any) -> Any:
        if not failed and when(*args):
            failed.append(True)
            raise error
        return function(*args, **kwargs)

    return fail


MEMORY_USERS = [
    "tasks.score_rows.score_candidates",
    "tasks.select_rows.select_shards",
    "tasks.inject_noise.noise_rows",
    "tasks.validate_dataset.judge",
    "tasks.release.assembly.write_report",
]


def test_no_memory_left_in_the_host(
    scripted: Any,
    run_here: Any,
    wanted: str,
    assert_whole: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = scripted(**RECIPE), tmp_path / "out"
    for target in MEMORY_USERS:
        owner, _, name = target.rpartition(".")
        holder = __import__(owner, fromlist=[name])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(holder, name, failing_once(getattr(holder, name), MemoryError()))
            code, _ = run_here(path, out)
        said = capsys.readouterr().err
        assert code == 3, target
        assert said.startswith("error[CS-W003]: out of memory"), said
        assert "to do: " in said
        assert "Traceback" not in said
    code, release = run_here(path, out)
    assert code == 0
    assert_whole(release, wanted)


@pytest.mark.slow
def test_no_memory_left_on_the_device(
    scripted: Any, run_here: Any, hash_of: Any, assert_whole: Any, tmp_path: Path
) -> None:
    from tasks.generation.network import Network

    path = scripted(
        rows=12,
        shard_size=12,
        model={"backend": "transformers", "name": "starter", "batch_size": 8},
        gates="off",
        noise=None,
    )
    code, release = run_here(path, tmp_path / "undisturbed")
    assert code == 0
    wanted = hash_of(release)
    widths: list[int] = []
    forward = Network.forward

    def short(self: Network, input_BT: torch.Tensor, **more: Any) -> Any:
        widths.append(len(input_BT))
        if len(input_BT) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, input_BT, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Network, "forward", short)
        code, release = run_here(path, tmp_path / "out")
    assert code == 0
    assert max(widths) > 4 >= widths[-1]
    assert_whole(release, wanted)


POISONED = 5
"""The row that never succeeds."""


def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ScriptedBackend.generate

    def generate(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        for reply in answer(self, requests):
            if reply.request.row == POISONED:
                yield replace(
                    reply, text="", num_tokens=0, finish_reason="error", error="it always fails"
                )
            else:
                yield reply

    monkeypatch.setattr(ScriptedBackend, "generate", generate)


def test_a_poisoned_row_costs_its_attempts_and_no_other_row(
    scripted: Any,
    run_here: Any,
    rows_of: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    budget = {"attempts_per_row": 10}
    code, whole = run_here(scripted(**RECIPE, budget=budget), tmp_path / "whole")
    assert code == 0
    poison(monkeypatch)
    code, failed = run_here(scripted(**RECIPE, budget=budget), tmp_path / "failed")
    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("error[CS-V002]: 1 of 16 rows are missing")
    assert "generation_error 10" in said
    assert failed.name.endswith("-failed")
    allowed = scripted(**RECIPE, budget={**budget, "allow_shortfall": True})
    code, release = run_here(allowed, tmp_path / "allowed")
    assert code == 0
    counts = json.loads((release / "manifest.json").read_text())["rows"]
    assert (counts["accepted"], counts["shortfall"]) == (15, 1)
    assert counts["generated"] == counts["accepted"] + sum(counts["rejected"].values())
    rejected = [
        row["id"]
        for row in rows_of(release, "rejected")
        if row["detail"] and "it always fails" in row["detail"]
    ]
    assert len(rejected) == 10
    # A row of its own: what it would have said could have made another row a duplicate, no more.
    others = {row["text"] for row in rows_of(whole)}
    assert len({row["text"] for row in rows_of(release)} - others) <= 1


def test_a_clock_that_jumps_back_and_forth(
    scripted: Any,
    run_here: Any,
    wanted: str,
    hash_of: Any,
    assert_whole: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tasks.preflight import opening

    class Clock(datetime):
        offset = timedelta()

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + cls.offset

    monkeypatch.setattr(opening, "datetime", Clock)
    path, out = scripted(**RECIPE), tmp_path / "out"
    holder = __import__("tasks.arrange_rows", fromlist=["arrange"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, "arrange", failing_once(holder.arrange, RuntimeError("stopped")))
        assert run_here(path, out)[0] == 3
    Clock.offset = -timedelta(days=400)
    code, first = run_here(path, out)
    assert code == 0
    assert_whole(first, wanted)
    assert first.name.startswith(f"{datetime.now(UTC):%Y}"), "a resumed run keeps its version"
    manifest = json.loads((first / "manifest.json").read_text())
    assert all(seconds >= 0 for seconds in manifest["seconds"].values())
    # Versions sort as they were made, whatever the clock says.
    code, second = run_here(scripted(**RECIPE, seed=4), out)
    assert code == 0
    assert second.name > first.name
    Clock.offset = timedelta(days=400)
    code, third = run_here(scripted(**RECIPE, seed=6), out)
    assert code == 0
    pointer = json.loads((out / "scripted" / "latest.json").read_text())
    assert pointer["path"] == third.name > second.name
    assert hash_of(first) == wanted


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_runs_that_race_for_one_folder(
    scripted: Any,
    launch: Any,
    wanted: str,
    assert_whole: Any,
    prefect_api: str,
    moments: int,
    tmp_path: Path,
) -> None:
    path = scripted(**RECIPE)
    for number in range(max(1, moments // 8)):
        out = tmp_path / f"out-{number}"
        racing = [launch(path, out, api=prefect_api) for _ in range(3)]
        ended = [(process.communicate(timeout=150), process.returncode) for process in racing]
        releases = {stdout.strip() for (stdout, _), code in ended if code == 0}
        assert releases
        for (_, stderr), code in ended:
            assert code in (0, 2)
            assert stderr == "" if code == 0 else "error[CS-O002]" in stderr
        for release in releases:
            assert_whole(Path(release), wanted)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupts_at_random_moments(
    number: signal.Signals,
    scripted: Any,
    launch: Any,
    watch: Any,
    wanted: str,
    assert_whole: Any,
    prefect_api: str,
    moments: int,
    tmp_path: Path,
) -> None:
    path, chance = scripted(**RECIPE), random.Random(SEED + moments)
    for place in range(max(1, moments // 4)):
        out = tmp_path / f"out-{place}"
        process = launch(path, out, api=prefect_api)
        watch(process, out, until=chance.randint(1, 45))
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
        # Once the release stands, Python tidies up and no longer listens.
        assert process.returncode == 130 or stdout
        assert "Traceback" not in stderr
        again = launch(path, out, api=prefect_api)
        stdout, stderr = again.communicate(timeout=150)
        assert (again.returncode, stderr) == (0, "")
        for release in out.glob("*/2*"):
            assert_whole(release, wanted)


def sentence(body: dict[str, Any]) -> str:
    return " ".join(f"w{(body['seed'] * 7919 + place * 104729) % 99_991}" for place in range(7))


@pytest.mark.parametrize("retries", [8, 0])
def test_an_endpoint_that_goes_away_for_a_while(
    retries: int,
    scripted: Any,
    endpoint: Any,
    line_to: Any,
    run_here: Any,
    hash_of: Any,
    assert_whole: Any,
    outage_seconds: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With retries it is waited for; without, the run ends, and asks later for what is missing."""
    from threading import Timer

    from flows import policies

    monkeypatch.setattr(policies, "RETRIES", 0)
    endpoint.answer = lambda number, body: endpoint.chat(sentence(body))
    model = {"backend": "openai", "name": "m", "concurrency": 2, "retries": retries}
    line = line_to(urlsplit(endpoint.url).port)
    path = scripted(
        rows=12,
        shard_size=4,
        model={**model, "base_url": f"http://127.0.0.1:{line.port}/v1"},
        strategies=[{"kind": "greedy"}],
    )
    code, release = run_here(path, tmp_path / "undisturbed")
    assert code == 0
    wanted, asked = hash_of(release), len(endpoint.bodies)
    timers: list[Timer] = []

    def cut_at_fifth(number: int, body: dict[str, Any]) -> Any:
        if len(endpoint.bodies) == asked + 5 and not timers:
            line.cut()
            timers.append(Timer(outage_seconds, line.mend))
            timers[0].start()
        return endpoint.chat(sentence(body))

    endpoint.answer = cut_at_fifth
    code, release = run_here(path, tmp_path / "out")
    assert timers
    timers[0].join()
    if not retries:
        assert code == 3
        assert capsys.readouterr().err.startswith("error[CS-G003]: no connection to the endpoint")
        code, release = run_here(path, tmp_path / "out")
    assert code == 0
    assert_whole(release, wanted)
    # What was under way when the line was cut is asked for again, nothing else.
    assert len(endpoint.bodies) - asked <= asked + 2
