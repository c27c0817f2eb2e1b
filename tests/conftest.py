"""What every test may use; nothing here reaches the network or a user's Prefect home."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.update(
    DO_NOT_TRACK="1",
    HF_HUB_OFFLINE="1",
    PREFECT_SERVER_ANALYTICS_ENABLED="false",
    PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="180",
    TOKENIZERS_PARALLELISM="false",
)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of the real data and models beside the repository."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder `shared` does not lie beside the repository")
    return folder


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Prefect home of the test session's own: its database is made once."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def environment(prefect_home: Path) -> dict[str, str]:
    """Environment of a child process that runs the command line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_API", "COLUMNS"))}
    return {**kept, "PREFECT_HOME": str(prefect_home), "COLUMNS": "100"}
