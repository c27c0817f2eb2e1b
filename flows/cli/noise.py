"""`corpusmith noise`: the noise stage alone, on any table of texts."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, Quiet
from flows.cli.output import print_json
from schemas.errors import InputError

if TYPE_CHECKING:
    from schemas.noise_file import LoadedNoise

command = typer.Typer()


@command.command()
def noise(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help="Parquet, CSV or JSON lines; a folder of Parquet; a release; or a URI of one.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="PATH", help="File to write: .parquet, .csv or .jsonl."),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="R", help="A recipe, or a file with `noise:` alone."),
    ] = None,
    steps: Annotated[
        list[str],
        typer.Option("--step", metavar="KIND:RATE", help="Such as keyboard:0.03. Repeatable."),
    ] = [],  # noqa: B006 - Typer reads the default and never changes it
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column to noise.")] = "text",
    label: Annotated[
        str | None, typer.Option("--label", metavar="COL", help="Column of labels.")
    ] = None,
    spans: Annotated[
        str | None,
        typer.Option("--spans", metavar="COL", help="Column of {start, end, label} lists."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=2**63 - 1, metavar="N", help="Key of all draws."),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option("--share", metavar="S", help="Part of the rows to noise."),
    ] = None,
    listing: Annotated[
        bool, typer.Option("--list", metavar="", help="List the kinds of noise, and nothing else.")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Noise the texts of a dataset; every edit is logged and can be undone."""
    if listing:
        from flows.cli.noise_kinds import show_kinds

        show_kinds(as_json=as_json)
        return
    if data is None or out is None:
        raise InputError(
            "say what to noise and where to write it",
            code="CS-I001",
            place="corpusmith noise",
            hint="`corpusmith noise DATA --step keyboard:0.03 --out PATH`",
        )
    from flows.cli.noise_run import run_noise
    from tasks.noise.table_columns import Columns
    from tasks.release.fetch import local_copy

    loaded = _loaded(recipe, steps, seed=seed, share=share)
    summary = run_noise(local_copy(data), out, Columns(text, label, spans), loaded, quiet=quiet)
    if as_json:
        print_json(summary)
    else:
        print(out)


def _loaded(
    recipe: Path | None, steps: list[str], *, seed: int | None, share: float | None
) -> "LoadedNoise":
    from schemas.noise_file import load_noise, parse_steps

    if (recipe is None) == (not steps):
        raise InputError(
            "give the steps once: with --recipe, or with --step",
            code="CS-I001",
            place="--recipe" if recipe else "--step",
            hint="`corpusmith noise --list` shows the kinds",
        )
    loaded = load_noise(recipe) if recipe else parse_steps(steps)
    if seed is not None:
        loaded = replace(loaded, seed=seed)
    if share is None:
        return loaded
    if not 0 <= share <= 1:
        raise InputError(
            "a share lies between 0 and 1",
            code="CS-I001",
            place=f"--share {share}",
            hint="0.25 noises a quarter of the rows",
        )
    return replace(loaded, noise=loaded.noise.model_copy(update={"share": share}))
