"""Task: decide which rows a round tries."""

from pathlib import Path

import pyarrow.parquet as pq
from prefect import task

from tasks.planning.plan import Plan
from tasks.planning.rounds import first_round, next_round
from tasks.planning.shards import combine, find_shard, write_shard
from tasks.planning.workspace import Workspace


@task
def plan_rows(work: Path, number: int) -> int:
    """Write the plan of round `number` and return how many shards of work it makes; 0 ends the run."""
    workspace = Workspace(work)
    recipe, made_from = workspace.facts.recipe, combine(workspace.facts.work_key, "plan", number)
    path = workspace.round(number) / "plan.parquet"
    ref = find_shard(path, made_from=made_from)
    if ref is None:
        plan = Plan.of(recipe)
        tried = (
            first_round(recipe, plan)
            if number == 0
            else next_round(workspace, number, recipe, plan)
        )
        ref = write_shard(path, tried.table(), made_from=made_from)
    admitted = int(pq.read_table(path, columns=["admitted"])["admitted"].to_numpy().sum())
    return -(-admitted // recipe.shard_size)
