"""`corpusmith check`: everything that can be said about a recipe before anything is generated."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json, Overrides, RecipePath
from flows.cli.output import open_console, print_json, visible, working

if TYPE_CHECKING:
    from rich.table import Table

_LABEL_WIDTH = 20
"""Columns of a terminal that a label, which may be folded, should have."""


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
    title = Text(f"{summary['name']}: the recipe is right.", style="bold")
    console.print(title.append(f" Model: {visible(summary['model'])}\n", style="not bold"))
    for table in _quotas(summary, width=console.width):
        console.print(table)
        console.print()
    facts = Table.grid(padding=(0, 2, 0, 0))
    for name, fact in _facts(summary, forecast).items():
        facts.add_row(name, Text(fact))
    console.print(facts)
    console.print(Text(visible(forecast["basis"]), style="dim"))


def _quotas(summary: dict[str, Any], *, width: int) -> list["Table"]:
    """Rows by label and strategy; by either alone when their table is wider than the terminal."""
    quotas, kinds = summary["quotas"], list(summary["strategies"])
    rows = summary["rows"]
    by_kind = {kind: sum(cells[kind] for cells in quotas.values()) for kind in kinds}
    by_label = {label: sum(cells.values()) for label, cells in quotas.items()}
    if sum(len(kind) + 2 for kind in (*kinds, "rows")) + _LABEL_WIDTH <= width:
        table = _open_table("label", (*kinds, "rows"))
        for label, cells in quotas.items():
            _add_row(table, label, [*cells.values(), by_label[label]])
        _add_row(table, "all", [*by_kind.values(), rows], style="bold")
        return [table]
    apart = []
    for name, counts in (("label", by_label), ("strategy", by_kind)):
        table = _open_table(name, ("rows",))
        for key, count in counts.items():
            _add_row(table, key, [count])
        _add_row(table, "all", [rows], style="bold")
        apart.append(table)
    return apart


def _open_table(name: str, columns: tuple[str, ...]) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(name, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _add_row(table: "Table", name: str, counts: list[int], *, style: str = "") -> None:
    from rich.text import Text

    table.add_row(Text(visible(name)), *(f"{count:,}" for count in counts), style=style)


def _facts(summary: dict[str, Any], forecast: dict[str, Any]) -> dict[str, str]:
    prompt, usd = summary["prompt_tokens"], forecast["usd"]
    money = {} if usd is None else {"money": f"about {_dollars(usd)} US dollars"}
    shared = {kind: rows for kind, rows in summary["rows_per_prompt"].items() if rows > 1}
    yields = ", ".join(f"{rows:,} by {kind}" for kind, rows in shared.items())
    return {
        "prompts": f"{prompt['mean']:,.0f} tokens on average, {prompt['most']:,} at most, "
        f"of a context of {summary['context']:,}",
        **({"rows a prompt": f"up to {yields}"} if yields else {}),
        "tokens": f"about {forecast['tokens']:,} to generate, at most {forecast['most_tokens']:,}",
        **money,
        "time": _time(forecast["seconds"]),
        "release": f"about {_megabytes(forecast['megabytes'])} MB",
        "backend": summary["backend"],
        "runs on": "\n".join(_runs_on(summary["runs_on"])),
    }


def _runs_on(columns: dict[str, list[str]]) -> Iterator[str]:
    """Say on what each strategy of the recipe runs, in one line for all that run on the same."""
    alike: dict[str, list[str]] = {}
    for kind, names in columns.items():
        alike.setdefault(", ".join(names), []).append(kind)
    for where, kinds in alike.items():
        yield f"{', '.join(kinds)}: {where}"


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
