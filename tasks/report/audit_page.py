"""The report of an audit as one page and its JSON twin."""

from pathlib import Path

from schemas.audit import Audit
from tasks.report.audit_view import Limits, view
from tasks.report.bounded_page import bounded_page, write_page_and_twin

_TEMPLATE = "audit.html.j2"
LIMITS = (
    Limits(
        findings=100, evidence=12, chars=300, sentence=1200, gates=300, metrics=200, tables=20,
        table_rows=60, table_columns=14, cell=160, sample=100,
    ),
    Limits(
        findings=60, evidence=5, chars=200, sentence=600, gates=150, metrics=100, tables=12,
        table_rows=20, table_columns=12, cell=80, sample=40,
    ),
    Limits(
        findings=30, evidence=2, chars=120, sentence=120, gates=60, metrics=12, tables=4,
        table_rows=4, table_columns=6, cell=20, sample=12,
    ),
)  # fmt: skip
"""Tried in turn until the page is small enough. The last is small for the worst texts there are."""


def render_audit_page(audit: Audit) -> str:
    """Render the report as one HTML document, under the same rules as a release's report.

    Args:
        audit: What was found. All its texts are untrusted.

    Returns:
        The document, at most `bounded_page.MAX_BYTES` long in UTF-8. It says what it leaves out.
    """
    return bounded_page(_TEMPLATE, ({"f": view(audit, limits)} for limits in LIMITS))


def write_audit_report(audit: Audit, folder: Path) -> None:
    """Write `report.html` and `report.json` into an existing folder.

    Halves of surrogate pairs, which no file of UTF-8 can hold, are replaced in the twin.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    write_page_and_twin(render_audit_page(audit), audit, folder)
