"""Task: hold a dataset against another and write the report."""

from collections.abc import Callable
from pathlib import Path

from prefect import task

from schemas.comparison import Comparison
from tasks.audit.side_by_side import Sides, compare
from tasks.planning.faults import disk_faults
from tasks.report.comparison_page import write_comparison


@task
def compare_datasets(
    sides: Sides, out: Path, report: Callable[[str], None] = lambda stage: None
) -> Comparison:
    """Audit both, compare, and write `report.html` and `report.json` into a folder.

    Args:
        sides: The two datasets.
        out: The folder; it is made when it is not there, and an older report in it is replaced.
        report: Told what begins.
    """
    with disk_faults(out):
        out.mkdir(parents=True, exist_ok=True)
    found = compare(sides, report=report)
    write_comparison(found, out)
    return found
