"""`corpusmith generate`: the main flow, recipe to release."""

import os
from typing import Annotated, Literal

import typer

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
        Literal["threads"], typer.Option("--runner", help="Where the tasks run.")
    ] = "threads",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a corpus from a recipe and release it to OUT/NAME/VERSION."""
    from flows.cli.running import Wishes, run_generate
    from tasks.release.outlet import WORK, read_manifest

    if work is not None:
        # By the environment: it reaches the flow on whatever runner it works.
        os.environ[WORK] = str(work.absolute())
    wishes = Wishes(resume=resume, force=force, keep=keep)
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
