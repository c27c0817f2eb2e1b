"""`corpusmith preview`: a few rows at once, without Prefect and without files."""

import json
from typing import Annotated, Any

import typer

from flows.cli.options import Json, Overrides, RecipePath


def preview(
    recipe: RecipePath,
    rows: Annotated[int, typer.Option("-n", "--rows", min=1, max=1000, help="How many rows.")] = 5,
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    as_json: Json = False,
) -> None:
    """Generate a few rows and show prompt, text, label, noise and verdicts; nothing is written."""
    from tasks.preflight.checks import check_recipe
    from tasks.preflight.sample import sample_rows

    shown = sample_rows(check_recipe(recipe, overrides=overrides), rows)
    if as_json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        _show(shown)


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from flows.cli.errors import printable

    console = Console()
    for row in rows:
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim")
        facts.add_column()
        facts.add_row("label", Text(printable(row["label"])))
        facts.add_row("strategy", f"{row['strategy']}, seed {row['seed']}")
        facts.add_row("prompt", Text(printable(row["prompt"]), style="dim"))
        facts.add_row("text", Text(printable(row["clean_text"] or row["text"]), style="bold"))
        if row["clean_text"] is not None:
            edits = ", ".join(f"{e['kind']} {e['before']!r} > {e['after']!r}" for e in row["noise"])
            facts.add_row("noised", Text(printable(row["text"])))
            facts.add_row("edits", Text(printable(edits) or "none came about"))
        facts.add_row("ended by", f"{row['finish_reason']} after {row['num_tokens']} tokens")
        accepted = row["reason"] is None
        verdict = "accepted" if accepted else f"rejected: {row['reason']} ({row['detail']})"
        facts.add_row("verdict", Text(printable(verdict), style="green" if accepted else "yellow"))
        console.print(
            Panel(Group(facts), title=Text(row["id"]), title_align="left", border_style="dim")
        )
