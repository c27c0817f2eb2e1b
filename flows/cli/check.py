"""`corpusmith check`: everything that can be said about a recipe before anything is generated."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import Json, Overrides, RecipePath
from flows.cli.output import open_console, print_json, visible, working


def check(
    recipe: RecipePath,
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    out: Annotated[
        Path, typer.Option("--out", help="Where earlier releases lie, to predict by.")
    ] = Path("out"),
    as_json: Json = False,
) -> None:
    """Check a recipe without loading the model, and print the plan and its cost."""
    from tasks.preflight.checks import check_recipe
    from tasks.preflight.plan_summary import summarise

    with working("checking the recipe"):
        summary = summarise(check_recipe(recipe, overrides=overrides), out=out)
    if as_json:
        print_json(summary)
    else:
        _show(summary)


def _show(summary: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    console, forecast = open_console(), summary["forecast"]
    kinds = list(summary["strategies"])
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("label", overflow="fold")
    for kind in (*kinds, "rows"):
        table.add_column(kind, justify="right")
    for label, rows in summary["quotas"].items():
        cells = [f"{rows[kind]:,}" for kind in kinds]
        table.add_row(Text(visible(label)), *cells, f"{sum(rows.values()):,}")
    totals = [f"{sum(rows[kind] for rows in summary['quotas'].values()):,}" for kind in kinds]
    table.add_row("all", *totals, f"{summary['rows']:,}", style="bold")
    title = Text(f"{summary['name']}: the recipe is right.", style="bold")
    console.print(title.append(f" Model: {visible(summary['model'])}\n", style="not bold"))
    console.print(table)
    console.print()
    facts = Table.grid(padding=(0, 2, 0, 0))
    for name, fact in _facts(summary, forecast).items():
        facts.add_row(name, Text(fact))
    console.print(facts)
    console.print(Text(visible(forecast["basis"]), style="dim"))


def _facts(summary: dict[str, Any], forecast: dict[str, Any]) -> dict[str, str]:
    prompt, usd = summary["prompt_tokens"], forecast["usd"]
    money = {} if usd is None else {"money": f"about {_dollars(usd)} US dollars"}
    return {
        "prompts": f"{prompt['mean']:,.0f} tokens on average, {prompt['most']:,} at most, "
        f"of a context of {summary['context']:,}",
        "tokens": f"about {forecast['tokens']:,} to generate, at most {forecast['most_tokens']:,}",
        **money,
        "time": _time(forecast["seconds"]),
        "release": f"about {_megabytes(forecast['megabytes'])} MB",
    }


def _megabytes(number: float) -> str:
    return f"{number:,.1f}" if number >= 0.1 else f"{number:.1g}"


def _dollars(number: float) -> str:
    return f"{number:,.2f}" if number >= 0.1 else f"{number:.1g}"


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"about {_duration(seconds)} of generation"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:,.0f} seconds" if seconds >= 1.5 else "a second"
