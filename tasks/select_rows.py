"""Task: decide, in row order, which candidates of a round are accepted."""

from pathlib import Path

from prefect import task

from schemas.shard import FileRef
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.faults import disk_faults
from tasks.planning.memory import give_back
from tasks.planning.rounds import candidates, outcome_sha256
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.quality.database import scratch_folder
from tasks.quality.selection import (
    SELECTION_COLUMNS,
    blocks,
    count_reasons,
    open_selector,
    remember_accepted,
    select_shards,
)


@task
def select_rows(work: Path, number: int, scored: list[FileRef]) -> None:
    """Judge what depends on other rows: copies of rows accepted before, in (round, row) order."""
    workspace = Workspace(work)
    facts = workspace.facts
    outcome = outcome_sha256(workspace, before=number)
    round_key = combine(facts.work_key, "selected", outcome, *(ref.sha256 for ref in scored))
    keys = {workspace.after(ref.path, "selected"): combine(round_key, ref.sha256) for ref in scored}
    if all([find_shard(path, made_from=key) for path, key in keys.items()]):
        return
    with disk_faults(work), scratch_folder(work) as scratch:
        selector = open_selector(facts.recipe.gates.row, folder=scratch)
        for judged in candidates(workspace, columns=["id", "text", "reason"], before=number):
            remember_accepted(selector, judged)
        for block in blocks(scored, selector):
            watch = Stopwatch()
            shards = [read_shard(ref, list(SELECTION_COLUMNS)) for ref in block]
            share = 1 / max(sum(ref.rows for ref in block), 1)
            for ref, table in zip(block, select_shards(shards, selector), strict=True):
                path = workspace.after(ref.path, "selected")
                write_shard(path, table, made_from=keys[path])
                seconds, rejected = watch.seconds * ref.rows * share, count_reasons(table)
                cost = Cost(stage="selected", rows=ref.rows, seconds=seconds, rejected=rejected)
                note_cost(path, cost)
        del selector
    give_back()
