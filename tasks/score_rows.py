"""Task: measure one shard of candidates and judge each by itself."""

from pathlib import Path
from time import thread_time

from prefect import task

from schemas.shard import FileRef
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import known_texts, prompt_writer
from tasks.quality.gates import score_candidates


@task
def score_rows(work: Path, candidates: FileRef) -> FileRef:
    """Compute the row scores and apply the row gates that need no other row."""
    workspace = Workspace(work)
    facts = workspace.facts
    path = workspace.after(candidates.path, "scored")
    made_from = combine(facts.work_key, "scored", candidates.sha256)
    if (ref := find_shard(path, made_from=made_from)) is not None:
        return ref
    watch = Stopwatch(thread_time)
    known = known_texts(facts.model, prompt_writer(workspace).examples)
    recipe = facts.recipe
    table = score_candidates(
        read_shard(candidates), recipe.strategies, gates=recipe.gates.row, known=known
    )
    ref = write_shard(path, table, made_from=made_from)
    note_cost(path, Cost(stage="scored", rows=ref.rows, seconds=watch.seconds))
    return ref
