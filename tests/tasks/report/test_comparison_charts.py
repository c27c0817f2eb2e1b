import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Estimate
from tasks.report.comparison_charts import pair_plot

VALUES = st.floats(min_value=-1e9, max_value=1e9, allow_subnormal=False)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    low, value, high = sorted(draw(st.tuples(VALUES, VALUES, VALUES)))
    return Estimate(value=value, low=low, high=high, n=1)


def places(drawing: str, kind: str) -> list[tuple[float, float]]:
    """Ends of both lines of a kind, A's first, as shares of the width."""
    found = re.findall(rf'<line class="{kind}" x1="([^"]+)" x2="([^"]+)"', drawing)
    return [(float(left) / 100, float(right) / 100) for left, right in found]


@settings(deadline=None, max_examples=100)
@given(first=estimates(), second=estimates())
def test_both_estimates_lie_on_one_axis(first: Estimate, second: Estimate) -> None:
    drawing = str(pair_plot(first, second, "score"))
    ends = [end for one in (first, second) for end in (one.low, one.value, one.high)]
    if not any(ends):
        assert drawing == ""
        return
    ((zero, _),) = places(drawing, "axis")
    assert zero == (0.5 if min(end for end in ends if end is not None) < 0 else 0)
    dots = places(drawing, "dot")
    for (at, _), (left, right) in zip(dots, places(drawing, "whisker"), strict=True):
        assert 0 <= left <= at <= right <= 1
    # As far apart on the drawing as in truth, to what four digits of a place can tell.
    scale = (first.value - second.value, dots[0][0] - dots[1][0])
    assert scale[0] * scale[1] >= 0
    for one, (at, _) in zip((first, second), dots, strict=True):
        assert (one.value > 0) <= (at >= zero)


def test_the_axis_ends_at_a_round_number() -> None:
    drawing = str(
        pair_plot(
            Estimate(value=0.03, n=1), Estimate(value=0.04, low=0.02, high=0.045, n=1), "share"
        )
    )
    assert places(drawing, "dot") == [(0.6, 0.6), (0.8, 0.8)]
    assert places(drawing, "whisker") == [(0.6, 0.6), (0.4, 0.9)]
    assert re.findall(r"<span>([^<]+)</span>", drawing) == ["0\u00a0%", "5\u00a0%"]


@pytest.mark.parametrize("missing", [(None, Estimate(value=1, n=1)), (None, None)])
def test_nothing_is_drawn_of_what_is_not_there(missing: tuple[Estimate | None, ...]) -> None:
    assert pair_plot(missing[0], missing[1], "share") == ""
    assert pair_plot(missing[1], missing[0], "share") == ""
    zero = Estimate(value=0, low=0, high=0, n=1)
    assert pair_plot(zero, zero, "share") == ""
