import numpy as np
import pytest
from scipy.stats import binomtest

from tasks.audit import intervals


@pytest.mark.parametrize(("count", "n"), [(0, 7), (7, 7), (1, 3), (40, 1000)])
def test_a_share_has_the_interval_of_wilson(count: int, n: int) -> None:
    expected = binomtest(count, n).proportion_ci(0.95, method="wilson")
    found = intervals.share(count, n)
    assert found.value == count / n
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high], abs=1e-12)


def test_a_share_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no share"):
        intervals.share(0, 0)


def test_a_mean_has_its_normal_interval() -> None:
    found = intervals.mean(np.array([1.0, 2.0, 3.0, 6.0]))
    half = 1.96 * np.std([1, 2, 3, 6], ddof=1) / 2
    assert (found.low, found.value, found.high) == pytest.approx((3 - half, 3, 3 + half), abs=1e-4)
    assert intervals.mean(np.array([5.0])).low is None
    with pytest.raises(ValueError, match="no values"):
        intervals.mean(np.array([]))
