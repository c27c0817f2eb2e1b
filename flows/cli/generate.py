"""`corpusmith generate`: the main flow, recipe to release."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, Overrides, RecipePath


class Resume(StrEnum):
    """What to do about an unfinished run of the same recipe."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


class Runner(StrEnum):
    """Where the tasks run."""

    THREADS = "threads"


def generate(
    recipe: RecipePath,
    out: Annotated[Path, typer.Option("--out", help="Folder of the corpora.")] = Path("out"),
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    resume: Annotated[
        Resume, typer.Option("--resume", help="Continue an unfinished run of the same recipe?")
    ] = Resume.AUTO,
    runner: Annotated[
        Runner, typer.Option("--runner", help="Where the tasks run.")
    ] = Runner.THREADS,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Make a corpus from a recipe and release it to OUT/NAME/VERSION."""
    from flows.cli.running import run_generate
    from schemas.manifest import Manifest

    release = run_generate(recipe, out, overrides=overrides, resume=resume.value, quiet=quiet)
    manifest = Manifest.model_validate_json((release / "manifest.json").read_text("utf-8"))
    if as_json:
        kept = manifest.model_dump(mode="json", exclude={"files", "packages"})
        print(json.dumps({"release": str(release), **kept}, indent=2, ensure_ascii=False))
        return
    if not quiet:
        from flows.cli.summary import show_release

        show_release(release, manifest)
    print(release)
