"""`corpusmith noise --list`: the kinds of noise that there are."""

from flows.cli.output import open_console, print_json
from tasks.noise.catalogue import KindParameter, NoiseKind, catalogue


def show_kinds(*, as_json: bool) -> None:
    """Print every kind with its parameters and sources."""
    kinds = catalogue()
    if as_json:
        print_json([kind.model_dump(mode="json") for kind in kinds])
    else:
        _show(kinds)


def _show(kinds: tuple[NoiseKind, ...]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = open_console()
    for kind in kinds:
        console.print(Text(kind.kind, style="bold"))
        console.print(Padding(Text(kind.meaning), (0, 0, 0, 2)))
        parameters = Table.grid(padding=(0, 2, 0, 0))
        for parameter in kind.parameters:
            parameters.add_row(
                Text(_default(parameter), no_wrap=True), Text(parameter.meaning, style="dim")
            )
        if kind.parameters:
            console.print(Padding(parameters, (0, 0, 0, 4)))
        for source in kind.sources:
            # A link that is broken over lines cannot be clicked or copied.
            console.print(f"    {source}", soft_wrap=True, markup=False)
        console.print()
    console.print(
        "Each but label_flip and the mixtures takes rate (or one for each label) or level: light,"
        " medium, heavy; each takes labels, the only ones whose rows it meets."
    )


def _default(parameter: KindParameter) -> str:
    if parameter.is_required:
        return parameter.name
    default = "none" if parameter.default is None else parameter.default
    return f"{parameter.name}: {default}"
