"""Task: collect one shard of accepted rows and noise those chosen for it."""

from pathlib import Path
from threading import Lock
from time import thread_time

import numpy as np
from prefect import task

from schemas.shard import FileRef
from tasks.noise.rows import noise_rows
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.rounds import accepted_between
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import opened_steps

_ONE_AT_A_TIME = Lock()


@task
def inject_noise(work: Path, shard: int, arranged: FileRef) -> FileRef:
    """Write the accepted rows of shard `shard`, in row order, after noise."""
    workspace = Workspace(work)
    facts, recipe = workspace.facts, workspace.facts.recipe
    path = workspace.noised(shard)
    made_from = combine(facts.work_key, "noised", shard, arranged.sha256)
    if (ref := find_shard(path, made_from=made_from)) is not None:
        return ref
    with _ONE_AT_A_TIME:
        opened = opened_steps(workspace)
    watch = Stopwatch(thread_time)
    start, stop = shard * recipe.shard_size, (shard + 1) * recipe.shard_size
    places = read_shard(arranged, ["row", "noised"])
    rows = places["row"].to_numpy()
    chosen = places["noised"].to_numpy()[(rows >= start) & (rows < stop)]
    table = noise_rows(
        accepted_between(workspace, start, stop),
        np.asarray(chosen, dtype=np.bool_),
        noise=recipe.noise,
        seed=recipe.seed,
        classes=tuple(recipe.labels),
        opened=opened,
    )
    ref = write_shard(path, table, made_from=made_from)
    note_cost(path, Cost(stage="noise", rows=ref.rows, seconds=watch.seconds))
    return ref
