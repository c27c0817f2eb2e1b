"""Task: render the prompts of one shard."""

from pathlib import Path
from time import thread_time

import numpy as np
from prefect import task

from schemas.shard import FileRef
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.shards import combine, file_sha256, find_shard, read_written, write_shard
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import prompt_writer


@task
def render_prompts(work: Path, number: int, shard: int) -> FileRef:
    """Render the prompts of shard `shard` of round `number`."""
    workspace = Workspace(work)
    facts, plan = workspace.facts, workspace.plan(number)
    path = workspace.shard(number, shard, "prompts")
    made_from = combine(facts.work_key, "prompts", shard, file_sha256(plan))
    if (ref := find_shard(path, made_from=made_from)) is not None:
        return ref
    watch = Stopwatch(thread_time)
    rows = read_written(plan)
    rows = rows.filter(rows["admitted"]).slice(
        shard * facts.recipe.shard_size, facts.recipe.shard_size
    )
    writer = prompt_writer(workspace)
    attempts = rows["attempt"].to_numpy().astype(np.int32)
    table = writer.write(rows["row"].to_numpy().astype(np.int64), attempts=attempts)
    ref = write_shard(path, table, made_from=made_from)
    note_cost(path, Cost(stage="prompts", rows=ref.rows, seconds=watch.seconds))
    return ref
