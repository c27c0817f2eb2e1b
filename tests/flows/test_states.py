"""How a run ended, as Prefect's API shows it: one state for each thing to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import State, StateType
from prefect.client.schemas.sorting import FlowRunSort

from flows import policies
from flows.audit import audit
from flows.generate import generate
from schemas.errors import CorpusmithError, GateError, InputError, RunError
from tasks.generation.scripted import ScriptedBackend

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RETRY_SECONDS", 0)


def last_state() -> State[Any]:
    """The state of the newest flow run, as the server holds it."""
    with get_client(sync_client=True) as client:
        (newest,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    assert newest.state is not None
    return newest.state


def break_model(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        raise error

    patch.setattr(ScriptedBackend, "generate", fail)


SHORT: dict[str, Any] = {"rows": 3, "budget": {"attempts_per_row": 1}}


def test_missing_rows_are_a_shortfall(scripted: Any, tmp_path: Path) -> None:
    with pytest.raises(GateError):
        generate(scripted(gates={"row": {"chars": [900, 999]}}, **SHORT), tmp_path)
    state = last_state()
    assert (state.name, state.type) == ("Shortfall", StateType.FAILED)
    assert str(state.message).startswith("CS-V002: 3 of 3 rows are missing")
    assert "-failed/report.html" in str(state.message)


def test_a_broken_bound_is_a_failed_gate(scripted: Any, tmp_path: Path) -> None:
    gates = {"dataset": {"rejection_rate": 0.0}}
    with pytest.raises(GateError):
        generate(scripted(rows=6, gates=gates), tmp_path)
    state = last_state()
    assert (state.name, state.type) == ("GateFailed", StateType.FAILED)
    assert "CS-V001: gate rejection_rate" in str(state.message)


def test_wrong_input_is_neither(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        generate(tmp_path / "nowhere.yaml", tmp_path)
    state = last_state()
    assert (state.name, state.type) == ("BadInput", StateType.FAILED)
    assert "CS-R001" in str(state.message)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RunError("the weights are broken", code="CS-G001"), RunError),
        (ValueError("a bug of ours"), ValueError),
    ],
)
def test_a_run_that_cannot_go_on_has_failed(
    error: Exception,
    kind: type[Exception],
    scripted: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    break_model(monkeypatch, error)
    with pytest.raises(kind, match=str(error)):
        generate(scripted(rows=4, bad=0), tmp_path)
    state = last_state()
    assert (state.name, state.type) == ("Failed", StateType.FAILED)
    assert str(error) in str(state.message)


@pytest.mark.parametrize("end", [SystemExit(9), KeyboardInterrupt()])
def test_what_ends_the_process_is_a_crash(
    end: BaseException, scripted: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_model(monkeypatch, end)
    with pytest.raises(type(end)):
        generate(scripted(rows=4, bad=0), tmp_path)
    state = last_state()
    assert (state.name, state.type) == ("Crashed", StateType.CRASHED)


def test_a_release_completes_and_a_second_run_changes_nothing(
    scripted: Any, tmp_path: Path
) -> None:
    path = scripted(rows=6, bad=0, gates="off")
    release = generate(path, tmp_path)
    assert (last_state().name, last_state().type) == ("Completed", StateType.COMPLETED)
    assert generate(path, tmp_path) == release
    state = last_state()
    assert (state.name, state.type) == ("Unchanged", StateType.COMPLETED)
    assert str(release) in str(state.message)


def test_an_audit_that_blocks_is_a_failed_gate(scripted: Any, tmp_path: Path) -> None:
    generate(scripted(rows=6, bad=0, gates="off"), tmp_path)
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: {duplicate_rate: {fail_below: 0.5}}\n")
    with pytest.raises(CorpusmithError) as caught:
        audit(tmp_path / "scripted", tmp_path / "audit", gates=gates)
    assert caught.value.code == "CS-V001"
    assert last_state().name == "GateFailed"
    with get_client(sync_client=True) as client:
        wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["scripted-audit"]))
        (shown,) = client.read_artifacts(artifact_filter=wanted)
    assert "# block" in str(shown.data)
    assert (tmp_path / "audit" / "report.html").as_uri() in str(shown.data)
