"""Task: put the release together and publish it with one rename."""

from pathlib import Path

from prefect import task

from tasks.planning.workspace import Workspace
from tasks.release.assembly import assemble


@task
def export_dataset(work: Path) -> Path:
    """Publish the corpus as a release, or as a failed one when a gate said no; return its folder.

    The workspace is deleted once the release stands: everything in it is in the release.
    """
    workspace = Workspace(work)
    release = assemble(workspace)
    workspace.delete()
    return release
