"""Charts as inline SVG, coloured by the page's style sheet; every number is also in a table."""

from markupsafe import Markup

from tasks.report.findings import Bin, Lengths
from tasks.report.formatting import integer
from tasks.report.sketches import round_width

_WIDTH, _HEIGHT = 360, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 12, 36
_NUM_TICKS = 4


def share_bar(got: float, asked: float, scale: float) -> Markup:
    """Draw a share got as a bar, with a tick at the share asked for.

    Args:
        got: Length of the bar, in [0, scale].
        asked: Place of the tick, in [0, scale].
        scale: The share that fills the whole width, above 0.
    """
    bar, tick = _part(got, scale), _part(asked, scale)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/>'
        f'<rect class="fill" width="{bar}" height="10"/>'
        f'<line class="tick" x1="{tick}" x2="{tick}" y1="-2" y2="12"/></svg>'
    )


def slice_bar(start: float, end: float, kind: str) -> Markup:
    """Draw one step of a funnel: the slice from `start` to `end` of the whole, both in [0, 1].

    Args:
        start: Left edge.
        end: Right edge.
        kind: Class that gives the colour: `all`, `gone` or `kept`.
    """
    x, width = _part(start, 1.0), _part(end - start, 1.0)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="10"/>'
        f'<rect class="{kind}" x="{x}" width="{max(width, 0.4)}" height="10"/></svg>'
    )


def histogram(lengths: Lengths, chart_id: str) -> Markup:
    """Draw a histogram with round ticks, a title and a description.

    Args:
        lengths: The distribution; it has at least one bar.
        chart_id: Unique on the page; letters and hyphens.
    """
    ticks = _ticks(max(bar.rows for bar in lengths.bins))
    step = (_WIDTH - _LEFT - _RIGHT) / len(lengths.bins)
    description = (
        f"Histogram of {len(lengths.bins)} bars. Half of the rows have {integer(lengths.median)} "
        f"{lengths.unit} or fewer; nine in ten have {integer(lengths.p5)} to "
        f"{integer(lengths.p95)}. "
        "The table below holds the numbers."
    )
    pieces = [
        f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="{chart_id}-title {chart_id}-desc">',
        f'<title id="{chart_id}-title">Rows by number of {lengths.unit}</title>',
        f'<desc id="{chart_id}-desc">{description}</desc>',
        *(_grid_line(tick, ticks[-1]) for tick in ticks),
        *(_column(bar, place, step, ticks[-1]) for place, bar in enumerate(lengths.bins)),
        *_axis(lengths.bins, step),
        f'<text class="caption" x="{(_LEFT + _WIDTH - _RIGHT) / 2:g}" y="{_HEIGHT - 3}" '
        f'text-anchor="middle">{lengths.unit} of a row</text></svg>',
    ]
    return Markup("".join(pieces))


def _part(value: float, scale: float) -> float:
    return round(100 * min(1.0, max(0.0, value / scale)), 2)


def _y(rows: int, most: int) -> float:
    return round(_HEIGHT - _BOTTOM - rows / most * (_HEIGHT - _TOP - _BOTTOM), 2)


def _grid_line(tick: int, most: int) -> str:
    y = _y(tick, most)
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:g}" y2="{y:g}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end">{integer(tick)}</text>'
    )


def _column(bar: Bin, place: int, step: float, most: int) -> str:
    x, y = round(_LEFT + place * step + 0.5, 2), _y(bar.rows, most)
    height = round(_HEIGHT - _BOTTOM - y, 2)
    kind = "beyond" if bar.end is None else "fill"
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{step - 1:.2f}" height="{height:g}"/>'


def _axis(bins: tuple[Bin, ...], step: float) -> list[str]:
    """Name the left edge of every n-th bar, so that at most seven names stand side by side."""
    every = -(-len(bins) // 7)
    y = _HEIGHT - _BOTTOM + 14
    return [
        f'<text x="{_LEFT + place * step:.1f}" y="{y}" text-anchor="middle">'
        f"{integer(bar.start)}</text>"
        for place, bar in enumerate(bins)
        if place % every == 0
    ]


def _ticks(most: int) -> list[int]:
    """Return 0 and round, evenly spaced numbers up to the first that is not below `most`."""
    step = round_width(most / _NUM_TICKS)
    return [step * place for place in range(-(-most // step) + 1)]
