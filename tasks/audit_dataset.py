"""Task: audit a dataset of anyone's and write its report."""

from collections.abc import Callable
from pathlib import Path

from prefect import task

from schemas.audit import Audit
from tasks.audit.run import Request, run_audit
from tasks.expectations.validate import write_validation
from tasks.planning.faults import disk_faults
from tasks.report.audit_page import write_audit_report


@task
def audit_dataset(
    request: Request, out: Path, report: Callable[[str], None] = lambda stage: None
) -> Audit:
    """Measure, judge, and write `report.html`, `report.json` and `expectations/` into a folder.

    Where the request asks for mitigations, their files go into `mitigation/`.

    Args:
        request: What to audit, beside what.
        out: The folder; it is made when it is not there, and an older report in it is replaced.
        report: Told what begins.
    """
    with disk_faults(out):
        out.mkdir(parents=True, exist_ok=True)
    mitigation = out / "mitigation" if request.mitigate else None
    audit, validation = run_audit(request, mitigation=mitigation, report=report)
    with disk_faults(out):
        write_validation(validation, out / "expectations")
    write_audit_report(audit, out)
    return audit
