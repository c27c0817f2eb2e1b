"""What Prefect adds to a run: retries, states, artifacts, one run at a time in a folder."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows import policies
from flows.generate import generate
from schemas.errors import InputError, RunError
from tasks.generation.scripted import ScriptedBackend
from tasks.planning.workspace import locked

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RETRY_SECONDS", 0)


def fail_first(patch: pytest.MonkeyPatch, error: Exception, *, times: int) -> list[int]:
    """Let the model fail `times` times; return the list that grows with every call."""
    calls: list[int] = []
    answer = ScriptedBackend.generate

    def unreliable(self: ScriptedBackend, requests: Any) -> Iterator[Any]:
        calls.append(len(requests))
        if len(calls) <= times:
            raise error
        return answer(self, requests)

    patch.setattr(ScriptedBackend, "generate", unreliable)
    return calls


@pytest.mark.parametrize(
    "error",
    [
        RunError("the endpoint is busy", code="CS-G001", retryable=True),
        ConnectionError("reset"),
        TimeoutError("too slow"),
    ],
)
def test_errors_that_may_pass_are_tried_again(
    error: Exception, scripted: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = fail_first(monkeypatch, error, times=policies.RETRIES)
    generate(scripted(rows=4, bad=0, gates="off"), tmp_path)
    assert calls == [4] * (policies.RETRIES + 1)


@pytest.mark.parametrize(
    "error", [RunError("the weights are broken", code="CS-G001"), ValueError("a bug")]
)
def test_other_errors_end_the_run_at_once(
    error: Exception, scripted: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = fail_first(monkeypatch, error, times=99)
    with pytest.raises(type(error), match=str(error)):
        generate(scripted(rows=4, bad=0), tmp_path)
    assert len(calls) == 1
    with locked(tmp_path / "scripted"):
        pass


def test_artifacts_show_progress_counts_and_the_release(scripted: Any, tmp_path: Path) -> None:
    release = generate(scripted(rows=6, bad=0, name="artefacts", gates="off"), tmp_path)
    with get_client(sync_client=True) as client:
        # By key: the server lists by random id, and other runs of the suite fill its first page.
        wanted = ArtifactFilter(key=ArtifactFilterKey(like_="artefacts-%"))
        found = client.read_artifacts(artifact_filter=wanted)
    assert not inspect.isawaitable(found)
    by_key = {found.key: found for found in found}
    kinds = {key: found.type for key, found in by_key.items()}
    assert kinds == {
        "artefacts-progress": "progress",
        "artefacts-counts": "table",
        "artefacts-release": "markdown",
    }
    assert float(str(by_key["artefacts-progress"].data)) == 100
    assert '"accepted", "rows": 6' in str(by_key["artefacts-counts"].data)
    assert str(release) in str(by_key["artefacts-release"].data)


def test_a_second_run_in_the_same_folder_is_refused(scripted: Any, tmp_path: Path) -> None:
    path = scripted(rows=3)
    with locked(tmp_path / "scripted"), pytest.raises(InputError) as caught:
        generate(path, tmp_path)
    assert caught.value.code == "CS-O002"
    assert not list((tmp_path / "scripted").glob(".work-*"))
