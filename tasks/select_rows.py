"""Task: decide, in row order, which candidates of a round are accepted."""

from pathlib import Path

from prefect import task

from schemas.shard import FileRef
from tasks.planning.costs import Cost, Stopwatch, note_cost
from tasks.planning.memory import give_back
from tasks.planning.rounds import candidates, outcome_sha256
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.quality.selection import count_reasons, open_selector, remember_accepted, select_shard


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
    selector = open_selector(facts.recipe.gates.row)
    for judged in candidates(workspace, columns=["id", "text", "reason"], before=number):
        remember_accepted(selector, judged)
    for ref, (path, key) in zip(scored, keys.items(), strict=True):
        watch = Stopwatch()
        table = select_shard(read_shard(ref), selector)
        rejected = count_reasons(table)
        write_shard(path, table, made_from=key)
        cost = Cost(stage="selected", rows=ref.rows, seconds=watch.seconds, rejected=rejected)
        note_cost(path, cost)
    del selector
    give_back()
