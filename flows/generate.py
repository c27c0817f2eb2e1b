"""The main flow: a recipe in, a released corpus out."""

from collections import deque
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, assert_never

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows import policies, states
from flows.artifacts import Board
from flows.crews import Claim, Crew, crew_of
from flows.runners import THREADS, Runner
from schemas.errors import CorpusmithError, GateError
from schemas.manifest import Manifest, Shortfall
from schemas.recipe import Recipe
from schemas.shard import FileRef
from tasks.arrange_rows import arrange_rows
from tasks.audit_release import audit_release
from tasks.deliver_release import deliver_release
from tasks.export_dataset import export_dataset
from tasks.inject_noise import inject_noise
from tasks.plan_rows import plan_rows
from tasks.planning.workspace import Workspace, locked, workspace_of
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import nothing_new, open_run, run_facts
from tasks.release.outlet import Folder, Outlet, Place, Sent, StagedStore, open_outlet
from tasks.release.publish import sweep
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
    out: Place = Path("out"),
    overrides: list[str] | None = None,
    resume: Resume = "auto",
    force: bool = False,
    keep: Annotated[int, Field(ge=1)] | None = None,
    runner: Runner = THREADS,
) -> Place | State[Any]:
    """Make a corpus from a recipe and release it.

    An interrupted run continues where it stopped: what stands whole in the workspace is not made
    again. Where the newest release is of the same recipe, inputs, model and versions, nothing is
    made; that release is returned.

    Args:
        recipe: The recipe file.
        out: Folder that holds the corpora, or the URI of one; the release goes to
            `OUT/NAME/VERSION`.
        overrides: `KEY=VALUE` settings that replace the recipe's.
        resume: `auto` continues an unfinished run of the same recipe and model, `never` begins
            anew, `always` only continues.
        force: Make a new version even if nothing has changed since the newest one.
        keep: How many versions stay once this one is published, and how many failed ones; older
            ones are deleted. Without it, none is.
        runner: Where the work on shards is done: `threads`, or the workers of a `ray` or `dask`
            cluster.

    Returns:
        The release's folder or URI; within Prefect the state that says how the run ended
        (`states`).

    Raises:
        InputError: If the recipe or anything it names is wrong; nothing is written.
        GateError: If a dataset gate failed or the quota was not reached; nothing is released.
        RunError: If the run cannot go on; the same call resumes it.
    """
    try:
        outlet = open_outlet(out)
        checked = check_recipe(recipe, overrides=overrides or [])
        home = outlet.home(checked.recipe.name)
        facts = run_facts(checked)
        with locked(home):
            sweep(home)
            late = outlet.catch_up(home)
            if late is not None and late.manifest.recipe_sha256 == facts.recipe_sha256:
                # All that was missing of this run is that its release arrives.
                board = Board(workspace_of(home, facts), checked.recipe)
                return conclude(late, checked.recipe, board=board, outlet=outlet, keep=keep)
            if resume == "auto" and not force:
                found = nothing_new(home, facts, outlet)
                if found is not None:
                    return states.unchanged(found)
            workspace = open_run(checked, home, facts, resume=resume)
            outlet.prepare(workspace)
            board = Board(workspace, checked.recipe)
            with crew_of(runner, workspace, device=checked.model.info.device) as crew:
                make_rows(workspace, checked.recipe, board=board, crew=crew)
            return make_version(workspace, checked.recipe, board=board, outlet=outlet, keep=keep)
    except CorpusmithError as error:
        # Raised, it would end in the same state as any bug.
        return states.failure(error)


def make_rows(workspace: Workspace, recipe: Recipe, *, board: Board, crew: Crew) -> None:
    """Try rows until every one is accepted or the budget is spent, and noise the accepted ones.

    Raises:
        RunError: If the run cannot go on.
    """
    for number in count():
        shards = plan_rows(workspace.folder, number)
        if shards == 0:
            break
        run_round(workspace, number, shards, board=board, crew=crew)
    arranged = policies.patient(arrange_rows)(workspace.folder)
    noised = [
        crew.submit(inject_noise, workspace.folder, shard, arranged)
        for shard in range(-(-recipe.rows // recipe.shard_size))
    ]
    try:
        for future in noised:
            future.result()
    finally:
        crew.settle(noised)


def run_round(workspace: Workspace, number: int, shards: int, *, board: Board, crew: Crew) -> None:
    """Try every open row once.

    While the model answers one shard, the prompts of the next are rendered and the answers of the
    last are scored.
    """
    folder, ahead = workspace.folder, crew.ahead
    prompts: list[PrefectFuture[FileRef]] = []
    asked: deque[Claim] = deque()
    scored: list[PrefectFuture[FileRef]] = []
    try:
        for turn in range(shards + ahead):
            while len(prompts) < min(turn + ahead + 2, shards):
                prompts.append(crew.submit(render_prompts, folder, number, len(prompts)))
            if turn < shards:
                asked.append(crew.generate(folder, prompts[turn].result()))
            if turn >= ahead:
                candidates = asked.popleft()()
                if len(scored) > ahead:
                    scored[-ahead - 1].result()
                scored.append(crew.submit(score_rows, folder, candidates))
                board.update()
        refs = [future.result() for future in scored]
    finally:
        # Nothing of this run may still write once its lock is released.
        crew.settle([*prompts, *scored])
    policies.patient(select_rows)(folder, number, refs)
    board.update(force=True)


def make_version(
    workspace: Workspace, recipe: Recipe, *, board: Board, outlet: Outlet, keep: int | None
) -> Place:
    """Validate, audit and publish the rows, and delete what is older than the versions kept.

    Raises:
        GateError: If the corpus must not be released.
        RunError: If the run cannot go on.
    """
    gates = validate_dataset(workspace.folder)
    audit_release(workspace.folder)
    release = export_dataset(workspace.folder, gates)
    manifest = Manifest.model_validate_json((release / "manifest.json").read_text("utf-8"))
    sent = Sent(deliver(release, outlet), manifest)
    return conclude(sent, recipe, board=board, outlet=outlet, keep=keep)


def deliver(release: Path, outlet: Outlet) -> Place:
    """Bring a version to where releases stand; in a folder of this machine it stands already."""
    match outlet:
        case Folder():
            return release
        case StagedStore():
            return policies.patient(deliver_release)(release, outlet)
        case _:
            assert_never(outlet)


def conclude(
    sent: Sent, recipe: Recipe, *, board: Board, outlet: Outlet, keep: int | None
) -> Place:
    """Show what was made, delete what is older than is kept, and refuse what failed."""
    release, manifest, home = sent.place, sent.manifest, outlet.home(recipe.name)
    board.finish(release, manifest)
    if keep is not None:
        outlet.retire(home, keep=keep, failed=True)
    if manifest.verdict == "fail":
        raise refusal(release, manifest, recipe)
    if keep is not None:
        outlet.retire(home, keep=keep, failed=False)
    return release


def refusal(release: Place, manifest: Manifest, recipe: Recipe) -> GateError:
    """Say what is wrong with a failed corpus; missing rows first, for they fail gates too."""
    rows, place = manifest.rows, f"{release}/report.html"
    if manifest.shortfalls and not recipe.budget.allow_shortfall:
        most = max(manifest.shortfalls, key=lambda shortfall: shortfall.missing)
        return GateError(
            f"{rows.shortfall} of {rows.requested} rows are missing; most, {most.missing}, of "
            f"label {most.label!r} by {most.strategy}: {_reasons(most)}",
            code="CS-V002",
            place=place,
            hint="loosen the gate that rejects, raise the budget, or allow it: "
            "budget.allow_shortfall: true",
        )
    failed = [gate for gate in manifest.gates if not gate.passed]
    if not failed and manifest.audit is not None:
        return GateError(
            f"the audit blocks it: {manifest.audit.reasons[0]}",
            code="CS-V001",
            place=place,
            hint="nothing was released; the report shows the rows. Mend the recipe, or move the "
            "bound with gates.audit",
        )
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return GateError(
        f"gate {failed[0].name}: {failed[0].observed} observed, {failed[0].bound} wanted{more}",
        code="CS-V001",
        place=place,
        hint="nothing was released; the report shows the rows. Change the recipe or the bound",
    )


def _reasons(shortfall: Shortfall) -> str:
    ordered = sorted(shortfall.reasons.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{reason} {count}" for reason, count in ordered)
