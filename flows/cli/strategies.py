"""`corpusmith strategies`: what there is to choose from."""

import json
from typing import Annotated, Any

import typer

from schemas.base import Frozen
from schemas.strategies import STRATEGY_CLASSES

_SHARED = ("kind", "share", "length", "stop")


def strategies(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")] = False,
) -> None:
    """List the decoding strategies with their parameters, defaults and source papers."""
    found = [_describe(strategy) for strategy in STRATEGY_CLASSES]
    if as_json:
        print(json.dumps(found, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("kind", "parameters and defaults", "what it does", box=None, padding=(0, 2, 0, 0))
    for entry in found:
        parameters = ", ".join(f"{name}={value}" for name, value in entry["parameters"].items())
        table.add_row(entry["kind"], parameters or "none", entry["meaning"])
    console = Console(width=None)
    console.print(table, soft_wrap=False)
    console.print(
        "\nEach also takes [bold]share[/bold], [bold]length[/bold]: {min, max} in tokens, and [bold]stop[/bold]: a list of strings."
    )


def _describe(strategy: type[Frozen]) -> dict[str, Any]:
    fields = strategy.model_fields
    return {
        "kind": fields["kind"].default,
        "meaning": " ".join((strategy.__doc__ or "").split()),
        "parameters": {
            name: field.default for name, field in fields.items() if name not in _SHARED
        },
        "backends": ["transformers"],
    }
