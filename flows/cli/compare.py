"""`corpusmith compare`: two datasets side by side, and which gates got worse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import Json, Quiet
from flows.cli.output import print_json, visible, working

if TYPE_CHECKING:
    from schemas.comparison import Comparison

First = Annotated[
    str,
    typer.Argument(
        metavar="A",
        help="The dataset to compare with: a file, a folder of files, a release; or a URI of one.",
        show_default=False,
    ),
]
Second = Annotated[
    str, typer.Argument(metavar="B", help="The dataset in question.", show_default=False)
]


def compare(
    first: First,
    second: Second,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")],
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of texts.")] = "text",
    label: Annotated[
        str | None, typer.Option("--label", metavar="COL", help="Column of labels.")
    ] = None,
    gates: Annotated[
        Path | None, typer.Option("--gates", metavar="FILE", help="Bounds, in YAML.")
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Hold dataset B against dataset A; exit code 1 when a gate got worse."""
    from flows.compare import regression
    from tasks.audit.reading import Choice
    from tasks.audit.side_by_side import Sides
    from tasks.compare_datasets import compare_datasets
    from tasks.release.fetch import local_copy

    with working("comparing", quiet=quiet) as say:
        sides = Sides(local_copy(first), local_copy(second), Choice(text, label), gates)
        found = compare_datasets.fn(sides, out, say)
    if as_json:
        print_json(_summary(found, out))
    elif not quiet:
        show_comparison(found)
    if (error := regression(found, out)) is not None:
        raise error
    if not as_json:
        print(out / "report.html")
    return 0


def show_comparison(found: "Comparison") -> None:
    """Show on stderr what became of the second dataset, and what got worse."""
    from rich.console import Console
    from rich.text import Text

    from tasks.report import comparison_wording as words

    console = Console(stderr=True, highlight=False)
    colour = {"ship": "green", "fix": "yellow", "fail": "red"}[words.tone(found)]
    console.print(Text(words.headline(found), style=f"bold {colour}"), soft_wrap=True)
    for sentence in (words.verdict_change(found), words.label_change(found), words.kept(found)):
        console.print(Text(f"  {sentence}"), soft_wrap=True)
    for pair in found.metrics:
        if pair.change == "worse":
            apart = words.difference(pair.first, pair.second, pair.unit)
            console.print(Text(f"  worse: {visible(pair.title)}, {apart}"), soft_wrap=True)


def _summary(found: "Comparison", out: Path) -> dict[str, Any]:
    """Return what is small of a comparison; `report.json` holds the rest."""
    plain = found.model_dump(mode="json", include={"metrics", "gates", "new_labels", "lost_labels"})
    verdicts = {"first": found.first.verdict, "second": found.second.verdict}
    return {
        "report": str(out / "report.html"),
        "regressions": list(found.regressions),
        "verdicts": verdicts,
        "kept_rows": found.kept_rows,
        **plain,
    }
