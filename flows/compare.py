"""The compare flow: two datasets in, what became of the second out."""

from pathlib import Path

from prefect import flow

from flows import policies
from schemas.comparison import Comparison
from schemas.errors import GateError
from tasks.audit.side_by_side import Sides
from tasks.compare_datasets import compare_datasets


@flow(name="compare", validate_parameters=True)
def compare(sides: Sides, out: Path) -> Path:
    """Hold a dataset against another.

    Args:
        sides: The two datasets.
        out: Folder of the report.

    Returns:
        The report's page.

    Raises:
        InputError: If a file is wrong; nothing was measured.
        GateError: If a gate got worse; the report is written.
    """
    found = policies.patient(compare_datasets)(sides, out)
    if (error := regression(found, out)) is not None:
        raise error
    return out / "report.html"


def regression(found: Comparison, out: Path) -> GateError | None:
    """Return the error of a comparison in which a gate got worse; None for any other."""
    worse = found.regressions
    if not worse:
        return None
    names = ", ".join(worse[:5]) + (f" and {len(worse) - 5} more" if len(worse) > 5 else "")
    return GateError(
        f"{len(worse)} {'gate' if len(worse) == 1 else 'gates'} got worse: {names}",
        code="CS-V001",
        place=str(out / "report.html"),
        hint="the report shows both sides; mend the data, or move the bound with --gates FILE",
    )
