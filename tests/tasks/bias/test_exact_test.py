from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from tasks.bias.exact_test import MOST_EXPECTED, fisher_p_values


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n = draw(st.integers(2, 400))
    rows = draw(st.integers(1, n - 1))
    few = min(rows, n - rows)
    most = min(n // 2, int(MOST_EXPECTED * n / few))
    columns = draw(st.integers(0, most))
    columns = n - columns if draw(st.booleans()) else columns
    both = draw(st.integers(max(0, rows + columns - n), min(rows, columns)))
    return both, rows, columns, n


def slowly(both: int, rows: int, columns: int, n: int) -> float:
    def weight(k: int) -> int:
        return comb(rows, k) * comb(n - rows, columns - k)

    support = range(max(0, rows + columns - n), min(rows, columns) + 1)
    rare = sum(weight(k) for k in support if weight(k) <= weight(both))
    return float(Fraction(rare, comb(n, columns)))


@given(tables())
@settings(max_examples=200, deadline=None)
def test_each_table_has_the_p_value_of_the_definition(table: tuple[int, int, int, int]) -> None:
    both, rows, columns, n = table
    found = fisher_p_values(np.array([both]), np.array([rows]), np.array([columns]), n=n)
    assert found[0] == pytest.approx(slowly(*table), rel=1e-6, abs=1e-200)


def test_many_tables_at_once() -> None:
    random = np.random.default_rng(0)
    rows, columns = random.integers(20, 2000, 9000), random.integers(20, 2000, 9000)
    both = random.binomial(np.minimum(rows, columns), 0.01)
    found = fisher_p_values(both, rows, columns, n=1_000_000)
    for place in range(0, 9000, 900):
        b, r, c = int(both[place]), int(rows[place]), int(columns[place])
        alone = fisher_p_values(both[[place]], rows[[place]], columns[[place]], n=1_000_000)
        expected = fisher_exact([[b, r - b], [c - b, 1_000_000 - r - c + b]]).pvalue
        assert (found[place], alone[0]) == pytest.approx((expected, expected), rel=1e-5)


def test_ends() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert fisher_p_values(none, none, none, n=5).shape == (0,)
    far = fisher_p_values(np.array([900]), np.array([1000]), np.array([1000]), n=1_000_000)
    assert far[0] == 0
    with pytest.raises(ValueError, match="not sparse"):
        fisher_p_values(np.array([50]), np.array([100]), np.array([100]), n=200)
