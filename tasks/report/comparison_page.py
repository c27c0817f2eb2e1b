"""The report of a comparison as one page and its JSON twin."""

from pathlib import Path

from schemas.comparison import Comparison
from tasks.report.audit_page import LIMITS
from tasks.report.bounded_page import bounded_page, write_page_and_twin
from tasks.report.comparison_view import view

_TEMPLATE = "comparison.html.j2"


def render_comparison_page(found: Comparison) -> str:
    """Render the report as one HTML document, under the same rules as an audit's.

    Args:
        found: Both audits and what became of them. All texts are untrusted.

    Returns:
        The document, at most `bounded_page.MAX_BYTES` long in UTF-8. It says what it leaves out.
    """
    return bounded_page(_TEMPLATE, ({"f": view(found, limits)} for limits in LIMITS))


def write_comparison(found: Comparison, folder: Path) -> None:
    """Write `report.html` and `report.json` into an existing folder.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    write_page_and_twin(render_comparison_page(found), found, folder)
