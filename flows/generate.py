"""The main flow: a recipe in, a released corpus out."""

from collections import deque
from itertools import count
from pathlib import Path
from typing import Literal

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from flows import policies
from flows.artifacts import Board
from schemas.errors import GateError
from schemas.manifest import Manifest, Shortfall
from schemas.recipe import Recipe
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
    recipe: Path,
    out: Path = Path("out"),
    overrides: list[str] | None = None,
    resume: Resume = "auto",
) -> Path:
    """Make a corpus from a recipe and release it.

    An interrupted run continues where it stopped: what stands whole in the workspace is not made
    again.

    Args:
        recipe: The recipe file.
        out: Folder that holds the corpora; the release goes to `OUT/NAME/VERSION`.
        overrides: `KEY=VALUE` settings that replace the recipe's.
        resume: `auto` continues an unfinished run of the same recipe and model, `never` begins
            anew, `always` only continues.

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
        release = finish(workspace, checked.recipe, board)
    return release


def run_round(workspace: Workspace, number: int, shards: int, board: Board) -> None:
    """Try every open row once: shards overlap in a sliding window, the selection waits for all of them."""
    window: deque[PrefectFuture[FileRef]] = deque()
    scored: list[FileRef] = []
    for shard in range(shards):
        prompts = policies.patient(render_prompts).submit(workspace.folder, number, shard)
        candidates = policies.patient(generate_texts).submit(workspace.folder, prompts)
        window.append(policies.patient(score_rows).submit(workspace.folder, candidates))
        if len(window) == policies.SHARDS_AHEAD:
            scored.append(window.popleft().result())
            board.update()
    scored += [future.result() for future in window]
    policies.patient(select_rows)(workspace.folder, number, scored)
    board.update(force=True)


def finish(workspace: Workspace, recipe: Recipe, board: Board) -> Path:
    """Noise, validate and publish what was accepted.

    Raises:
        GateError: If the corpus must not be released; what was made stands in a folder of its own.
    """
    arranged = policies.patient(arrange_rows)(workspace.folder)
    shards = range(-(-recipe.rows // recipe.shard_size))
    noised = [
        policies.patient(inject_noise).submit(workspace.folder, shard, arranged) for shard in shards
    ]
    for future in noised:
        future.result()
    gates = validate_dataset(workspace.folder)
    release = export_dataset(workspace.folder, gates)
    manifest = Manifest.model_validate_json((release / "manifest.json").read_text("utf-8"))
    board.finish(release, manifest)
    refuse_failed(release, manifest)
    return release


def refuse_failed(release: Path, manifest: Manifest) -> None:
    """Raise what is wrong with a corpus whose verdict is `fail`; missing rows first, for they fail gates too."""
    if manifest.verdict == "pass":
        return
    place = str(release / "report.html")
    if manifest.shortfalls:
        most = max(manifest.shortfalls, key=lambda shortfall: shortfall.missing)
        raise GateError(
            f"{manifest.rows.shortfall} of {manifest.rows.requested} rows are missing; most, {most.missing}, of "
            f"label {most.label!r} by {most.strategy}: {_reasons(most)}",
            code="CS-V002",
            place=place,
            hint="loosen the gate that rejects, raise the budget, or set budget.allow_shortfall: true",
        )
    failed = [gate for gate in manifest.gates if not gate.passed]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    raise GateError(
        f"gate {failed[0].name}: {failed[0].observed} observed, {failed[0].bound} wanted{more}",
        code="CS-V001",
        place=place,
        hint="the report shows the rows; nothing was released. Change the recipe or the gate's bound",
    )


def _reasons(shortfall: Shortfall) -> str:
    ordered = sorted(shortfall.reasons.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{reason} {count}" for reason, count in ordered)
