"""`corpusmith evaluate`: train on synthetic, test on real."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json, Quiet
from flows.cli.output import print_json, visible, working

if TYPE_CHECKING:
    from schemas.evaluation import Evaluation

_HELP = {
    "synthetic": "The synthetic set: a file, a folder of files, or a release.",
    "test": "Real rows to test on, which nothing was trained or generated from.",
    "train": "Real rows to train on, for comparison.",
    "student": "Who learns: `linear`, or the folder of an encoder.",
    "seed": "Of subsamples, resampling and students that draw lots.",
    "seeds": "How many seeds, counted up from --seed.",
    "at_least": "Least macro-F1, as part of the real student's; without --train, itself.",
    "keep_copies": "Train on rows that repeat a test row too.",
}


def evaluate(
    synthetic: Annotated[Path, typer.Option("--synthetic", metavar="A", help=_HELP["synthetic"])],
    test: Annotated[Path, typer.Option("--test", metavar="REAL", help=_HELP["test"])],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")],
    train: Annotated[
        Path | None, typer.Option("--train", metavar="REAL", help=_HELP["train"])
    ] = None,
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of texts.")] = "text",
    label: Annotated[
        str | None, typer.Option("--label", metavar="COL", help="Column of labels.")
    ] = None,
    student: Annotated[
        str, typer.Option("--student", metavar="MODEL", help=_HELP["student"])
    ] = "linear",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, max=999_999_999, help=_HELP["seed"])
    ] = 0,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, max=20, help=_HELP["seeds"])
    ] = 3,
    at_least: Annotated[
        float | None,
        typer.Option("--at-least", metavar="SHARE", min=0.0, max=2.0, help=_HELP["at_least"]),
    ] = None,
    keep_copies: Annotated[
        bool, typer.Option("--keep-copies", metavar="", help=_HELP["keep_copies"])
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Train on a synthetic set, test on real rows: is it worth training on?"""
    from flows.evaluate import refusal
    from schemas.evaluation import Terms
    from tasks.audit.reading import Choice
    from tasks.evaluate_dataset import evaluate_dataset
    from tasks.utility.evaluation import Request

    terms = Terms(
        student=student, seed=seed, num_seeds=seeds, at_least=at_least, keep_copies=keep_copies
    )
    request = Request(synthetic, test, train, Choice(text, label), terms)
    with working("evaluating", quiet=quiet) as say:
        found = evaluate_dataset.fn(request, out, say)
    if as_json:
        print_json(found.model_dump(mode="json"))
    elif not quiet:
        show_evaluation(found)
    if (error := refusal(found, out)) is not None:
        raise error
    if not as_json:
        print(out / "report.html")
    return 0


def show_evaluation(found: "Evaluation") -> None:
    """Show on stderr what the synthetic set is worth, and what to know about the figures."""
    from rich.console import Console
    from rich.text import Text

    from tasks.report import evaluation_wording as words

    console = Console(stderr=True, highlight=False)
    colour = {"ship": "green", "fix": "yellow", "fail": "red"}[words.tone(found)]
    console.print(Text(words.headline(found), style=f"bold {colour}"), soft_wrap=True)
    for sentence in (*words.reasons(found), *found.notes):
        console.print(Text(f"  {visible(sentence)}"), soft_wrap=True)
