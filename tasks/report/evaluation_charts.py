"""A learning curve as inline SVG, coloured by the style sheet; its numbers stand in a table."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from schemas.audit import Estimate
from schemas.evaluation import CurvePoint
from tasks.report.formatting import integer

_WIDTH, _HEIGHT = 360, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 36, 14, 12, 40
_STEPS = (0.05, 0.1, 0.2)
_MOST_TICKS = 6
_MOST_NAMES = 5


def learning_curve(points: Sequence[CurvePoint], synthetic: Estimate) -> Markup:
    """Draw macro-F1 by real rows with intervals, and the synthetic student's as a level band.

    Args:
        points: By growing rows, at least one.
        synthetic: Macro-F1 of the synthetic student.
    """
    scores = [*(point.macro_f1 for point in points), synthetic]
    frame = _Frame(points, scores)
    last = points[-1]
    description = (
        f"Students of {integer(points[0].rows)} to {integer(last.rows)} real rows reach a macro-F1 "
        f"of {points[0].macro_f1.value:.2f} to {last.macro_f1.value:.2f}; that of the synthetic "
        f"set reaches {synthetic.value:.2f}. The table holds the numbers."
    )
    line = " ".join(f"{frame.x(one.rows)},{frame.y(one.macro_f1.value)}" for one in points)
    pieces = [
        f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-labelledby="curve-title curve-desc">',
        '<title id="curve-title">Macro-F1 by real rows learnt from</title>',
        f'<desc id="curve-desc">{description}</desc>',
        *frame.grid(),
        frame.band(synthetic),
        f'<polyline class="whisker" fill="none" points="{line}"/>',
        *(frame.point(one) for one in points),
        *frame.names(),
        f'<text class="caption" x="{(_LEFT + _WIDTH - _RIGHT) / 2:g}" y="{_HEIGHT - 4}" '
        'text-anchor="middle">real rows learnt from (each step doubles them)</text></svg>',
    ]
    return Markup("".join(pieces))


class _Frame:
    """Where rows and scores lie: rows by their logarithm, scores between round numbers."""

    def __init__(self, points: Sequence[CurvePoint], scores: Sequence[Estimate]) -> None:
        self._rows = [point.rows for point in points]
        lows = [one.value if one.low is None else one.low for one in scores]
        highs = [one.value if one.high is None else one.high for one in scores]
        least, most = max(0.0, min(lows)), min(1.0, max(highs))
        self._step = next(
            (step for step in _STEPS if (most - least) / step <= _MOST_TICKS - 2), _STEPS[-1]
        )
        self._low = math.floor(least / self._step + 1e-9)
        self._high = max(math.ceil(most / self._step - 1e-9), self._low + 1)

    def x(self, rows: int) -> float:
        """Return where a number of rows lies; one alone lies in the middle."""
        first, last = math.log(self._rows[0]), math.log(self._rows[-1])
        part = (math.log(rows) - first) / (last - first) if last > first else 0.5
        # Room for half a name at both ends.
        return round(_LEFT + 14 + part * (_WIDTH - _LEFT - _RIGHT - 28), 1)

    def y(self, score: float) -> float:
        """Return how high a score lies."""
        part = (score / self._step - self._low) / (self._high - self._low)
        return round(_HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM), 1)

    def grid(self) -> list[str]:
        """Draw a line and a number for every round score."""
        pieces = []
        for tick in range(self._low, self._high + 1):
            score = tick * self._step
            y = self.y(score)
            pieces.append(
                f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
                f'<text x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end">{score:.2f}</text>'
            )
        return pieces

    def band(self, synthetic: Estimate) -> str:
        """Draw the synthetic student's interval over the whole width, its figure as a line."""
        low = synthetic.value if synthetic.low is None else synthetic.low
        high = synthetic.value if synthetic.high is None else synthetic.high
        top, foot, y = self.y(high), self.y(low), self.y(synthetic.value)
        # The name stands at the end where the curve is not: the curve grows to the right.
        return (
            f'<rect class="all" opacity="0.5" x="{_LEFT}" width="{_WIDTH - _LEFT - _RIGHT}" '
            f'y="{top}" height="{max(foot - top, 1):.1f}"/>'
            f'<line class="reference" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            f'<text x="{_WIDTH - _RIGHT - 3}" y="{y - 4:g}" text-anchor="end">synthetic set</text>'
        )

    def point(self, one: CurvePoint) -> str:
        """Draw a point with its interval."""
        x, y = self.x(one.rows), self.y(one.macro_f1.value)
        low, high = one.macro_f1.low, one.macro_f1.high
        whisker = (
            ""
            if low is None or high is None
            else f'<line class="whisker" x1="{x}" x2="{x}" y1="{self.y(low)}" y2="{self.y(high)}"/>'
        )
        return f'{whisker}<line class="dot" x1="{x}" x2="{x}" y1="{y}" y2="{y}"/>'

    def names(self) -> list[str]:
        """Name every n-th number of rows, the last one always."""
        every = -(-len(self._rows) // _MOST_NAMES)
        return [
            f'<text x="{self.x(rows)}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
            f"{integer(rows)}</text>"
            for rows in self._rows[::-every]
        ]
