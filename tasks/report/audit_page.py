"""The report of an audit as one page and its JSON twin."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from schemas.audit import Audit
from tasks.planning.faults import disk_faults
from tasks.report.audit_view import Limits, view
from tasks.report.page import render_fitting

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
        The document, at most 2 MB long in UTF-8. It says what it leaves out.
    """
    return render_fitting(_TEMPLATE, ({"f": view(audit, limits)} for limits in LIMITS))


def write_audit_report(audit: Audit, folder: Path) -> None:
    """Write `report.html` and `report.json` into an existing folder.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    page, twin = folder / "report.html", folder / "report.json"
    with disk_faults(page):
        page.write_text(render_audit_page(audit), encoding="utf-8", newline="\n")
        twin.write_bytes(encodable_json(audit))


def encodable_json(report: BaseModel) -> bytes:
    """Write a report as JSON.

    Halves of surrogate pairs, which no file of UTF-8 can hold, are replaced.
    """
    plain = _encodable(report.model_dump(mode="json"))
    return to_json(plain, indent=2, inf_nan_mode="null") + b"\n"


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_encodable(inner) for inner in value]
        case dict():
            return {_encodable(key): _encodable(inner) for key, inner in value.items()}
        case _:
            return value
