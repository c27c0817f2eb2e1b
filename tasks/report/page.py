"""Templates to one page: self-contained, without any request, complete without script."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.report import audit_charts, audit_figures, audit_wording, charts, formatting, wording

MAX_BYTES = 2_000_000
"""Size of a page at most, whatever the dataset."""
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
    return "".join(_pieces(name, context))


def render_fitting(name: str, contexts: Iterable[Mapping[str, object]]) -> str:
    """Render a template with the first of `contexts` whose page is at most `MAX_BYTES` long.

    Args:
        name: The template's file name.
        contexts: At least one, each smaller than the one before; the last is rendered whatever
            its size.
    """
    last: Mapping[str, object] = {}
    for last in contexts:
        if (page := _within(_pieces(name, last), most=MAX_BYTES)) is not None:
            return page
    return render_template(name, **last)


def _within(pieces: Iterable[str], *, most: int) -> str | None:
    """Join pieces of at most so many bytes together; None as soon as there are more."""
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece.encode())
        if size > most:
            return None
    return "".join(kept)


def _pieces(name: str, context: Mapping[str, object]) -> Iterator[str]:
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
