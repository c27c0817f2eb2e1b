"""The report of a noised dataset as one page and its JSON twin."""

from pathlib import Path

from tasks.planning.faults import disk_faults
from tasks.report.noise_findings import NoiseFindings
from tasks.report.page import render_template


def render_noise_page(findings: NoiseFindings) -> str:
    """Render the report as one HTML document, under the same rules as a release's report.

    Args:
        findings: What the report says.
    """
    return render_template("noise.html.j2", f=findings)


def noise_report_paths(data: Path) -> tuple[Path, Path]:
    """Return where page and twin of a noised file belong: beside it."""
    page, twin = (data.with_name(f"{data.name}.report.{suffix}") for suffix in ("html", "json"))
    return page, twin


def write_noise_report(findings: NoiseFindings, data: Path) -> None:
    """Write page and twin beside the noised file.

    Raises:
        CorpusmithError: If they cannot be written.
    """
    page, twin = noise_report_paths(data)
    with disk_faults(page):
        page.write_text(render_noise_page(findings), encoding="utf-8", newline="\n")
        twin.write_text(findings.model_dump_json(indent=2) + "\n", encoding="utf-8", newline="\n")
