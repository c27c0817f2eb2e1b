"""Task: send a finished version to the store that it was made for."""

from pathlib import Path

from prefect import task

from tasks.release.outlet import Place, StagedStore


@task
def deliver_release(release: Path, outlet: StagedStore) -> Place:
    """Send a version, and make the store's `latest.json` name it if it passed; return its URI.

    A try that broke off is continued: what has arrived is not sent again.
    """
    return outlet.deliver(release)
