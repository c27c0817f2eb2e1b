"""`corpusmith generate`: the main flow, recipe to release."""

import os
from typing import Annotated, Literal

import typer

from flows import logs
from flows.cli.options import Json, Keep, Out, Overrides, Quiet, RecipePath, Work
from flows.cli.output import print_json


def generate(
    recipe: RecipePath,
    out: Out = "out",
    work: Work = None,
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    resume: Annotated[
        Literal["auto", "never", "always"],
        typer.Option("--resume", help="Continue an unfinished run of the same recipe?"),
    ] = "auto",
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Make a new version if nothing changed too.")
    ] = False,
    keep: Keep = None,
    runner: Annotated[
        Literal["threads", "ray", "dask"],
        typer.Option("--runner", help="Who does the work: threads here, or workers of a cluster."),
    ] = "threads",
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="The cluster: ray://HOST:10001, tcp://HOST:8786. Without it one is started here.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", min=1, help="Models at work at once.", show_default=False
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            "--gpus-per-worker",
            metavar="X",
            min=0,
            help="GPUs for each; 1 where the model runs on one.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a corpus from a recipe and release it to OUT/NAME/VERSION."""
    from flows.cli.running import Wishes, run_generate
    from flows.runners import Runner
    from tasks.release.outlet import WORK, read_manifest

    quiet = quiet or logs.as_json()
    if work is not None:
        # By the environment: it reaches the flow on whatever runner it works.
        os.environ[WORK] = str(work.absolute())
    place = Runner(kind=runner, address=address, workers=workers, gpus_per_worker=gpus_per_worker)
    wishes = Wishes(resume=resume, force=force, keep=keep, runner=place)
    release = run_generate(recipe, out, overrides=overrides, wishes=wishes, quiet=quiet)
    manifest = read_manifest(release)
    if as_json:
        kept = manifest.model_dump(mode="json", exclude={"files", "packages"})
        print_json({"release": str(release), **kept})
        return
    if not quiet:
        from flows.cli.summary import show_release

        show_release(release, manifest)
    print(release)
