"""Task: decide which rows a round tries."""

from pathlib import Path

from prefect import task

from tasks.planning.plan import Plan
from tasks.planning.rounds import first_round, next_round, outcome_sha256
from tasks.planning.shards import combine, find_shard, read_written, write_shard
from tasks.planning.workspace import Workspace


@task
def plan_rows(work: Path, number: int) -> int:
    """Write the plan of round `number`; return how many shards of work it makes, 0 to end the run.

    A plan follows from the outcome of all earlier rounds. Where it has to be made again, this round
    and those after it are deleted, so that nothing of another outcome is counted.
    """
    workspace = Workspace(work)
    facts = workspace.facts
    recipe, path = facts.recipe, workspace.plan(number)
    outcome = outcome_sha256(workspace, before=number)
    made_from = combine(facts.work_key, "plan", number, outcome)
    if find_shard(path, made_from=made_from) is None:
        workspace.forget_rounds(number)
        plan = Plan.of(recipe)
        tried = (
            first_round(recipe, plan)
            if number == 0
            else next_round(workspace, number, recipe, plan)
        )
        write_shard(path, tried.table(), made_from=made_from)
    admitted = int(read_written(path, ["admitted"])["admitted"].to_numpy().sum())
    return -(-admitted // recipe.shard_size)
