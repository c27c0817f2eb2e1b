"""`corpusmith strategies`: what there is to choose from, and which backend runs it."""

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from flows.cli.options import Json
from flows.cli.output import open_console, print_json
from schemas.base import Frozen
from schemas.strategies import STRATEGY_CLASSES
from schemas.strategies_token import SAMPLED

if TYPE_CHECKING:
    from rich.console import Console

_SHARED = ("kind", "share", "length", "stop")
_SAMPLED = ("num_return_sequences", "best_of")
"""Parameters of every strategy that samples: told once, below."""
_MATRIX_WIDTH = 72
"""Columns of a terminal that the matrix needs; below, it is told in lines."""
_NOTES = (
    "The first three columns are the families of models of the backend transformers. A masked model"
    " (BERT and its kin) rewrites an example; strategies fill its gaps.",
    "corrupt: noisy_channel restores corrupted examples there, and cannot rerank, for an"
    " encoder-decoder model judges no labels. Nor has it a best_of by label_posterior.",
    "Each also takes share, length: {min: 1, max: 64, target: none, unit: tokens | words | chars},"
    " and stop: a list of texts. length.target needs the backend transformers.",
    "Each that samples also takes num_return_sequences: 1 (rows made from one prompt) and best_of:"
    " none, or {n: 4, scorer: logprob | label_posterior | {kind: reward, name: MODEL}}, which keeps"
    " the best of n candidates for each row and needs the backend transformers.",
)


def strategies(as_json: Json = False) -> None:
    """List the decoding strategies: parameters, defaults, source papers, and what runs them."""
    found = [_describe(strategy) for strategy in STRATEGY_CLASSES]
    if as_json:
        print_json(found)
        return
    console = open_console()
    for strategy, entry in zip(STRATEGY_CLASSES, found, strict=True):
        _show(console, strategy, entry)
    _show_matrix(console, found)
    for note in _NOTES:
        console.print()
        console.print(note, markup=False)


def _show(console: "Console", strategy: type[Frozen], entry: dict[str, Any]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    told_below = _SAMPLED if issubclass(strategy, SAMPLED) else ()
    console.print(Text(entry["kind"], style="bold"))
    console.print(Padding(Text(entry["meaning"]), (0, 0, 0, 2)))
    parameters = Table.grid(padding=(0, 2, 0, 0))
    parameters.add_column(max_width=console.width // 2, overflow="fold")
    for name, told in entry["parameters"].items():
        if name not in told_below:
            default = _written(strategy.model_fields[name].default)
            parameters.add_row(Text(f"{name}: {default}"), Text(told["meaning"], style="dim"))
    if parameters.row_count:
        console.print(Padding(parameters, (0, 0, 0, 4)))
    if entry["source"]:
        # A link that is broken over lines cannot be clicked or copied.
        console.print(f"    {entry['source']}", soft_wrap=True)
    console.print()


def _show_matrix(console: "Console", found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    if console.width < _MATRIX_WIDTH:
        for entry in found:
            columns = [
                column if runs is True else f"{column} (mode: {runs})"
                for column, runs in entry["runs_on"].items()
                if runs
            ]
            console.print(f"{entry['kind']} runs on {', '.join(columns)}")
        return
    matrix = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("runs on", *found[0]["runs_on"]):
        matrix.add_column(column)
    for entry in found:
        matrix.add_row(entry["kind"], *map(_cell, entry["runs_on"].values()))
    console.print(matrix)


def _cell(runs: bool | str) -> str:
    return runs if isinstance(runs, str) else "yes" if runs else "-"


def _describe(strategy: type[Frozen]) -> dict[str, Any]:
    # Whatever names the backends is needed only here.
    from tasks.generation.support import runs_on

    fields = strategy.model_fields
    kind = fields["kind"].default
    return {
        "kind": kind,
        "meaning": " ".join((strategy.__doc__ or "").split()),
        "source": getattr(strategy, "source", ""),
        "parameters": {
            name: {
                "default": to_jsonable_python(field.default),
                "meaning": " ".join((field.description or "").split()),
            }
            for name, field in fields.items()
            if name not in _SHARED
        },
        "runs_on": runs_on(kind),
    }


def _written(default: Any) -> str:
    """Write a default as a recipe would: of a nested choice, what is not its own default."""
    match default:
        case None:
            return "none"
        case bool():
            return str(default).lower()
        case BaseModel():
            chosen = {"kind": dict(default)["kind"], **default.model_dump(exclude_defaults=True)}
            return "{" + ", ".join(f"{name}: {value}" for name, value in chosen.items()) + "}"
        case tuple():
            return "[" + ", ".join(map(_written, default)) + "]"
        case _:
            return str(default)
