"""Task: put the release together and publish it with one rename."""

from pathlib import Path

from prefect import task

from schemas.manifest import GateResult, Manifest
from tasks.generation.replay_log import keep_replies
from tasks.planning.faults import disk_faults
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import backend_of
from tasks.release.assembly import assemble
from tasks.release.manifest import hardware
from tasks.release.publish import MANIFEST


@task
def export_dataset(work: Path, gates: list[GateResult]) -> Path:
    """Publish the corpus as a release, or as a failed one when a gate said no; return its folder.

    The workspace is deleted once the release stands: everything in it is in the release. Replies of
    an endpoint are kept for the next run when the release failed, and deleted when it passed.
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
    manifest = Manifest.model_validate_json((release / MANIFEST).read_bytes())
    if manifest.verdict == "fail":
        keep_replies(workspace.replies, workspace.kept_replies)
    else:
        with disk_faults(workspace.kept_replies):
            workspace.kept_replies.unlink(missing_ok=True)
    workspace.delete()
    return release
