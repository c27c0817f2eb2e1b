"""Data Docs that open offline: Great Expectations' own sections in a page that loads nothing.

Imports Great Expectations: import this module inside functions only.
"""

import re
from collections.abc import Mapping

from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.render.components import RenderedDocumentContent
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, DictLoader, PackageLoader

# The library's page takes style sheets, scripts and pictures from six hosts. This one replaces it;
# its policy keeps a browser from loading or running anything even if a section asks for it.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{ page_title|e }}</title>
<style>{% include "offline.css" %}</style>
</head>
<body>
<main>
<h1>{{ page_title|e }}</h1>
{% for section in sections %}{% set section_loop = loop %}{% include "section.j2" %}{% endfor %}
</main>
</body>
</html>
"""
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #ff7b72; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 70rem; margin: auto; padding: 1rem; overflow-wrap: break-word; }
.ge-section, .row { margin-bottom: 1.5rem; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
h5 { font-size: 1.15rem; }
h6 { font-size: 1rem; }
td, th { border-bottom: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left;
  vertical-align: top; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; margin: 0.8rem 0 0.4rem; }
pre { white-space: pre-wrap; }
ul { padding-left: 1.2rem; }
.fa-check-circle::before, .fa-check::before { content: "\\2713"; }
.fa-times::before, .fa-times-circle::before { content: "\\2717"; }
.fa-exclamation-triangle::before { content: "!"; }
.text-success { color: var(--good); font-weight: bold; }
.text-danger, .text-warning { color: var(--bad); font-weight: bold; }
.badge { border: 1px solid var(--line); border-radius: 0.3rem; padding: 0 0.3rem; }
"""
_ACTIVE = re.compile(r"<script\b.*?</script\s*>|<link\b[^>]*>|<img\b[^>]*>", re.DOTALL | re.I)
_LINK = re.compile(r"</?a\b[^>]*>", re.I)


def render_docs(results: Mapping[str, ExpectationSuiteValidationResult], *, title: str) -> str:
    """Render validation results with Great Expectations' renderers into one page.

    The page holds no script, no picture and no link, and forbids loading any.

    Args:
        results: Validation results by name; a suite without expectations is left out.
        title: Heading of the page; untrusted.
    """
    renderer = ValidationResultsPageRenderer(run_info_at_end=True)
    sections = [
        section
        for result in results.values()
        if result.results
        for section in renderer.render(result).sections[:-1]
    ]
    document = RenderedDocumentContent(
        renderer_type="ValidationResultsPageRenderer",
        page_title=f"Validation of {title}",
        sections=sections,
    )
    view = DefaultJinjaPageView()
    own = DictLoader({"page.j2": _PAGE, "offline.css": _STYLE})
    view.env.loader = ChoiceLoader(
        [own, PackageLoader("great_expectations", "render/view/templates")]
    )
    page: str = view.render(document)  # type: ignore[no-untyped-call]
    return _LINK.sub("", _ACTIVE.sub("", page))
