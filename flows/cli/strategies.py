"""`corpusmith strategies`: what there is to choose from."""

from typing import Any

from flows.cli.options import Json
from flows.cli.output import open_console, print_json
from schemas.base import Frozen
from schemas.strategies import STRATEGY_CLASSES

_SHARED = ("kind", "share", "length", "stop")


def strategies(as_json: Json = False) -> None:
    """List the decoding strategies with their parameters, defaults and source papers."""
    found = [_describe(strategy) for strategy in STRATEGY_CLASSES]
    if as_json:
        print_json(found)
    else:
        _show(found)


def _show(found: list[dict[str, Any]]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = open_console()
    for entry in found:
        console.print(Text(entry["kind"], style="bold"))
        console.print(Padding(Text(entry["meaning"]), (0, 0, 0, 2)))
        parameters = Table.grid(padding=(0, 2, 0, 0))
        for name, parameter in entry["parameters"].items():
            parameters.add_row(
                Text(f"{name}: {parameter['default']}", no_wrap=True),
                Text(parameter["meaning"], style="dim"),
            )
        if entry["parameters"]:
            console.print(Padding(parameters, (0, 0, 0, 4)))
        if entry["source"]:
            # A link that is broken over lines cannot be clicked or copied.
            console.print(f"    {entry['source']}", soft_wrap=True)
        console.print()
    console.print(
        "Each also takes share, length: {min, max} in tokens, and stop: a list of texts, and runs"
        " on the backend transformers. The numbers are the defaults."
    )


def _describe(strategy: type[Frozen]) -> dict[str, Any]:
    fields = strategy.model_fields
    return {
        "kind": fields["kind"].default,
        "meaning": " ".join((strategy.__doc__ or "").split()),
        "source": getattr(strategy, "source", ""),
        "parameters": {
            name: {"default": field.default, "meaning": field.description or ""}
            for name, field in fields.items()
            if name not in _SHARED
        },
        "backends": ["transformers"],
    }
