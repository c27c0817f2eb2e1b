"""Task: let the model answer one shard of prompts."""

from pathlib import Path
from threading import Lock

from prefect import task

from schemas.shard import FileRef
from tasks.generation.candidates import generate_candidates
from tasks.generation.pace import Pace
from tasks.planning.shards import combine, find_shard, read_shard, write_shard
from tasks.planning.workspace import Workspace
from tasks.preflight.opening import backend_of

_ONE_AT_A_TIME = Lock()


@task
def generate_texts(work: Path, prompts: FileRef) -> FileRef:
    """Generate one candidate for each prompt; one shard at a time, a model serves one thread."""
    workspace = Workspace(work)
    facts = workspace.facts
    path = workspace.after(prompts.path, "candidates")
    made_from = combine(facts.work_key, "candidates", prompts.sha256)
    if (ref := find_shard(path, made_from=made_from)) is not None:
        return ref
    with _ONE_AT_A_TIME:
        backend = backend_of(workspace)
        table = read_shard(prompts)
        rows, strategies = table["row"].to_pylist(), table["strategy_index"].to_pylist()
        pace = Pace(
            path,
            prompt_tokens=sum(backend.count_tokens(table["prompt"].to_pylist())),
            strategy_of=dict(zip(rows, strategies, strict=True)),
        )
        made = generate_candidates(
            table,
            facts.recipe.strategies,
            backend,
            output=facts.recipe.prompt.output,
            on_reply=pace.note,
        )
        # Noted first: a kill between the two must not lose the tokens that the model has read.
        pace.finish()
        return write_shard(path, made, made_from=made_from)
