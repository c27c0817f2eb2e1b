"""Two estimates in one inline SVG, coloured by the style sheet; the numbers stand beside it."""

from markupsafe import Markup

from schemas.audit import Estimate
from tasks.report.audit_charts import axis_end
from tasks.report.audit_figures import round_number

_HEIGHTS = {"first": 6, "second": 16}


def pair_plot(
    first: Estimate | None, second: Estimate | None, unit: str, *, reach: float = 0.0
) -> Markup:
    """Draw two estimates on one axis, the first above the second, each with its interval.

    The axis begins at 0, or lies around it where a bound is negative, and its ends stand below it.

    Args:
        first: Of the first dataset.
        second: Of the second one.
        unit: Of both.
        reach: What the axis has to reach at least: drawings of one table can share theirs.

    Returns:
        The drawing; empty where one is missing or all there is to draw is 0.
    """
    if first is None or second is None:
        return Markup()
    ends = [end for one in (first, second) for end in (one.value, one.low, one.high) if end]
    if not ends:
        return Markup()
    greatest = axis_end(max(reach, *map(abs, ends)))
    least = -greatest if min(ends) < 0 else 0.0
    pieces = [
        '<svg class="both" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true">',
        _line("axis", (0.0, 0.0), (least, greatest), top=1, foot=21),
        _estimate("first", first, (least, greatest)),
        _estimate("second", second, (least, greatest)),
        f'</svg><span class="ends" aria-hidden="true"><span>{_end(least, unit)}</span>'
        f"<span>{_end(greatest, unit)}</span></span>",
    ]
    return Markup("".join(pieces))


def _estimate(kind: str, estimate: Estimate, axis: tuple[float, float]) -> str:
    y = _HEIGHTS[kind]
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    # A line of no length with round ends stays round however the drawing is stretched.
    return (
        f'<g class="{kind}">{_line("whisker", (low, high), axis, top=y, foot=y)}'
        f"{_line('dot', (estimate.value, estimate.value), axis, top=y, foot=y)}</g>"
    )


def _line(
    kind: str, ends: tuple[float, float], axis: tuple[float, float], *, top: int, foot: int
) -> str:
    least, greatest = axis
    left, right = (f"{100 * (end - least) / (greatest - least):.4g}" for end in ends)
    return f'<line class="{kind}" x1="{left}" x2="{right}" y1="{top}" y2="{foot}"/>'


def _end(value: float, unit: str) -> str:
    return round_number(value, unit).replace("-", "\N{MINUS SIGN}")
