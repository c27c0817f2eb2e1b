"""Running the main flow: checks first, then a server, then the flow under a panel."""

import logging
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NoReturn, cast

from flows.cli.errors import show_error
from flows.cli.output import visible, working
from flows.cli.panel import show_progress
from flows.logs import as_json, say_outside
from flows.runners import THREADS, Runner, check_runner
from schemas.errors import EXIT_INTERRUPTED
from tasks.planning.faults import disk_faults
from tasks.planning.progress import ProgressReader
from tasks.planning.workspace import Workspace, locked, require_begun, unfinished, workspace_of
from tasks.preflight.checks import check_recipe
from tasks.preflight.opening import nothing_new, run_facts
from tasks.release.outlet import Place, open_outlet

Resume = Literal["auto", "never", "always"]

_NOTHING_NEW = (
    "nothing new: the newest release is of the same recipe, model and versions "
    "(--force makes another one)"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How `generate` is to run, beside what it makes.

    Args:
        resume: Continue an unfinished run of the same recipe?
        force: Make a new version even if nothing has changed.
        keep: Versions that stay; None deletes none.
        runner: Where the work on shards is done.
    """

    resume: Resume = "auto"
    force: bool = False
    keep: int | None = None
    runner: Runner = THREADS


def run_generate(
    recipe: Path, out: str, *, overrides: list[str], wishes: Wishes, quiet: bool
) -> Place:
    """Check everything, then run the flow; wrong input never reaches Prefect.

    Neither does a run that would only make again what stands already.

    Raises:
        CorpusmithError: As the flow does.
    """
    outlet = open_outlet(out)
    check_runner(wishes.runner)
    with working("checking the recipe", quiet=quiet):
        checked = check_recipe(recipe, overrides=overrides)
        facts = run_facts(checked)
    home = outlet.home(checked.recipe.name)
    if wishes.resume == "auto" and not wishes.force:
        found = nothing_new(home, facts, outlet)
        if found is not None:
            if not quiet:
                print(f"{checked.recipe.name}: {_NOTHING_NEW}", file=sys.stderr)
            return found
    require_begun(home, facts, resume=wishes.resume)
    prepare_home(home)
    if not quiet:
        mention_others(home, workspace_of(home, facts))
    reader = ProgressReader(workspace_of(home, facts), checked.recipe.rows)
    with show_progress(reader, title=checked.recipe.name, quiet=quiet):
        try:
            return _run_flow(recipe, out, overrides=overrides, wishes=wishes)
        except KeyboardInterrupt:
            say_interrupted()
            _leave_at_once(EXIT_INTERRUPTED)


def _run_flow(recipe: Path, out: str, *, overrides: list[str], wishes: Wishes) -> Place:
    from flows.server import ServerLostError, prefect_server

    try:
        with prefect_server():
            from flows.generate import generate

            release = generate(recipe, out, overrides, **asdict(wishes))
            # Prefect returns what the state holds.
            return cast("Place", release)
    except ServerLostError as error:
        show_error(error)
        _leave_at_once(error.exit_code)


def say_interrupted() -> None:
    """Say that the run was interrupted, and what to do."""
    words = "interrupted; the same command resumes this run"
    if as_json():
        say_outside("command.interrupted", words, level=logging.WARNING)
    else:
        print(f"\n{words}", file=sys.stderr, flush=True)


def mention_others(home: Path, own: Workspace) -> None:
    """Say which other unfinished runs lie in `OUT/NAME`: nothing else would delete them."""
    others = [folder for folder in unfinished(home) if folder != own.folder]
    if not others:
        return
    size = sum(path.stat().st_size for one in others for path in one.rglob("*") if path.is_file())
    runs = "1 unfinished run" if len(others) == 1 else f"{len(others)} unfinished runs"
    names = ", ".join(visible(str(one)) for one in others)
    print(
        f"note: {runs} of another recipe, model or version of corpusmith ({size / 1e6:,.1f} MB), "
        f"not resumed; delete what you no longer need: {names}",
        file=sys.stderr,
    )


def prepare_home(home: Path) -> None:
    """Make sure that nobody else writes into `OUT/NAME`, and that we can.

    Raises:
        InputError: CS-O001 when the folder cannot be written, CS-O002 when another run holds it.
    """
    with locked(home), disk_faults(home):
        probe = home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()


def _leave_at_once(code: int) -> NoReturn:
    """End the process now.

    A thread that generates would hold it for a whole shard, and Prefect's queues for minutes where
    their server has gone. Nothing is lost by it: every file of the workspace is whole or absent, so
    there is nothing to tidy, and the temporary server dies with us.
    """
    os._exit(code)
