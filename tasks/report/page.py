"""Templates to one page: self-contained, without any request, complete without script."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.report import audit_charts, audit_figures, audit_wording, charts, formatting, wording

_HERE = Path(__file__).parent


def render_template(name: str, **context: object) -> str:
    """Render a template of this folder with the report's style and script, and a policy for both.

    Every text of the context is escaped and stands in element content only, never in an attribute,
    a script or a style. The page's policy forbids every load, and every style and script but its
    own two.

    Args:
        name: The template's file name.
        context: What the template reads by these names.
    """
    return "".join(template_pieces(name, **context))


def template_pieces(name: str, **context: object) -> Iterator[str]:
    """Render as `render_template` does, piece by piece, for who may stop before the end."""
    style = (_HERE / "report.css").read_text(encoding="utf-8")
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template(name)
        .generate(
            **context,
            style=Markup(style),
            script=Markup(script),
            policy=(
                f"default-src 'none'; style-src '{_csp_hash(style)}'; "
                f"script-src '{_csp_hash(script)}'; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (
        formatting.integer,
        formatting.decimal,
        formatting.percent,
        formatting.duration,
        formatting.gibibytes,
        formatting.utc,
        formatting.shorten,
        formatting.visible,
        wording.bound_in_words,
        audit_figures.figure,
        audit_figures.interval,
        audit_figures.bound_words,
    ):
        environment.filters[function.__name__] = function
    environment.globals.update(
        share_bar=charts.share_bar,
        slice_bar=charts.slice_bar,
        histogram=charts.histogram,
        interval_plot=audit_charts.interval_plot,
        share_slice=audit_charts.share_slice,
        words=audit_wording,
    )
    return environment


def _csp_hash(content: str) -> str:
    """Return the source expression that allows exactly this inline element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
