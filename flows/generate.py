"""The main flow: a recipe in, a released corpus out."""

from itertools import count
from pathlib import Path
from typing import Literal

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows import policies
from flows.artifacts import Board
from schemas.shard import FileRef
from tasks.arrange_rows import arrange_rows
from tasks.export_dataset import export_dataset
from tasks.generate_texts import generate_texts
from tasks.inject_noise import inject_noise
from tasks.plan_rows import plan_rows
from tasks.planning.workspace import Workspace, locked
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import open_run
from tasks.render_prompts import render_prompts
from tasks.score_rows import score_rows
from tasks.select_rows import select_rows
from tasks.validate_dataset import validate_dataset

Resume = Literal["auto", "never", "always"]


@flow(
    name="generate",
    task_runner=ThreadPoolTaskRunner(max_workers=policies.WORKERS),  # type: ignore[arg-type]
    validate_parameters=True,
)
def generate(
    recipe: Path, out: Path = Path("out"), overrides: list[str] | None = None, resume: Resume = "auto"
) -> Path:
    """Make a corpus from a recipe and release it.

    An interrupted run continues where it stopped: what stands whole in the workspace is not made again.

    Args:
        recipe: The recipe file.
        out: Folder that holds the corpora; the release goes to `OUT/NAME/VERSION`.
        overrides: `KEY=VALUE` settings that replace the recipe's.
        resume: `auto` continues an unfinished run of the same recipe and model, `never` begins anew,
            `always` only continues.

    Returns:
        The release's folder.

    Raises:
        InputError: If the recipe or anything it names is wrong; nothing is written.
        GateError: If a dataset gate failed or the quota was not reached; nothing is released.
        RunError: If the run cannot go on; the same call resumes it.
    """
    checked = check_recipe(recipe, overrides=overrides or [])
    with locked(out / checked.recipe.name):
        workspace = open_run(checked, out / checked.recipe.name, resume=resume)
        board = Board(workspace, checked.recipe)
        for number in count():
            shards = plan_rows(workspace.folder, number)
            if shards == 0:
                break
            run_round(workspace, number, shards, board)
        noise_accepted(workspace, -(-checked.recipe.rows // checked.recipe.shard_size))
        validate_dataset(workspace.folder)
        release = export_dataset(workspace.folder)
        board.finish(release)
        return release


def run_round(workspace: Workspace, number: int, shards: int, board: Board) -> None:
    """Try every open row once: shards overlap, the selection waits for all of them."""
    scored = []
    for shard in range(shards):
        prompts = render_prompts.submit(workspace.folder, number, shard)
        candidates = _patient(generate_texts).submit(workspace.folder, prompts)
        scored.append(score_rows.submit(workspace.folder, candidates))
    refs: list[FileRef] = []
    for future in scored:
        refs.append(future.result())
        board.update()
    select_rows(workspace.folder, number, refs)
    board.update(force=True)
