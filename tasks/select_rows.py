"""Task: decide, in row order, which candidates of a round are accepted."""

from pathlib import Path

from prefect import task

from schemas.shard import FileRef
from tasks.planning.rounds import candidates
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Cost, Stopwatch, Workspace, note_cost
from tasks.quality.selection import count_reasons, open_selector, remember_accepted, select_shard


@task
def select_rows(work: Path, number: int, scored: list[FileRef]) -> None:
    """Judge what depends on other rows: duplicates among all rows accepted so far, in (round, row) order."""
    workspace = Workspace(work)
    facts = workspace.facts
    made_from = combine(facts.work_key, "selected", number, *(ref.sha256 for ref in scored))
    paths = [ref.path.with_name(ref.path.name.replace(".scored.", ".selected.")) for ref in scored]
    if all([find_shard(path, made_from=made_from) for path in paths]):
        return
    selector = open_selector(facts.recipe.gates.row)
    for judged in candidates(workspace, before=number):
        remember_accepted(selector, judged)
    for ref, path in zip(scored, paths, strict=True):
        watch = Stopwatch()
        table = select_shard(read_shard(ref), selector)
        write_shard(path, table, made_from=made_from)
        rejected = count_reasons(table)
        cost = Cost(stage="selected", rows=ref.rows, seconds=watch.seconds, rejected=rejected)
        note_cost(path, cost)
