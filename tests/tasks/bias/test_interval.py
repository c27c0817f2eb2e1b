import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from tasks.bias.interval import Interval, mean, welch


def test_a_mean_has_the_interval_of_student() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = mean(values)
    assert found is not None
    bounds = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.value, found.low, found.high) == pytest.approx((4, bounds.low, bounds.high))
    assert mean(values[:1]) is None


def test_a_difference_has_the_interval_of_welch() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(1, 3, 20), random.normal(0, 1, 50)
    found = welch(one, other)
    assert found is not None
    expected = ttest_ind(one, other, equal_var=False)
    bounds = expected.confidence_interval(0.95)
    assert (found[0].low, found[0].high) == pytest.approx((bounds.low, bounds.high))
    assert found[1] == pytest.approx(expected.pvalue)
    assert welch(one[:1], other) is None


@pytest.mark.parametrize(("other", "p_value"), [(1.0, 1.0), (2.0, 0.0)])
def test_numbers_that_do_not_vary(other: float, p_value: float) -> None:
    found = welch(np.ones(5), np.full(5, other))
    assert found == (Interval(1 - other, 1 - other, 1 - other, 10), p_value)


def test_what_an_interval_excludes() -> None:
    interval = Interval(1, 0, 2, 5)
    assert [interval.excludes(value) for value in (-1, 0, 2, 3)] == [True, False, False, True]
