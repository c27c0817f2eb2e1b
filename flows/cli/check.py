"""`corpusmith check`: everything that can be said about a recipe before anything is generated."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import Json, Overrides, RecipePath


def check(
    recipe: RecipePath,
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    out: Annotated[
        Path, typer.Option("--out", help="Where earlier releases lie, to predict by.")
    ] = Path("out"),
    as_json: Json = False,
) -> None:
    """Check a recipe without loading the model, and print the plan: rows, tokens, seconds, megabytes."""
    from tasks.preflight.checks import check_recipe
    from tasks.preflight.plan_summary import summarise

    summary = summarise(check_recipe(recipe, overrides=overrides), out=out)
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console, forecast = Console(), summary["forecast"]
    kinds = list(summary["strategies"])
    table = Table("label", *kinds, "rows", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for label, rows in summary["quotas"].items():
        cells = [f"{rows[kind]:,}" for kind in kinds]
        table.add_row(escape(label), *cells, f"{sum(rows.values()):,}")
    totals = [f"{sum(rows[kind] for rows in summary['quotas'].values()):,}" for kind in kinds]
    table.add_row("[bold]all[/]", *totals, f"[bold]{summary['rows']:,}[/]")
    prompt = summary["prompt_tokens"]
    console.print(
        f"[bold]{summary['name']}[/]: the recipe is right. Model {escape(summary['model'])}.\n"
    )
    console.print(table)
    console.print(
        f"\nprompts   {prompt['mean']:,.0f} tokens on average, {prompt['most']:,} at most, "
        f"of a context of {summary['context']:,}"
        f"\ntokens    about {forecast['tokens']:,} to generate, at most {forecast['most_tokens']:,}"
        f"\ntime      about {_duration(forecast['seconds'])} of generation"
        f"\nrelease   about {forecast['megabytes']:,.1f} MB"
        f"\n[dim]{forecast['basis']}[/]",
        highlight=False,
    )


def _duration(seconds: float) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(seconds, 1):,.0f} seconds"
