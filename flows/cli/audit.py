"""`corpusmith audit`: is this dataset fit to train on?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, Quiet
from flows.cli.output import print_json, visible, working

if TYPE_CHECKING:
    from schemas.audit import Audit

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A Parquet, CSV or JSON lines file, a folder of them, or a release; or a URI of one.",
        show_default=False,
    ),
]
_HELP = {
    "reference": "Real data of the task, to compare with.",
    "holdout": "Evaluation data that must not be in DATA.",
    "examples": "Seeds that the generator was shown.",
    "mitigate": "Write weights, swapped copies and a plan of rows to add into DIR/mitigation.",
    "show_personal_data": "Do not mask e-mail addresses, numbers and the like in the report.",
    "generator": "Language model that reads the texts: `starter`, a folder or a hub id.",
    "toxicity": "Classifier of toxic texts: a folder or a hub id.",
    "embeddings": "Model of sentence-transformers: a folder or a hub id.",
}


def audit(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")],
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of texts.")] = "text",
    label: Annotated[
        str | None, typer.Option("--label", metavar="COL", help="Column of labels.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option("--reference", metavar="REAL", help=_HELP["reference"])
    ] = None,
    holdout: Annotated[
        str | None, typer.Option("--holdout", metavar="REAL", help=_HELP["holdout"])
    ] = None,
    examples: Annotated[
        str | None, typer.Option("--examples", metavar="SEEDS", help=_HELP["examples"])
    ] = None,
    gates: Annotated[
        Path | None, typer.Option("--gates", metavar="FILE", help="Bounds, in YAML.")
    ] = None,
    mitigate: Annotated[
        bool, typer.Option("--mitigate", metavar="", help=_HELP["mitigate"])
    ] = False,
    show_personal_data: Annotated[
        bool, typer.Option("--show-personal-data", metavar="", help=_HELP["show_personal_data"])
    ] = False,
    generator: Annotated[
        str | None, typer.Option("--generator", metavar="MODEL", help=_HELP["generator"])
    ] = None,
    toxicity: Annotated[
        str | None, typer.Option("--toxicity", metavar="MODEL", help=_HELP["toxicity"])
    ] = None,
    embeddings: Annotated[
        str | None, typer.Option("--embeddings", metavar="MODEL", help=_HELP["embeddings"])
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Measure a dataset and write a report with a verdict: ship, fix or block."""
    from flows.audit import refusal
    from tasks.audit.reading import Choice
    from tasks.audit.run import Request
    from tasks.audit_dataset import audit_dataset
    from tasks.release.fetch import local_copy, optional_copy

    request = Request(
        local_copy(data),
        Choice(text, label),
        show_personal_data=show_personal_data,
        mitigate=mitigate,
        reference=optional_copy(reference),
        holdout=optional_copy(holdout),
        examples=optional_copy(examples),
        gates=gates,
        generator=generator,
        toxicity=toxicity,
        embeddings=embeddings,
    )
    with working("auditing", quiet=quiet) as say:
        found = audit_dataset.fn(request, out, say)
    if as_json:
        print_json(found.model_dump(mode="json", exclude={"sections", "sample"}))
    elif not quiet:
        show_audit(found)
    if (error := refusal(found, out)) is not None:
        raise error
    if not as_json:
        print(out / "report.html")
    return 0


def show_audit(audit: "Audit") -> None:
    """Show verdict, reasons and bands on stderr."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(stderr=True)
    colour = {"ship": "green", "fix": "yellow", "block": "red"}[audit.verdict]
    console.print(Text(audit.verdict, style=f"bold {colour}"))
    for reason in audit.reasons:
        console.print(Text(f"  {visible(reason)}"), soft_wrap=True)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column()
    table.add_column(overflow="fold")
    for band in audit.bands:
        table.add_row(band.group.value, band.level, Text(visible(band.why)))
    console.print(table, highlight=False)
