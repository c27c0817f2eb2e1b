"""Task: give every accepted row its split, and choose the rows to noise."""

from pathlib import Path

from prefect import task

from schemas.shard import FileRef
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.rounds import outcome_sha256
from tasks.planning.shards import combine, find_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.release.arrangement import arrange


@task
def arrange_rows(work: Path) -> FileRef:
    """Decide on splits and noise over all accepted rows, in row order."""
    workspace = Workspace(work)
    facts = workspace.facts
    path = workspace.final / "arranged.parquet"
    outcome = outcome_sha256(workspace, before=len(workspace.rounds()))
    made_from = combine(facts.work_key, "arranged", outcome)
    if (ref := find_shard(path, made_from=made_from)) is not None:
        return ref
    watch = Stopwatch()
    ref = write_shard(path, arrange(workspace, facts.recipe), made_from=made_from)
    note_cost(path, Cost(stage="arranged", rows=ref.rows, seconds=watch.seconds))
    return ref
