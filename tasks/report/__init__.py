"""The report of a release: findings collected over shards, one HTML page and its JSON twin."""

from tasks.report.builder import FindingsBuilder
from tasks.report.findings import Findings
from tasks.report.release_page import render_page, write_report

__all__ = ["Findings", "FindingsBuilder", "render_page", "write_report"]
