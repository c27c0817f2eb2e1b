"""An audit's charts as inline SVG, coloured by the style sheet; every number is also in a table."""

import math

from markupsafe import Markup

from schemas.audit import GateOutcome, Metric
from tasks.report.audit_figures import bound_limits, round_number

_STEPS = (1.0, 2.0, 5.0, 10.0)


def interval_plot(metric: Metric, outcome: GateOutcome | None) -> Markup:
    """Draw an estimate with its whiskers, beside the reference and the bounds of its gate.

    The axis begins at 0 and ends at 1, 2 or 5 times a power of ten, which stands below it.

    Args:
        metric: What was measured.
        outcome: Its gate's, when it has one.

    Returns:
        The plot; empty where there is nothing to compare the estimate with, or a value below 0.
    """
    estimate, reference = metric.estimate, metric.baseline
    if estimate is None:
        return Markup()
    ends = [bound for bound in (estimate.low, estimate.high) if bound is not None]
    bounds = (
        [bound for bound in bound_limits(outcome.bound) if bound is not None] if outcome else []
    )
    values = [estimate.value, *ends, *bounds, *([reference.value] if reference else [])]
    if len(values) == 1 or min(values) < 0 or max(values) == 0:
        return Markup()
    scale = axis_end(max(values))
    pieces = [
        '<svg class="interval" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">'
        '<line class="axis" x1="0" x2="100" y1="10" y2="10"/>',
        *(_upright("bound", bound, scale, 0, 20) for bound in bounds),
        *([_upright("reference", reference.value, scale, 1, 19)] if reference else []),
        *(_upright("whisker", end, scale, 6, 14) for end in ends),
        *([_whisker(ends[0], ends[1], scale)] if len(ends) == 2 else []),
        # A line of no length with round ends stays round however the drawing is stretched.
        f'<line class="dot" x1="{_x(estimate.value, scale)}" x2="{_x(estimate.value, scale)}" '
        'y1="10" y2="10"/></svg>',
        f'<span class="ends" aria-hidden="true"><span>0</span>'
        f"<span>{round_number(scale, metric.unit)}</span></span>",
    ]
    return Markup("".join(pieces))


def axis_end(greatest: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not below `greatest`, above 0."""
    power = 10.0 ** math.floor(math.log10(greatest))
    # Rounded, because 5 times a negative power of ten is a little off.
    return next(
        float(f"{step * power:.6g}") for step in _STEPS if step * power >= greatest * (1 - 1e-9)
    )


def share_slice(value: float, scale: float) -> Markup:
    """Draw a share of a table as a bar.

    Args:
        value: Its length, in [0, scale].
        scale: The share that fills the whole width, above 0.
    """
    width = round(100 * value / scale, 2)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="fill" width="{width:g}" height="10"/></svg>'
    )


def _whisker(low: float, high: float, scale: float) -> str:
    return f'<line class="whisker" x1="{_x(low, scale)}" x2="{_x(high, scale)}" y1="10" y2="10"/>'


def _upright(kind: str, value: float, scale: float, top: int, foot: int) -> str:
    x = _x(value, scale)
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top}" y2="{foot}"/>'


def _x(value: float, scale: float) -> str:
    return f"{100 * value / scale:.4g}"
