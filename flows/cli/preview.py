"""`corpusmith preview`: a few rows at once, without Prefect and without files."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json, Overrides, RecipePath
from flows.cli.output import open_console, print_json, visible, working

if TYPE_CHECKING:
    from rich.panel import Panel

_MOST_CHARS = 1_500
_MOST_LINES = 24
"""A longer prompt or text is cut on the screen, never in JSON."""


def preview(
    recipe: RecipePath,
    rows: Annotated[
        int,
        typer.Option("-n", "--rows", min=1, max=1000, metavar="N", help="How many rows, at most."),
    ] = 5,
    overrides: Overrides = [],  # noqa: B006 - Typer reads the default and never changes it
    as_json: Json = False,
) -> None:
    """Generate a few rows and show prompt, text, label, noise and verdicts; nothing is written."""
    from tasks.preflight.checks import check_recipe

    with working("checking the recipe"):
        checked = check_recipe(recipe, overrides=overrides)
    with working("generating"):
        from tasks.preflight.sample import sample_rows

        shown = sample_rows(checked, rows)
    if as_json:
        print_json(shown)
        return
    console = open_console()
    for row in shown:
        console.print(_panel(row))


def _panel(row: dict[str, Any]) -> "Panel":
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("label", Text(visible(row["label"])))
    if row["clean_label"] is not None:
        facts.add_row("asked for", Text(f"{visible(row['clean_label'])} (label flipped)"))
    if row["attributes"]:
        chosen = ", ".join(f"{name}: {value}" for name, value in row["attributes"].items())
        facts.add_row("drawn", Text(visible(chosen)))
    mates = f", text {row['member'] + 1} of its prompt" if row["member"] else ""
    facts.add_row("strategy", f"{row['strategy']}, seed {row['seed']}{mates}")
    if row["weight"] is not None:
        facts.add_row("weight", f"{row['weight']:.3g}")
    facts.add_row("prompt", Text(_cut(visible(row["prompt"])), style="dim"))
    clean = row["text"] if row["clean_text"] is None else row["clean_text"]
    facts.add_row("text", Text(_cut(visible(clean)), style="bold"))
    if row["clean_text"] is not None:
        edits = ", ".join(f"{e['kind']} {e['before']!r} > {e['after']!r}" for e in row["noise"])
        facts.add_row("noised", Text(_cut(visible(row["text"]))))
        facts.add_row("edits", Text(_cut(visible(edits)) or "none came about"))
    facts.add_row("ended by", f"{row['finish_reason']} after {row['num_tokens']} tokens")
    accepted = row["reason"] is None
    verdict = "accepted" if accepted else f"rejected: {row['reason']} ({row['detail']})"
    facts.add_row("verdict", Text(visible(verdict), style="green" if accepted else "yellow"))
    return Panel(facts, title=Text(row["id"]), title_align="left", border_style="dim")


def _cut(text: str) -> str:
    """Cut a text that would fill the screen, and say so."""
    lines = text[:_MOST_CHARS].split("\n")[:_MOST_LINES]
    kept = "\n".join(lines)
    if len(kept) == len(text):
        return text
    return f"{kept}\n[{len(text) - len(kept):,} more characters; --json shows them]"
