"""The evaluation flow: a synthetic set and real rows in, what it is worth to train on out."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows import policies, states
from flows.artifacts import show_evaluation
from flows.audit import newest
from schemas.errors import CorpusmithError, GateError
from schemas.evaluation import Evaluation, Terms
from tasks.audit.reading import Choice
from tasks.evaluate_dataset import evaluate_dataset
from tasks.report import evaluation_wording as words
from tasks.utility.evaluation import Request

_COLUMNS = Choice()
_TERMS = Terms()


@flow(name="evaluate", validate_parameters=True)
def evaluate(
    synthetic: Path,
    test: Path,
    out: Path,
    train: Path | None = None,
    columns: Choice = _COLUMNS,
    terms: Terms = _TERMS,
) -> Path | State[Any]:
    """Train on synthetic, test on real.

    Args:
        synthetic: A Parquet, CSV or JSON lines file, a folder of them, a release, or the folder of
            a corpus, `OUT/NAME`: then its newest release.
        test: Real rows to test on, which nothing was trained or generated from.
        out: Folder of the report; an older report in it is replaced.
        train: Real rows to train on, for comparison.
        columns: The columns of texts and labels, of the other files as well.
        terms: Student, seeds, and what has to be reached.

    Returns:
        The report's page; within Prefect the state that says how the run ended (`states`).

    Raises:
        InputError: If a file is wrong; no student was trained.
        GateError: If `terms.at_least` is not reached; the report is written.
    """
    try:
        request = Request(newest(synthetic), test, train, columns, terms)
        found = policies.patient(evaluate_dataset)(request, out)
        show_evaluation(found, out, name=synthetic.name)
        if (error := refusal(found, out)) is not None:
            raise error
        return out / "report.html"
    except CorpusmithError as error:
        return states.failure(error)


def refusal(found: Evaluation, out: Path) -> GateError | None:
    """Return the error of an evaluation whose bound does not hold; None for any other."""
    if found.passed is not False:
        return None
    return GateError(
        words.bound(found).removesuffix("."),
        code="CS-V001",
        place=str(out / "report.html"),
        hint="the report shows which labels are told worst; mend the data, or move --at-least",
    )
