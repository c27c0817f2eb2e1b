"""Task: train students on a synthetic set, test them on real rows, and write the report."""

from collections.abc import Callable
from pathlib import Path

from prefect import task

from schemas.evaluation import Evaluation
from tasks.planning.faults import disk_faults
from tasks.report.evaluation_page import write_evaluation
from tasks.utility.evaluation import Request, evaluate


@task
def evaluate_dataset(
    request: Request, out: Path, report: Callable[[str], None] = lambda stage: None
) -> Evaluation:
    """Train, test, and write `report.html` and `evaluation.json` into a folder.

    Args:
        request: The synthetic set, and the real rows.
        out: The folder; it is made when it is not there, and an older report in it is replaced.
        report: Told what begins.
    """
    with disk_faults(out):
        out.mkdir(parents=True, exist_ok=True)
    found = evaluate(request, report=report)
    write_evaluation(found, out)
    return found
