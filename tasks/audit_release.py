"""Task: audit the rows of a run before they are released."""

from pathlib import Path

from prefect import task

from tasks.audit.own_release import audit_run
from tasks.expectations.validate import write_validation
from tasks.planning.costs import Stopwatch
from tasks.planning.faults import disk_faults
from tasks.planning.shards import write_whole
from tasks.planning.workspace import Workspace
from tasks.report.audit_page import encodable_json


@task
def audit_release(work: Path) -> None:
    """Write the audit and its gates' suite into the workspace, unless the recipe leaves it out."""
    workspace, watch = Workspace(work), Stopwatch()
    config = workspace.facts.recipe.audit
    if config is None:
        return
    audit, validation = audit_run(workspace, config)
    folder = workspace.expectations / "audit"
    with disk_faults(folder):
        write_validation(validation, folder)
    write_whole(workspace.audit, encodable_json(audit))
    workspace.note_seconds("audit", watch.seconds)
