"""Task: judge the corpus as a whole with Great Expectations."""

from pathlib import Path

from prefect import task

from schemas.manifest import GateResult
from tasks.expectations.evidence import judge
from tasks.expectations.validate import write_validation
from tasks.planning.costs import Stopwatch
from tasks.planning.faults import disk_faults
from tasks.planning.memory import give_back
from tasks.planning.workspace import Workspace
from tasks.release.accounts import balance


@task
def validate_dataset(work: Path) -> list[GateResult]:
    """Write the suite, its result and its pages into the workspace; return what every gate said."""
    workspace, watch = Workspace(work), Stopwatch()
    validation = judge(workspace, balance(workspace, workspace.facts.recipe).rows)
    with disk_faults(workspace.expectations):
        write_validation(validation, workspace.expectations)
    give_back()
    workspace.note_seconds("validate", watch.seconds)
    return list(validation.gates)
