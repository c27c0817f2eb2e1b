"""The server that a run is shown on: configured and absent, or temporary and broken."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import server
from schemas.errors import RunError


def test_a_configured_server_that_does_not_answer_is_named() -> None:
    nowhere = temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"})
    with nowhere, pytest.raises(RunError) as caught, server.prefect_server():
        pytest.fail("the body ran")
    assert caught.value.code == "CS-W002"
    assert "127.0.0.1:9" in caught.value.place


def test_a_temporary_server_that_dies_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_DIE_WITH_PARENT", "raise SystemExit('no room for a database')")
    unset = temporary_settings({PREFECT_API_URL: None})
    with unset, pytest.raises(RunError, match="no room") as caught, server.prefect_server():
        pytest.fail("the body ran")
    assert caught.value.code == "CS-W002"
