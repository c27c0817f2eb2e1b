import pytest

from schemas.audit import Estimate
from tasks.audit.side_by_side import change_of


def about(value: float, half: float = 0.1) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, n=10)


@pytest.mark.parametrize(
    ("first", "second", "better", "change"),
    [
        (about(0.5), about(0.6), "lower", "same"),
        (about(0.5), about(0.9), "lower", "worse"),
        (about(0.9), about(0.5), "lower", "better"),
        (about(0.5), about(0.9), "higher", "better"),
        (about(0.5), about(0.9), "neither", "changed"),
        (Estimate(value=1.0, n=3), Estimate(value=1.0, n=3), "higher", "same"),
        (Estimate(value=1.0, n=3), Estimate(value=0.5, n=3), "higher", "worse"),
        (None, about(0.5), "lower", "unknown"),
        (None, None, "lower", "same"),
    ],
)
def test_a_change_is_what_chance_does_not_explain(
    first: Estimate | None, second: Estimate | None, better: str, change: str
) -> None:
    assert change_of(first, second, better=better) == change
