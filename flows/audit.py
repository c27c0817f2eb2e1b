"""The audit flow: a dataset in, a verdict with its report out."""

from pathlib import Path

from prefect import flow

from flows import policies
from schemas.audit import Audit
from schemas.errors import GateError
from tasks.audit.run import Request
from tasks.audit_dataset import audit_dataset


@flow(name="audit", validate_parameters=True)
def audit(request: Request, out: Path) -> Path:
    """Audit a dataset.

    Args:
        request: What to audit, and beside what.
        out: Folder of the report.

    Returns:
        The report's page.

    Raises:
        InputError: If a file is wrong; nothing was measured.
        GateError: If the verdict is `block`; the report is written.
    """
    found = policies.patient(audit_dataset)(request, out)
    if (error := refusal(found, out)) is not None:
        raise error
    return out / "report.html"


def refusal(audit: Audit, out: Path) -> GateError | None:
    """Return the error of an audit that blocks its dataset; None for any other."""
    if audit.verdict != "block":
        return None
    return GateError(
        audit.reasons[0],
        code="CS-V001",
        place=str(out / "report.html"),
        hint="the report shows the rows; mend the data, or move the bound with --gates FILE",
    )
