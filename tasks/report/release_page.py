"""The report of a release as one page and its JSON twin."""

from pathlib import Path

from tasks.report.audit_page import LIMITS, encodable_json
from tasks.report.audit_view import view
from tasks.report.findings import Findings
from tasks.report.page import render_fitting, render_template

_TEMPLATE = "report.html.j2"


def render_page(findings: Findings) -> str:
    """Render the report as one HTML document.

    Args:
        findings: What the report says, the audit included.

    Returns:
        The document, below 2 MB for findings that a `FindingsBuilder` made. It says what it leaves
        out of the audit.
    """
    audit = findings.audit
    if audit is None:
        return render_template(_TEMPLATE, f=findings, audit=None)
    return render_fitting(
        _TEMPLATE, ({"f": findings, "audit": view(audit, limits)} for limits in LIMITS)
    )


def write_report(findings: Findings, folder: Path) -> None:
    """Write `report.html` and `report.json` into an existing folder.

    Raises:
        OSError: If the folder cannot be written.
    """
    (folder / "report.html").write_text(render_page(findings), encoding="utf-8", newline="\n")
    (folder / "report.json").write_bytes(encodable_json(findings))
