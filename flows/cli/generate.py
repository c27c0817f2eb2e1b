"""`corpusmith generate`: the main flow, recipe to release."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from flows import logs
from flows.cli.options import Json, Keep, Overrides, Quiet, RecipePath
from flows.cli.output import print_json
from schemas.errors import InputError


def generate(
    recipe: RecipePath,
    out: Annotated[Path, typer.Option("--out", help="Folder of the corpora.")] = Path("out"),
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
    from schemas.manifest import Manifest

    quiet = quiet or logs.as_json()
    _refuse_remote(out)
    wishes = Wishes(resume=resume, force=force, keep=keep)
    release = run_generate(recipe, out, overrides=overrides, wishes=wishes, quiet=quiet)
    manifest = Manifest.model_validate_json((release / "manifest.json").read_text("utf-8"))
    if as_json:
        kept = manifest.model_dump(mode="json", exclude={"files", "packages"})
        print_json({"release": str(release), **kept})
        return
    if not quiet:
        from flows.cli.summary import show_release

        show_release(release, manifest)
    print(release)


def _refuse_remote(out: Path) -> None:
    # Path turns `s3://bucket` into a local folder called `s3:`.
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", str(out)):
        raise InputError(
            "only a local folder can be written",
            code="CS-O001",
            place=f"--out {out}",
            hint="write to a local folder, and upload the release from there",
        )
