"""Task: put the release together and publish it with one rename."""

from pathlib import Path

from prefect import task

from schemas.manifest import GateResult
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import backend_of
from tasks.release.assembly import assemble
from tasks.release.manifest import hardware


@task
def export_dataset(work: Path, gates: list[GateResult]) -> Path:
    """Publish the corpus as a release, or as a failed one when a gate said no; return its folder.

    The workspace is deleted once the release stands: everything in it is in the release.
    """
    workspace = Workspace(work)
    backend = backend_of(workspace)
    release = assemble(
        workspace,
        gates=tuple(gates),
        model=backend.info,
        determinism=backend.determinism,
        hardware=hardware(backend.compute.device, torch_threads=backend.compute.num_threads),
    )
    workspace.delete()
    return release
