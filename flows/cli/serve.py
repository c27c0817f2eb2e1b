"""`corpusmith serve`: one recipe on a schedule, on one machine, until it is stopped."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Keep, Out, Overrides, Quiet, RecipePath
from flows.cli.output import visible, working
from schemas.errors import InputError

if TYPE_CHECKING:
    from prefect.schedules import Schedule


def serve(
    recipe: RecipePath,
    cron: Annotated[
        str, typer.Option("--cron", help='When to run: "0 2 * * *" is two o\'clock every night.')
    ],
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Of --cron: Europe/Berlin.")
    ] = "UTC",
    out: Out = "out",
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    force: Annotated[
        bool, typer.Option("--force", metavar="", help="Make a new version every time.")
    ] = False,
    keep: Keep = None,
    quiet: Quiet = False,
) -> None:
    """Run a recipe on a schedule until you stop it; a run that changes nothing makes nothing."""
    when = schedule_of(cron, timezone)
    from flows.cli.running import prepare_home
    from tasks.preflight.checks import check_recipe
    from tasks.release.outlet import Folder, open_outlet

    with working("checking the recipe", quiet=quiet):
        name = check_recipe(recipe, overrides=overrides).recipe.name
    outlet = open_outlet(out)
    prepare_home(outlet.home(name))
    parameters = {
        # The runs start in folders of their own.
        "recipe": str(recipe.resolve()),
        "out": str(outlet.folder.resolve()) if isinstance(outlet, Folder) else out,
        "overrides": overrides,
        "force": force,
        "keep": keep,
    }
    from flows.server import prefect_server

    with prefect_server(shown=True):
        from flows.serving import serve_generate

        serve_generate(name, when, parameters, say=_nothing if quiet else _say)


def schedule_of(cron: str, timezone: str) -> "Schedule":
    """Read a schedule.

    Raises:
        InputError: CS-I001 when the expression or the time zone is wrong.
    """
    from prefect.client.schemas.schedules import CronSchedule
    from prefect.schedules import Cron
    from pydantic import ValidationError

    try:
        CronSchedule(cron=cron, timezone=timezone)
    except ValidationError as error:
        option = str(error.errors()[0]["loc"][0])
        wrong, hint = {
            "cron": (
                f"{cron!r} is no cron expression",
                'minute, hour, day of month, month, day of week: --cron "0 2 * * *" is 02:00 '
                "every night",
            ),
            "timezone": (
                f"there is no time zone {timezone!r}",
                "use a name of the tz database: UTC, Europe/Berlin, America/New_York",
            ),
        }[option]
        raise InputError(wrong, code="CS-I001", place=f"--{option}", hint=hint) from None
    return Cron(cron, timezone=timezone)


def _say(line: str) -> None:
    typer.echo(visible(line), err=True)


def _nothing(line: str) -> None:
    return
