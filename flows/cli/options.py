"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

RecipePath = Annotated[
    Path, typer.Argument(metavar="RECIPE", help="The recipe, a YAML file.", show_default=False)
]
Out = Annotated[
    str,
    typer.Option("--out", help="Folder of the corpora, or the URI of one: s3://, gs://, hf://."),
]
Work = Annotated[
    Path | None,
    typer.Option(
        "--work",
        metavar="DIR",
        help="Where a run works whose --out is a URI.",
        envvar="CORPUSMITH_WORK",
        show_default="a cache folder",
    ),
]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replace a value of the recipe: rows=50, strategies.0.top_p=0.8. Repeatable.",
    ),
]
Keep = Annotated[
    int | None,
    typer.Option(
        "--keep",
        metavar="N",
        min=1,
        help="Once published, delete all but N versions, and all but N failed ones.",
        show_default=False,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="Print the result as JSON, and nothing else.")
]
Quiet = Annotated[bool, typer.Option("--quiet", metavar="", help="Show no progress.")]
